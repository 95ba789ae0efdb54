"""Scores of sentences, words and whole texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .. import kenlm
from ..errors import CharlmError, require
from ..lm import sequential
from ..measures import Measures
from ..tasks.score import SentenceScore, score
from .loaded import MAX_BLOCK, Loaded

if TYPE_CHECKING:  # all but scoring and sampling is imported on first use
    from ..tasks.compare import Comparison
    from ..tasks.word_scores import WordScore
    from ..text.frequencies import Frequencies
    from ..text.source import Reading
    from ..text.stimuli import Stimulus

BLOCK_CHARS = 1 << 16  # of text handed to a process at a time
ALONE = "`jobs` goes with `context=sentence`"


class Scoring(Loaded):
    """How probable a model finds a text."""

    @overload
    def score(  # type: ignore[overload-overlap]  # a str is a Sequence[str], but one sentence
        self,
        text: str,
        *,
        eos: bool = True,
        context: str = "sentence",
        tokens: bool = False,
        words: bool = False,
        jobs: int = 1,
        progress: Callable[[float], None] | None = None,
    ) -> SentenceScore: ...
    @overload
    def score(
        self,
        text: Sequence[str],
        *,
        eos: bool = True,
        context: str = "sentence",
        tokens: bool = False,
        words: bool = False,
        jobs: int = 1,
        progress: Callable[[float], None] | None = None,
    ) -> list[SentenceScore]: ...
    def score(
        self,
        text: str | Sequence[str],
        *,
        eos: bool = True,
        context: str = "sentence",
        tokens: bool = False,
        words: bool = False,
        jobs: int = 1,
        progress: Callable[[float], None] | None = None,
    ) -> SentenceScore | list[SentenceScore]:
        """Score a sentence, or several in order. In a notebook a score shows its surprisal.

        `measures` have `logprob`, in which unknown words are <UNK> (`oov` of them), and
        `logprob_spelled`, which includes their spelling.

        eos (bool, True): count the <EOS> that closes a sentence as a token.
        context (str, "sentence"): each sentence stands alone; "stream": it follows those before it.
        tokens (bool, False): also give every token's log-probability, surprisal and rank.
        words (bool, False): also give every word's log-probability and surprisal as a whole word.
        jobs (int, 1): processes, each with the model, that divide the sentences.
        progress (function, None): called now and then with the fraction done, if there are several.
        """
        given = [text] if isinstance(text, str) else list(text)
        how = {"eos": eos, "context": context, "tokens": tokens, "words": words}
        alone = context == "sentence" and not self.lm.learns
        require(jobs == 1 or alone, f"a stream is read in order: {ALONE}")
        if not alone:
            found = _score(self, given, how)
            return found[0] if isinstance(text, str) else found
        different = list(dict.fromkeys(given))
        if jobs == 1 and len(different) <= MAX_BLOCK:
            scores = _score(self, different, how)
        else:
            scores = self.shared_out(partial(_score, how=how), different, jobs, progress)
        by_text = dict(zip(different, scores, strict=True))
        return by_text[text] if isinstance(text, str) else [by_text[one] for one in given]

    def word_scores(self, sentence: str, *, eos: bool = True) -> tuple[WordScore, ...]:
        """Every word of a sentence with its log-probability and surprisal as a whole word.

        eos (bool, True): include the <EOS> that closes the sentence, as the last of them.
        """
        return self.score(sentence, eos=eos, words=True).word_scores or ()

    def word_table(
        self,
        sentences: str | Sequence[str | Stimulus],
        *,
        eos: bool = True,
        context: str = "sentence",
        frequencies: str | Path | None = None,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> list[dict[str, Any]]:
        """A row for every word of the sentences, for `pandas.DataFrame`.

        `line` counts sentences from 1, `logprob` is in nats, surprisals and entropies are in bits;
        for the columns see `charlm.tasks.word_rows.word_rows`. A sentence can be a `Stimulus`,
        with a line and columns of its own.

        eos (bool, True): include the <EOS> that closes each sentence.
        context (str, "sentence"): each sentence stands alone; "stream": it follows those before it.
        frequencies (path, None): a text to count words in; None: that which the model was trained
        on, and where it is not found there are no frequencies (NaN).
        encoding (str, "utf-8"): of the file.
        errors (str, "strict"): how to handle bytes that do not decode.
        """
        from ..runs import word_frequencies
        from ..tasks.word_rows import word_rows
        from ..text.stimuli import Stimulus

        sentences = [sentences] if isinstance(sentences, str) else sentences
        given = [
            one if isinstance(one, Stimulus) else Stimulus(one, number)
            for number, one in enumerate(sentences, 1)
        ]
        counted: Frequencies | None = None
        if frequencies is not None:
            reading: Reading = {"encoding": encoding, "errors": errors}
            counted = word_frequencies.of_files([frequencies], self.tokenizer, **reading)
        else:
            with suppress(CharlmError):
                path = Path(self._info["path"])
                counted = word_frequencies.of_training(path, self.tokenizer, self._info["training"])
        scores = self.score([one.text for one in given], eos=eos, context=context, words=True)
        return list(word_rows(zip(given, scores, strict=True), counted))

    def full_scores(
        self, sentence: str, bos: bool = True, eos: bool = True
    ) -> Iterator[tuple[float, int, bool]]:
        """For each word (log10 P, length of the n-gram used, OOV), as KenLM does.

        bos (bool, True): the sentence follows a sentence end; otherwise nothing at all.
        eos (bool, True): also score its end.
        """
        return kenlm.full_scores(self.causal, self.tokenizer, sentence, bos=bos, eos=eos)

    def evaluate(
        self,
        text: str | Iterable[str],
        *,
        context: str = "stream",
        window: int | None = None,
        jobs: int = 1,
        progress: Callable[[Measures], None] | None = None,
    ) -> Measures:
        """Measure a whole text, of any size, given as a string or in chunks cut anywhere.

        context (str, "stream"): tokens see all of the text before; "sentence": their line only.
        window (int, None): with "stream", reset the state every so many tokens.
        jobs (int, 1): processes, each with the model, that divide the lines of a text ("sentence").
        progress (function, None): called now and then with the measures so far.
        """
        from ..tasks.evaluate import NO_TEXT, evaluate, whole_lines

        chunks = [text] if isinstance(text, str) else text
        if jobs != 1:
            require(context == "sentence" and window is None, f"a stream is read in order: {ALONE}")
            total = Measures(0.0, 0, 0, 0)
            for part in self.in_processes(_evaluate, whole_lines(chunks, BLOCK_CHARS), jobs):
                total += part
                if progress is not None:
                    progress(total)
            require(total.chars > 0, NO_TEXT)
            return total
        return evaluate(
            sequential(self.lm),
            self.tokenizer,
            chunks,
            context=context,
            window=window,
            progress=progress,
        )

    def compare(
        self,
        other: Loaded,
        sentences: Sequence[str],
        *,
        seed: int = 1,
        resamples: int = 10_000,
        oov: str | None = None,
    ) -> Comparison:
        """Compare this model (the first) and another on the same sentences, in bits per character.

        The levels may differ. The 95 % interval of the difference is from a paired bootstrap over
        sentences.

        seed (int, 1): of the bootstrap.
        resamples (int, 10,000): number of bootstrap resamples.
        oov (str, None): unknown words count as <UNK> ("closed"), as <UNK> and their spelling
        ("spelled"), or not at all ("exclude"); None: spelled where their numbers differ.
        """
        from ..tasks.compare import compare

        models = [(one.lm, one.tokenizer) for one in (self, other)]
        return compare(models, sentences, seed=seed, resamples=resamples, oov=oov)


def _score(model: Scoring, sentences: Sequence[str], how: dict[str, Any]) -> list[SentenceScore]:
    return score(model.lm, model.tokenizer, sentences, **how)


def _evaluate(model: Scoring, text: str) -> Measures:
    return model.evaluate(text, context="sentence")
