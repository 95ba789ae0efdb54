"""The public `Model`, which `charlm.load` returns, and `classify`, which uses several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

from . import kenlm
from .config import require
from .lm import CausalLM, LanguageModel, State, causal, sequential
from .measures import Measures
from .models import model_file
from .runs import describe, locate
from .runs.options import DEVICES
from .tasks.sample import Sample, sample
from .tasks.score import SentenceScore, score
from .text.tokenizer import Tokenizer

if TYPE_CHECKING:  # all but scoring and sampling is imported on first use
    from .tasks.classify import Classified, Labelled
    from .tasks.compare import Comparison
    from .tasks.complete import Completion
    from .tasks.fill import Filled
    from .tasks.nbest import Utterance
    from .tasks.next_tokens import NextTokens
    from .tasks.pairs import PairScores, PairSource
    from .tasks.rescore import Rescored
    from .tasks.word_scores import WordScore

ADAPTATIONS = ("dynamic", "cache")


class Model:
    """A language model with its tokenizer, ready for use.

    >>> model = charlm.load("runs/latest")
    >>> model
    <charlm.Model runs/latest: 4-gram model, 91,170 numbers, word level, 739 tokens; ...>
    >>> model.score("The apple and pear salad.").logprob
    -6.157...

    Log-probabilities are in nats, surprisals and entropies in bits. A setting out of range, and a
    use that the model does not support (sampling from a bidirectional one, say), raise CharlmError.
    """

    def __init__(self, lm: LanguageModel, tokenizer: Tokenizer, info: dict[str, Any]) -> None:
        self.lm = lm
        self.tokenizer = tokenizer
        self._info = info

    @classmethod
    def load(cls, path: str | Path | None = None, *, device: str | None = None) -> Self:
        """Load a model.

        path: a run directory, a model file or an ARPA file; None: $CHARLM_MODEL, else runs/latest.
        device: None: NumPy, which starts faster; "auto", "cpu" or "cuda": score in bulk with torch.

        Raises CharlmError if there is no model, if it is damaged, or if the device is unknown or
        the model cannot use it.
        """
        require(
            device is None or device in DEVICES,
            f"unknown device {device!r}: choose {' | '.join(DEVICES)}",
        )
        file = locate.resolve(path)
        contents = model_file.read(file)
        lm = model_file.build(contents)
        if device is not None:
            from .network.bulk_scoring import on_device

            require(not lm.pseudo, "`device` is not for bidirectional models: leave it out")
            lm = on_device(causal(lm), device)
        return cls(lm, contents.tokenizer, model_file.describe(file, contents))

    def __repr__(self) -> str:
        return f"<charlm.Model {describe.summary(self._info)}>"

    @property
    def causal(self) -> CausalLM[State]:
        """The model as a `charlm.lm.CausalLM`, which predicts the next token.

        Raises CharlmError for a bidirectional model.
        """
        return causal(self.lm)

    @property
    def info(self) -> dict[str, Any]:
        """The model's family, size and training: the object of `charlm info --json`."""
        return self._info

    def adapted(self, how: str) -> Self:
        """The same model, learning from what it has just read.

        how: "dynamic", gradient steps (Krause et al. 2018; needs torch), or "cache", a cache of its
        hidden states (Grave et al. 2017).

        Of a mixture, the networks in it learn. Raises CharlmError for models without a network.
        """
        from .models.adapted_mixture import Adapt, adapt_networks

        require(how in ADAPTATIONS, f"unknown adaptation {how!r}: choose dynamic | cache")
        adapt: Adapt
        if how == "cache":
            from .tasks.neural_cache import NeuralCacheLM

            adapt = NeuralCacheLM
        else:
            from .network.dynamic_evaluation import DynamicLM

            adapt = DynamicLM
        return type(self)(adapt_networks(self.lm, adapt), self.tokenizer, self._info)

    # Scoring --------------------------------------------------------------------------------------

    @overload
    def score(  # type: ignore[overload-overlap]  # a str is a Sequence[str], but one sentence
        self,
        text: str,
        *,
        eos: bool = True,
        context: str = "sentence",
        tokens: bool = False,
        words: bool = False,
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
    ) -> list[SentenceScore]: ...
    def score(
        self,
        text: str | Sequence[str],
        *,
        eos: bool = True,
        context: str = "sentence",
        tokens: bool = False,
        words: bool = False,
    ) -> SentenceScore | list[SentenceScore]:
        """Score a sentence, or several in order. In a notebook a score shows its surprisal.

        `measures` have `logprob`, in which unknown words are <UNK> (`oov` of them), and
        `logprob_spelled`, which includes their spelling.

        eos (bool, True): count the <EOS> that closes a sentence as a token.
        context (str, "sentence"): each sentence stands alone; "stream": it follows those before it.
        tokens (bool, False): also give every token's log-probability, surprisal and rank.
        words (bool, False): also give every word's log-probability and surprisal as a whole word.
        """
        sentences = [text] if isinstance(text, str) else text
        found = score(
            self.lm,
            self.tokenizer,
            sentences,
            eos=eos,
            context=context,
            tokens=tokens,
            words=words,
        )
        return found[0] if isinstance(text, str) else found

    def word_scores(self, sentence: str, *, eos: bool = True) -> tuple[WordScore, ...]:
        """Every word of a sentence with its log-probability and surprisal as a whole word.

        eos (bool, True): include the <EOS> that closes the sentence, as the last of them.
        """
        return self.score(sentence, eos=eos, words=True).word_scores or ()

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
        progress: Callable[[Measures], None] | None = None,
    ) -> Measures:
        """Measure a whole text, of any size, given as a string or in chunks cut anywhere.

        context (str, "stream"): tokens see all of the text before; "sentence": their line only.
        window (int, None): with "stream", reset the state every so many tokens.
        progress (function, None): called now and then with the measures so far.
        """
        from .tasks.evaluate import evaluate

        chunks = [text] if isinstance(text, str) else text
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
        other: Model,
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
        from .tasks.compare import compare

        models = [(one.lm, one.tokenizer) for one in (self, other)]
        return compare(models, sentences, seed=seed, resamples=resamples, oov=oov)

    # Generating text ------------------------------------------------------------------------------

    def sample(
        self,
        *,
        prompt: str = "",
        num_samples: int = 1,
        max_tokens: int = 1000,
        lines: int = 1,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        typical: float = 1.0,
        no_repeat: int = 0,
        no_copy: int = 0,
        training_text: str | Path | None = None,
        match: str | None = None,
        words: str | Path | Iterable[str] | None = None,
        seed: int = 0,
        allow_unk: bool = False,
        allow_new_words: bool = False,
        on_text: Callable[[str], None] | None = None,
        on_sample: Callable[[Sample], None] | None = None,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> list[Sample]:
        """Sample texts.

        prompt (str, ""): how each begins.
        num_samples (int, 1): how many.
        max_tokens (int, 1000): maximum length of a text.
        lines (int, 1): stop at the end (<EOS>) of this many lines.
        temperature (float, 1.0): below 1 sharpens the distribution; 0 takes the most probable.
        top_k (int, 0): sample only from the k most probable tokens; 0: from all.
        top_p (float, 1.0): sample only from the most probable tokens with total probability p.
        min_p (float, 0.0): only from tokens at least p times as probable as the most probable.
        typical (float, 1.0): only from the most typical tokens with total probability p.
        no_repeat (int, 0): at most N tokens in a row that stand in the text so far; 0: no limit.
        no_copy (int, 0): at most N tokens in a row that stand in the training text; 0: no limit.
        training_text (path, None): for `no_copy`; None: where the model's run has it.
        match (str, None): a regular expression that every line matches in full; needs `regex`.
        words (path or strings, None): a file (or a list) of the only words that may be written.
        seed (int, 0): the same seed gives the same texts.
        allow_unk (bool, False): allow <UNK> to be sampled.
        allow_new_words (bool, False): where a word model has <UNK>, spell a new word.
        on_text (function, None): for a single text, called with each piece as soon as it is final.
        on_sample (function, None): called with each sample, in order, when its batch is drawn.
        encoding (str, "utf-8"): of files.
        errors (str, "strict"): how to handle bytes that do not decode.
        """
        lm, copied = self.causal, None
        require(bool(no_copy) or training_text is None, "`training_text` is for `no_copy`")
        if no_copy:
            from .runs import training_text as texts

            if training_text is None:
                copied = texts.find(
                    Path(self._info["path"]), self.tokenizer, self._info["training"]
                )
            else:
                copied = texts.read(
                    [training_text], self.tokenizer, encoding=encoding, errors=errors
                )
        if isinstance(words, str | Path):
            from .text.source import open_lines

            with open_lines(words, encoding, errors) as (_, listed):
                words = list(listed)
        return sample(
            lm,
            self.tokenizer,
            prompt=prompt,
            num_samples=num_samples,
            max_tokens=max_tokens,
            lines=lines,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            typical=typical,
            no_repeat=no_repeat,
            no_copy=no_copy,
            training_text=copied,
            match=match,
            words=words,
            seed=seed,
            allow_unk=allow_unk,
            allow_new_words=allow_new_words,
            on_text=on_text,
            on_sample=on_sample,
        )

    def complete(
        self,
        prompt: str,
        *,
        num: int = 3,
        beam: int = 8,
        length_penalty: float = 0.0,
        max_tokens: int = 200,
        min_length: int = 1,
        allow_unk: bool = False,
    ) -> list[Completion]:
        """The most probable endings of the sentence that `prompt` begins, best first.

        num (int, 3): how many.
        beam (int, 8): beam width.
        length_penalty (float, 0.0): α from 0 to 4: rank by log P / tokens^α; 0: by log P alone.
        max_tokens (int, 200): maximum length of an ending.
        min_length (int, 1): its minimum length, in tokens besides <EOS>; 0: it may be empty.
        allow_unk (bool, False): allow <UNK> in an ending.
        """
        from .tasks.complete import complete

        return complete(
            self.causal,
            self.tokenizer,
            prompt,
            num=num,
            beam=beam,
            length_penalty=length_penalty,
            max_tokens=max_tokens,
            min_length=min_length,
            allow_unk=allow_unk,
        )

    def next_tokens(self, prompt: str = "", *, top_k: int = 15) -> NextTokens:
        """The most probable next tokens after `prompt`, and the entropy of the distribution, bits.

        top_k (int, 15): how many tokens.

        >>> tokens, entropy = model.next_tokens("The apple and", top_k=5)
        >>> tokens[0].token
        'pear'
        """
        from .tasks.next_tokens import next_tokens

        return next_tokens(self.causal, self.tokenizer, prompt, top_k=top_k)

    def fill(self, text: str, *, top_k: int = 5, left_only: bool = False) -> list[Filled]:
        """The most probable ways to fill the blanks (_) of a line, best first.

        A blank is a character (character models); a run of them, a word or part of one (words).

        top_k (int, 5): how many ways.
        left_only (bool, False): use only the context to the left of the blanks.
        """
        from .tasks.fill import fill

        return fill(self.lm, self.tokenizer, text, top_k=top_k, left_only=left_only)

    # Choosing between sentences -------------------------------------------------------------------

    def pairs(
        self,
        pairs: str | Path | Iterable[PairSource],
        *,
        region: bool = False,
        norm: str = "none",
        by: str | None = None,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> PairScores:
        """Score minimal pairs: is the good sentence more probable than the bad one?

        pairs: (good, bad) or (good, bad, phenomenon) each, or files of them: tab-separated, or JSON
        lines with sentence_good and sentence_bad (BLiMP).
        region (bool, False): score only where the two sentences differ.
        norm (str, "none"): divide log P by the length in tokens ("token") or characters ("char").
        by (str, None): the column to group by; default: linguistics_term, phenomenon or UID.
        encoding (str, "utf-8"): of files.
        errors (str, "strict"): how to handle bytes that do not decode.

        >>> model.pairs([("The cat was full.", "The cat were full.")]).accuracy
        1.0
        """
        from .tasks.pairs import collect, score_pairs

        level = self.tokenizer.level
        collected = collect(pairs, by, encoding=encoding, errors=errors, level=level)
        return score_pairs(self.causal, self.tokenizer, collected, region=region, norm=norm)

    def rescore(
        self,
        utterances: str | Path | Sequence[Utterance],
        references: str | Path | Mapping[str, str] | None = None,
        *,
        alpha: float | None = None,
        beta: float | None = None,
        tune: bool = False,
        metric: str = "wer",
        oov: str | None = None,
        scores: str | Path | None = None,
        lm_scores: str | Path | None = None,
        acoustic_scale: float = 1.0,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> Rescored:
        """Rerank n-best lists by first pass + α · (log P − old LM) + β · words, all in nats.

        utterances: lists, or a file of them: tab-separated (utterance, hypothesis, score, perhaps
        old_lm_score), JSON lines or, with `scores`, Kaldi's text.
        references (path or mapping, None): reference transcripts by utterance, for error rates.
        alpha (float, 1): weight of the language model.
        beta (float, 0): nats for each word.
        tune (bool, False): find the alpha and beta with the fewest errors.
        metric (str, "wer"): count errors in words, or ("cer") in characters.
        oov (str, None): how unknown words count, see `compare`.
        scores, lm_scores (paths, None): Kaldi's costs of the first pass and of the old LM.
        acoustic_scale (float, 1.0): multiplies the costs of the first pass.
        encoding (str, "utf-8"): of files.
        errors (str, "strict"): how to handle bytes that do not decode.
        """
        from .tasks.nbest import read_files, read_reference_file
        from .tasks.rescore import rescore

        reading = {"encoding": encoding, "errors": errors, "level": self.tokenizer.level}
        if isinstance(utterances, str | Path):
            utterances = read_files(
                utterances, scores, lm_scores, acoustic_scale=acoustic_scale, **reading
            )
        if isinstance(references, str | Path):
            references = read_reference_file(references, **reading)
        return rescore(
            self.causal,
            self.tokenizer,
            utterances,
            references,
            alpha=alpha,
            beta=beta,
            tune=tune,
            metric=metric,
            oov=oov,
        )


def load(path: str | Path | None = None, *, device: str | None = None) -> Model:
    """Load a model.

    path: a run directory, a model file or an ARPA file; None: $CHARLM_MODEL, else runs/latest.
    device: None: NumPy, which starts faster; "auto", "cpu" or "cuda": score in bulk with torch.

    Raises CharlmError if there is no model, if it is damaged, and for a device that is unknown or
    that the model cannot use.
    """
    return Model.load(path, device=device)


def classify(
    texts: Sequence[str],
    models: Mapping[str, Model | str | Path],
    *,
    priors: Mapping[str, float] | None = None,
    calibrate: str | Path | Sequence[Labelled] = (),
    truth: Sequence[str] | None = None,
    oov: str | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
) -> Classified:
    """Label each text with the model that finds it most probable: its language, author, genre.

    models: by label, two or more: models, or what `load` takes.
    priors (mapping, None): P(label); labels without one share the remainder equally.
    calibrate (path or sequence, ()): (label, text) pairs, or a tab-separated file of them, to fit
    the temperature that log-likelihoods are divided by, so that probabilities are calibrated.
    truth (sequence of str, None): the true label of every text, for the accuracy.
    oov (str, None): how unknown words count, see `Model.compare`.
    encoding (str, "utf-8"): of the file.
    errors (str, "strict"): how to handle bytes that do not decode.

    Raises CharlmError for fewer than two models, invalid priors, and labels without a model.
    """
    from .tasks.classify import classify, read_labelled_file

    loaded = {k: one if isinstance(one, Model) else load(one) for k, one in models.items()}
    if isinstance(calibrate, str | Path):
        calibrate = read_labelled_file(calibrate, list(models), encoding=encoding, errors=errors)
    return classify(
        {label: (one.lm, one.tokenizer) for label, one in loaded.items()},
        texts,
        priors=priors,
        calibrate=calibrate,
        truth=truth,
        oov=oov,
    )
