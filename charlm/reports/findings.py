"""Collect what a report shows: a finished run in numbers and texts."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias, TypeVar

import numpy as np

from ..config import NetworkConfig, TrainConfig
from ..errors import CharlmError
from ..lm import Ids, LanguageModel, causal
from ..models import model_file, model_parts
from ..models.model_file import ModelFile
from ..network.device import one_thread
from ..network.network import Network
from ..runs.baseline import count_ngrams
from ..runs.events import Baseline, Events
from ..runs.run_directory import RunDirectory
from ..runs.run_record import RunRecord
from ..runs.run_text import RunText, reopen
from ..system import machine
from ..tasks.draw import Drawing, draw
from ..tasks.sample import preview
from ..tasks.score import SentenceScore, score
from ..text.tokenizer import Tokenizer

SURPRISAL_LINES, SURPRISAL_CHARS = 40, 3_000  # of the validation text, in colour
SEARCHED_LINES, SEARCHED_CHARS = 2_000, 200_000  # of it, searched for surprising lines
SEARCH_FLOPS = 4e10  # spent on the search: about three seconds of NumPy, one token at a time
SURPRISING_SHOWN = 10  # lines shown
MIN_LINE_CHARS = 20  # characters: shorter lines surprise by chance (unless most lines are as short)
GRADIENT_TOKENS = 64  # over which the gradient is followed back
GRADIENT_TEXTS = 16  # over which it is averaged

INCOMPARABLE = (
    "it predicts a token from those before it, but this model from all others, so their numbers "
    "cannot be compared"
)

Part = TypeVar("Part")
Found: TypeAlias = Part | str  # a part of a report, or a sentence saying why it is missing


@dataclass(frozen=True)
class TrainingSample:
    """What the network wrote at a step of its training."""

    step: int
    text: str


@dataclass(frozen=True)
class SurprisingLines:
    """The lines of the validation text that the model found least probable."""

    read: int  # lines of the text, from its first, that were searched
    min_chars: int  # minimum length of a line, characters
    lines: list[tuple[int, SentenceScore]]  # number from 1; by decreasing bits per character

    def as_dict(self) -> list[dict[str, Any]]:
        return [{"line": number, **one.as_dict()} for number, one in self.lines]


@dataclass(frozen=True)
class Findings:
    """All that a report shows."""

    run: Path
    settings: Mapping[str, Any]  # config.toml
    about: dict[str, Any]  # of the model file, see `model_file.describe`
    rows: list[dict[str, Any]]  # metrics.jsonl
    written: list[TrainingSample]
    heat: Found[list[SentenceScore]]  # the first lines of the validation text, with tokens
    drawing: Found[Drawing]  # the network while it reads the first of them
    surprising: Found[SurprisingLines]
    baseline: Found[Baseline]
    gradient: Found[list[float]]  # norm at 0, 1, 2, … tokens before the loss
    machine: dict[str, Any]
    trained_here: bool  # False: only the machine that makes the report is known

    @property
    def best(self) -> dict[str, Any]:
        """The measures of the model on the validation text."""
        best: dict[str, Any] = self.about["training"].get("best") or {}
        return best

    @property
    def pseudo(self) -> bool:
        """Whether all numbers are of a bidirectional model."""
        return is_bidirectional(self.about)

    @property
    def steps(self) -> int:
        """Optimiser steps done."""
        return max((row["step"] for row in self.rows), default=0)

    @property
    def seconds(self) -> float:
        """Of training, validations included."""
        return max((row["seconds"] for row in self.rows), default=0.0)

    @property
    def tokens_per_second(self) -> float:
        """Over the whole run; NaN if unknown."""
        training = self.settings["training"]
        tokens: int = self.steps * training["batch_size"] * training["bptt"]
        return tokens / self.seconds if self.seconds else math.nan

    def as_dict(self) -> dict[str, Any]:
        """The numbers of the report, for JSON; null for what is missing."""
        return {
            "run": str(self.run),
            "model": {k: v for k, v in self.about.items() if k not in ("training", "config")},
            "best": self.best,
            "best_step": self.about["training"].get("step"),
            **({"pseudo": True} if self.pseudo else {}),
            "network": self.about["training"].get("network"),
            "ngram": _or_none(self.baseline, Baseline.as_dict),
            "steps": self.steps,
            "seconds": self.seconds,
            "tokens_per_second": self.tokens_per_second,
            "samples": [asdict(one) for one in self.written],
            "surprising": _or_none(self.surprising, SurprisingLines.as_dict),
            "gradient": _or_none(self.gradient, list),
            "machine": self.machine,
            "trained_here": self.trained_here,
        }


def collect(directory: RunDirectory, events: Events) -> Findings:
    """Read a run and measure its model on the validation text.

    `events` is called with the fraction done of the stage "report", and with a warning if the text
    is missing or has changed: the parts that need it are then left out. Raises CharlmError if there
    is no run or no model yet, or if a file is damaged.
    """
    settings, rows = directory.read_config(), directory.read_metrics(sys.maxsize)
    contents = model_file.read(directory.model)
    lm, tokenizer = model_file.build(contents), contents.tokenizer
    events.stage("report", 0.1)
    text = _attempt(lambda: _text(directory, settings, contents))
    if isinstance(text, str):
        events.warn(f"{text} (the report omits what needs the text)")
    heat = _with(text, lambda t: surprisal_lines(lm, tokenizer, t.validation()))
    drawing = _with(text, lambda t: first_line_drawn(lm, tokenizer, t.validation()))
    events.stage("report", 0.2)
    surprising = _with(text, lambda t: surprising_lines(lm, tokenizer, t.validation(), contents))
    events.stage("report", 0.5)
    about = model_file.describe(directory.model, contents)
    baseline: Found[Baseline] = INCOMPARABLE
    if not is_bidirectional(about):
        baseline = _with(text, lambda t: count_ngrams(t.corpus, _valid_tokens(settings)))
    events.stage("report", 0.8)
    gradient = _with(text, lambda t: gradients(contents, t.corpus.valid))
    events.stage("report", 0.9)
    return Findings(
        run=directory.path,
        settings=settings,
        about=about,
        rows=rows,
        written=_written(rows, lm, contents, settings),
        heat=heat,
        drawing=drawing,
        surprising=surprising,
        baseline=baseline,
        gradient=gradient,
        machine=dict(settings.get("machine") or machine.facts()),
        trained_here="machine" in settings,
    )


def is_bidirectional(about: Mapping[str, Any]) -> bool:
    """Whether `model_file.describe` is of a bidirectional model."""
    return about["family"] == "recurrent" and bool(about["config"].get("bidirectional"))


def surprisal_lines(
    lm: LanguageModel, tokenizer: Tokenizer, chunks: Iterable[str]
) -> list[SentenceScore]:
    """The first lines of a text, token by token, in context."""
    lines, truncated = beginning(chunks, SURPRISAL_CHARS)
    context = _context(lm)
    return score(
        lm, tokenizer, lines[:SURPRISAL_LINES], context=context, tokens=True, eos=not truncated
    )


def first_line_drawn(lm: LanguageModel, tokenizer: Tokenizer, chunks: Iterable[str]) -> Drawing:
    """The network while it reads the first line that is not empty."""
    lines, _ = beginning(chunks, SURPRISAL_CHARS)
    return draw(lm, tokenizer, next((line for line in lines if line), ""))


def _context(lm: LanguageModel) -> str:
    """The context of scored lines: each on its own if the model is bidirectional."""
    return "sentence" if lm.pseudo else "stream"


def surprising_lines(
    lm: LanguageModel, tokenizer: Tokenizer, chunks: Iterable[str], contents: ModelFile
) -> SurprisingLines:
    """The lines with the most bits per character in the first part of a text.

    Raises CharlmError if the text is not split into lines.
    """
    lines, truncated = beginning(chunks, SEARCHED_CHARS)
    if truncated or len(lines) < 2:
        raise CharlmError("the validation text is one long line")
    lines = lines[:SEARCHED_LINES]
    weights = sum(tensor.size for tensor in model_parts.part(contents, 0).tensors.values())
    max_tokens = int(SEARCH_FLOPS / (2 * weights))
    ends = np.cumsum([len(tokenizer.encode(line)) + 1 for line in lines])
    lines = lines[: max(2, int(np.searchsorted(ends, max_tokens, side="right")))]
    min_chars = max(1, math.ceil(min(MIN_LINE_CHARS, median(len(line) for line in lines))))
    scored = enumerate(score(lm, tokenizer, lines, context=_context(lm)), 1)
    long = [(number, one) for number, one in scored if len(one.text) >= min_chars]
    long.sort(key=lambda item: -item[1].measures.bits_per_char)
    return SurprisingLines(len(lines), min_chars, long[:SURPRISING_SHOWN])


def beginning(chunks: Iterable[str], max_chars: int) -> tuple[list[str], bool]:
    """The complete lines in the first `max_chars` characters of a text, and False.

    If the first line is longer: its beginning, up to a space, and True.
    """
    text = ""
    for chunk in chunks:
        text += chunk
        if len(text) > max_chars:
            end = text.rfind("\n", 0, max_chars)
            if end >= 0:
                text = text[:end]
                break
            space = text.rfind(" ", 1, max_chars)
            return [text[: space if space > 0 else max_chars]], True
    return text.removesuffix("\n").split("\n"), False


def _valid_tokens(settings: RunRecord) -> int:
    """The number of validation tokens that the run was measured on, at most."""
    return TrainConfig.from_dict(settings["training"]).valid_tokens


def gradients(contents: ModelFile, ids: Ids) -> list[float]:
    """‖∂L/∂s‖ by tokens before the loss, over texts spread evenly over `ids`; see `lab.gradients`.

    Raises CharlmError for models other than recurrent networks, for bidirectional ones, and for a
    text that is too short.
    """
    from ..lab.gradients import flow

    network = model_parts.part(contents, 0)
    if network.family != "recurrent":
        raise CharlmError(f"a model of the family {network.family} has no gradient")
    config = NetworkConfig.from_dict(network.config)
    if config.bidirectional:
        raise CharlmError(
            "the network is bidirectional, and the gradient is followed only if tokens are "
            "predicted from those before them"
        )
    T = min(GRADIENT_TOKENS, len(ids) - 1)
    if T < 2:
        raise CharlmError("the validation text is too short to follow a gradient")
    starts_B = np.linspace(0, len(ids) - T - 1, GRADIENT_TEXTS).astype(np.int64)
    ids_TB = np.asarray(ids)[starts_B + np.arange(T + 1)[:, None]]
    with one_thread():
        norms = flow(Network.of(config, network.tensors), ids_TB, eos=contents.tokenizer.eos)
    return [float(norm) for norm in norms]


def _text(directory: RunDirectory, settings: RunRecord, contents: ModelFile) -> RunText:
    text = reopen(directory, settings)
    before = contents.training.get("valid")
    if before is not None and before != asdict(text.corpus.valid_text):
        raise CharlmError("the validation text has changed since the run started")
    return text


def _written(
    rows: Sequence[Mapping[str, Any]],
    lm: LanguageModel,
    contents: ModelFile,
    settings: RunRecord,
) -> list[TrainingSample]:
    """The samples in the metrics, and one of the kept model; none if it is bidirectional."""
    if lm.pseudo:
        return []
    written = [TrainingSample(row["step"], str(row["sample"])) for row in rows if "sample" in row]
    step = contents.training.get("step", 0)
    if all(one.step != step for one in written):
        seed = TrainConfig.from_dict(settings["training"]).seed
        written.append(TrainingSample(step, preview(causal(lm), contents.tokenizer, seed)))
    return sorted(written, key=lambda one: one.step)


def _attempt(what: Callable[[], Part]) -> Found[Part]:
    try:
        return what()
    except CharlmError as error:
        return str(error)


def _with(text: Found[RunText], what: Callable[[RunText], Part]) -> Found[Part]:
    """The result of `what`; or why there is no text, or why it failed."""
    return text if isinstance(text, str) else _attempt(lambda: what(text))


def _or_none(part: Found[Part], value: Callable[[Part], Any]) -> Any:
    return None if isinstance(part, str) else value(part)
