"""A loaded model: what `charlm.load` returns, and what is done with several."""

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

if TYPE_CHECKING:  # what is not scoring or sampling is imported when first asked for
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

    Log-probabilities are nats, surprisals and entropies bits. A setting out of range, and a use
    that the model does not allow (a model that reads from both sides cannot write), raise
    CharlmError.
    """

    def __init__(self, lm: LanguageModel, tokenizer: Tokenizer, info: dict[str, Any]) -> None:
        self.lm = lm
        self.tokenizer = tokenizer
        self._info = info

    @classmethod
    def load(cls, path: str | Path | None = None, *, device: str | None = None) -> Self:
        """Load a model.

        path: a run directory, a model file or an ARPA file; None: $CHARLM_MODEL, else runs/latest.
        device: None: NumPy, which starts sooner; "auto", "cpu" or "cuda": score in bulk with torch.

        Raises CharlmError if there is no model, if it is damaged, and for a device that is unknown
        or that the model cannot use.
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

            require(not lm.pseudo, "`device` is for models that read left to right: leave it out")
            lm = on_device(causal(lm), device)
        return cls(lm, contents.tokenizer, model_file.describe(file, contents))

    def __repr__(self) -> str:
        return f"<charlm.Model {describe.summary(self._info)}>"

    @property
    def causal(self) -> CausalLM[State]:
        """The model as one that predicts the next token (the contract of `charlm.lm`).

        Raises CharlmError for a bidirectional model.
        """
        return causal(self.lm)

    @property
    def info(self) -> dict[str, Any]:
        """What the model is and what it learned from: the object of `charlm info --json`."""
        return self._info

    def adapted(self, how: str) -> Self:
        """The same model, learning from what it has just read.

        how: "dynamic", gradient steps (Krause et al. 2018; takes torch), or "cache", a memory of
        its hidden states (Grave et al. 2017).

        Raises CharlmError for models other than recurrent ones.
        """
        require(how in ADAPTATIONS, f"unknown adaptation {how!r}: choose dynamic | cache")
        lm: LanguageModel
        if how == "cache":
            from .tasks.neural_cache import NeuralCacheLM

            lm = NeuralCacheLM(self.lm)
        else:
            from .network.dynamic_evaluation import DynamicLM

            lm = DynamicLM(self.lm)
        return type(self)(lm, self.tokenizer, self._info)

    # What sentences are worth ---------------------------------------------------------------------

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

        eos (bool, True): count the <EOS> that closes a sentence as a token.
        context (str, "sentence"): each sentence follows a sentence end; "stream": those before it.
        tokens (bool, False): give every token's log-probability, surprisal and rank, too.
        words (bool, False): give every word's log-probability and surprisal as a whole word, too.
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

        eos (bool, True): the <EOS> that closes the sentence is the last of them.
        """
        return self.score(sentence, eos=eos, words=True).word_scores or ()

    def full_scores(
        self, sentence: str, bos: bool = True, eos: bool = True
    ) -> Iterator[tuple[float, int, bool]]:
        """By word (log10 P, tokens that it was predicted from and itself, OOV), as KenLM gives.

        bos (bool, True): the sentence follows a sentence end, else nothing at all.
        eos (bool, True): its end is counted, too.
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

        context (str, "stream"): a token follows all of the text before it; "sentence": its line's.
        window (int, None): with "stream", begin afresh every so many tokens.
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
        self, other: Model, sentences: Sequence[str], *, seed: int = 1, resamples: int = 10_000
    ) -> Comparison:
        """Compare this model (the first) and another on the same sentences, in bits per character.

        The other may have tokens of another level. The 95 % interval of the difference is a paired
        bootstrap's over sentences.

        seed (int, 1): of the bootstrap.
        resamples (int, 10,000): how often sentences are drawn for it.
        """
        from .tasks.compare import compare

        models = [(one.lm, one.tokenizer) for one in (self, other)]
        return compare(models, sentences, seed=seed, resamples=resamples)

    # How a text goes on ---------------------------------------------------------------------------

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
        seed: int = 0,
        allow_unk: bool = False,
        on_text: Callable[[str], None] | None = None,
    ) -> list[Sample]:
        """Draw texts at random.

        prompt (str, ""): how each begins.
        num_samples (int, 1): how many.
        max_tokens (int, 1000): where a text is cut off.
        lines (int, 1): lines after whose end (<EOS>) a text is done.
        temperature (float, 1.0): below 1 the probable becomes more so; 0 takes the most probable.
        top_k (int, 0): draw only from the k most probable tokens; 0: from all.
        top_p (float, 1.0): draw only from the most probable tokens that together have mass p.
        seed (int, 0): the same seed gives the same texts.
        allow_unk (bool, False): let <UNK> be drawn.
        on_text (function, None): of a single text, called with each piece as soon as it is sure.
        """
        return sample(
            self.causal,
            self.tokenizer,
            prompt=prompt,
            num_samples=num_samples,
            max_tokens=max_tokens,
            lines=lines,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            seed=seed,
            allow_unk=allow_unk,
            on_text=on_text,
        )

    def complete(
        self,
        prompt: str,
        *,
        num: int = 3,
        beam: int = 8,
        length_penalty: float = 0.0,
        max_tokens: int = 200,
        allow_unk: bool = False,
    ) -> list[Completion]:
        """The most probable endings of the sentence that `prompt` begins, best first.

        num (int, 3): how many.
        beam (int, 8): unfinished endings kept at each step.
        length_penalty (float, 0.0): α of 0 to 4: rank by log P / tokens^α; 0: by log P alone.
        max_tokens (int, 200): where an ending is cut off.
        allow_unk (bool, False): let <UNK> stand in an ending.
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
            allow_unk=allow_unk,
        )

    def next_tokens(self, prompt: str = "", *, top_k: int = 15) -> NextTokens:
        """The most probable next tokens after `prompt`, and the entropy of all of them, bits.

        top_k (int, 15): how many tokens.

        >>> tokens, entropy = model.next_tokens("The apple and", top_k=5)
        >>> tokens[0].token
        'pear'
        """
        from .tasks.next_tokens import next_tokens

        return next_tokens(self.causal, self.tokenizer, prompt, top_k=top_k)

    def fill(self, text: str, *, top_k: int = 5, left_only: bool = False) -> list[Filled]:
        """The most probable ways to fill the blanks (_) of a line, best first.

        A blank is a character (character models), a run of them a word or a part of it (words).

        top_k (int, 5): how many ways.
        left_only (bool, False): judge by what stands before the blanks only.
        """
        from .tasks.fill import fill

        return fill(self.lm, self.tokenizer, text, top_k=top_k, left_only=left_only)

    # Which of several sentences -------------------------------------------------------------------

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
        """Judge minimal pairs: is the good sentence more probable than the bad one?

        pairs: (good, bad) or (good, bad, phenomenon) each, or files of them: tab-separated, or JSON
        lines with sentence_good and sentence_bad (BLiMP).
        region (bool, False): score only where the two sentences differ.
        norm (str, "none"): divide log P by the length in "token"s or "char"acters.
        by (str, None): the column of files to group by; else linguistics_term, phenomenon or UID.
        encoding (str, "utf-8"): of files.
        errors (str, "strict"): what is done about bytes that are not so encoded.

        >>> model.pairs([("The cat was full.", "The cat were full.")]).accuracy
        1.0
        """
        from .tasks.pairs import gather, judge

        level = self.tokenizer.level
        given = gather(pairs, by, encoding=encoding, errors=errors, level=level)
        return judge(self.causal, self.tokenizer, given, region=region, norm=norm)

    def rescore(
        self,
        utterances: str | Path | Sequence[Utterance],
        references: str | Path | Mapping[str, str] | None = None,
        *,
        alpha: float | None = None,
        beta: float | None = None,
        tune: bool = False,
        metric: str = "wer",
        scores: str | Path | None = None,
        lm_scores: str | Path | None = None,
        acoustic_scale: float = 1.0,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> Rescored:
        """Rerank n-best lists by first pass + α · (log P − old LM) + β · words, all in nats.

        utterances: lists, or a file of them: tab-separated (utterance, hypothesis, score, perhaps
        old_lm_score), JSON lines or, with `scores`, Kaldi's text.
        references (path or mapping, None): what was really said, by utterance: for error rates.
        alpha (float, 1): weight of the language model.
        beta (float, 0): nats for each word.
        tune (bool, False): find alpha and beta instead, those with the fewest errors.
        metric (str, "wer"): count errors by words, or ("cer") by characters.
        scores, lm_scores (paths, None): Kaldi's costs of the first pass and of the old LM.
        acoustic_scale (float, 1.0): of the costs of the first pass.
        encoding (str, "utf-8"): of files.
        errors (str, "strict"): what is done about bytes that are not so encoded.
        """
        from .tasks.nbest import read_files, read_reference_file
        from .tasks.rescore import rescore

        how = {"encoding": encoding, "errors": errors, "level": self.tokenizer.level}
        if isinstance(utterances, str | Path):
            utterances = read_files(
                utterances, scores, lm_scores, acoustic_scale=acoustic_scale, **how
            )
        if isinstance(references, str | Path):
            references = read_reference_file(references, **how)
        return rescore(
            self.causal,
            self.tokenizer,
            utterances,
            references,
            alpha=alpha,
            beta=beta,
            tune=tune,
            metric=metric,
        )


def load(path: str | Path | None = None, *, device: str | None = None) -> Model:
    """Load a model.

    path: a run directory, a model file or an ARPA file; None: $CHARLM_MODEL, else runs/latest.
    device: None: NumPy, which starts sooner; "auto", "cpu" or "cuda": score in bulk with torch.

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
    encoding: str = "utf-8",
    errors: str = "strict",
) -> Classified:
    """Say of each text which model finds it most probable: language, author, sense or nonsense.

    models: by label, two or more: models, or what `load` takes.
    priors (mapping, None): P(label) beforehand; labels not named share what is left of 1 equally.
    calibrate (path or sequence, ()): (label, text) each, or a file of them with a tab between. Fits
    the temperature by which log-likelihoods are divided, so that probabilities can be relied on.
    truth (sequence of str, None): the true label of every text, for the accuracy.
    encoding (str, "utf-8"): of the file.
    errors (str, "strict"): what is done about bytes that are not so encoded.

    Raises CharlmError for fewer than two models, priors that are no probabilities, and labels that
    are no model's.
    """
    from .tasks.classify import classify, read_labelled_file

    opened = {k: one if isinstance(one, Model) else load(one) for k, one in models.items()}
    if isinstance(calibrate, str | Path):
        calibrate = read_labelled_file(calibrate, list(models), encoding=encoding, errors=errors)
    return classify(
        {label: (one.lm, one.tokenizer) for label, one in opened.items()},
        texts,
        priors=priors,
        calibrate=calibrate,
        truth=truth,
    )
