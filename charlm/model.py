"""A loaded model: what `charlm.load` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack, overload

from . import kenlm
from .lm import CausalLM, LanguageModel, State, causal, sequential
from .measures import Measures
from .models import model_file
from .runs import locate
from .tasks.evaluate import evaluate
from .tasks.fill import Filled, fill
from .tasks.sample import Sample, sample
from .tasks.score import SentenceScore, score
from .text.tokenizer import Tokenizer


class ScoreOptions(TypedDict, total=False):
    """Keywords of `charlm.score.score`, which documents them."""

    eos: bool
    context: str
    tokens: bool
    words: bool


class SampleOptions(TypedDict, total=False):
    """Keywords of `charlm.sample.sample`, which documents them."""

    prompt: str
    num_samples: int
    max_tokens: int
    lines: int
    temperature: float
    top_k: int
    top_p: float
    seed: int
    allow_unk: bool
    on_text: Callable[[str], None] | None


class Model:
    """A language model with its tokenizer, ready for use.

    >>> model = charlm.load("runs/latest")              # doctest: +SKIP
    >>> model.score("the apple and pear salad").logprob  # doctest: +SKIP
    >>> print(model.sample(prompt="The cat")[0].full_text)  # doctest: +SKIP
    """

    def __init__(self, lm: LanguageModel, tokenizer: Tokenizer, info: dict[str, Any]) -> None:
        self.lm = lm
        self.tokenizer = tokenizer
        self.info = info  # what `charlm info --json` prints

    @classmethod
    def load(cls, path: str | Path | None = None) -> Self:
        """Load a model file or run directory; None means $CHARLM_MODEL, else runs/latest.

        Raises CharlmError if there is none, or if it is damaged.
        """
        file = locate.resolve(path)
        contents = model_file.read(file)
        lm = model_file.build(contents)
        return cls(lm, contents.tokenizer, model_file.describe(file, contents))

    @property
    def causal(self) -> CausalLM[State]:
        """The model as one that predicts the next token (the contract of `charlm.lm`).

        Raises CharlmError for a bidirectional model.
        """
        return causal(self.lm)

    @overload
    def score(  # type: ignore[overload-overlap]  # a str is a Sequence[str], but one sentence
        self, text: str, **options: Unpack[ScoreOptions]
    ) -> SentenceScore: ...
    @overload
    def score(
        self, text: Sequence[str], **options: Unpack[ScoreOptions]
    ) -> list[SentenceScore]: ...
    def score(
        self, text: str | Sequence[str], **options: Unpack[ScoreOptions]
    ) -> SentenceScore | list[SentenceScore]:
        """Score a sentence, or several in order; options as of `charlm.score.score`."""
        if isinstance(text, str):
            return score(self.lm, self.tokenizer, [text], **options)[0]
        return score(self.lm, self.tokenizer, text, **options)

    def full_scores(
        self, sentence: str, bos: bool = True, eos: bool = True
    ) -> Iterator[tuple[float, int, bool]]:
        """By word (log10 P, tokens that it was predicted from and itself, OOV), as KenLM gives."""
        return kenlm.full_scores(self.causal, self.tokenizer, sentence, bos=bos, eos=eos)

    def sample(self, **options: Unpack[SampleOptions]) -> list[Sample]:
        """Draw texts; options as of `charlm.sample.sample`."""
        return sample(self.causal, self.tokenizer, **options)

    def fill(self, text: str, *, top_k: int = 5, left_only: bool = False) -> list[Filled]:
        """The best ways to fill the blanks (_) of a line; see `charlm.fill.fill`."""
        return fill(self.lm, self.tokenizer, text, top_k=top_k, left_only=left_only)

    def evaluate(
        self,
        text: str | Iterable[str],
        *,
        context: str = "stream",
        window: int | None = None,
        progress: Callable[[Measures], None] | None = None,
    ) -> Measures:
        """Measure a text, whole or in chunks; see `charlm.evaluate.evaluate`."""
        chunks = [text] if isinstance(text, str) else text
        return evaluate(
            sequential(self.lm),
            self.tokenizer,
            chunks,
            context=context,
            window=window,
            progress=progress,
        )


def load(path: str | Path | None = None) -> Model:
    """`Model.load`: a model file or run directory; None means $CHARLM_MODEL, else runs/latest."""
    return Model.load(path)
