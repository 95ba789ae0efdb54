"""Read n-best lists from recognisers: tab-separated, JSON lines, or Kaldi's text and scores.

An utterance's hypotheses stay in the order given, that of the first pass.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import CharlmError, require
from ..text.source import open_lines

TRN = re.compile(r"(.*)\(([^()\s]+)\)\s*")  # a line of sclite's


@dataclass(frozen=True)
class Hypothesis:
    """A recognition hypothesis."""

    text: str
    score: float  # of the first pass, higher is better
    old_lm: float | None = None  # the part of it due to an old language model, if known
    key: str = ""  # its name in Kaldi's files


@dataclass(frozen=True)
class Utterance:
    """An utterance's name and its hypotheses."""

    id: str
    hypotheses: tuple[Hypothesis, ...]


@dataclass
class _Collector:
    """Hypotheses by utterance, and what is wrong."""

    name: str
    found: dict[str, list[Hypothesis]] = field(default_factory=dict)
    errors: list[tuple[int, str]] = field(default_factory=list)  # line, what is wrong
    keys: set[str] = field(default_factory=set)  # of Kaldi's lines

    def add(
        self, number: int, id: str, text: object, score: object, old: object, key: str = ""
    ) -> None:
        if not id:
            self.reject(number, "the utterance has no name")
        elif not isinstance(text, str) or "\n" in text:
            self.reject(number, "the hypothesis is not a line of text")
        else:
            try:
                known = None if old is None or old == "" else _number(old)
                self.found.setdefault(id, []).append(
                    Hypothesis(_plain(text), _number(score), known, key)
                )
            except ValueError as error:
                self.reject(number, str(error))

    def reject(self, number: int, what: str) -> None:
        self.errors.append((number, what))

    def result(self) -> list[Utterance]:
        """Raises CharlmError for invalid lines, for none, and if only some have old scores."""
        if self.errors:
            number, what = self.errors[0]
            more = len(self.errors) - 1
            tail = f" (and {more:,} other line{'' if more == 1 else 's'})" if more else ""
            raise CharlmError(f"{self.name}, line {number}: {what}{tail}")
        if not self.found:
            raise CharlmError(f"{self.name} holds no hypotheses")
        known = {h.old_lm is not None for group in self.found.values() for h in group}
        if len(known) > 1:
            raise CharlmError(f"{self.name}: some hypotheses have an old LM score and some do not")
        return [Utterance(id, tuple(group)) for id, group in self.found.items()]


def _plain(text: str) -> str:
    """A hypothesis with control characters, which n-best lists cannot hold, made spaces."""
    return _CONTROLS.sub(" ", text).strip()


_CONTROLS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")


def _number(value: object) -> float:
    """Raises ValueError for anything but a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("the score is missing")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"the score {str(value)[:20]!r} is not a number") from None
    if not math.isfinite(number):
        raise ValueError(f"the score {value} is not finite")
    return number


def read(lines: Iterable[str], name: str) -> list[Utterance]:
    """Tab-separated `utterance hypothesis score [old_lm_score]`, or JSON lines.

    A header line with these names may change the order of the columns. A JSON object is one
    hypothesis with these keys, or {"utterance": …, "hypotheses": [{"text": …, "score": …}, …]}.
    Raises CharlmError naming the invalid lines.
    """
    collector = _Collector(name)
    columns = ["utterance", "hypothesis", "score", "old_lm_score"]
    past_header = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if line.lstrip().startswith("{"):
            _json(collector, number, line)
            continue
        cells = line.rstrip("\r\n").split("\t")
        heads = [cell.strip().lower() for cell in cells]
        if not past_header and {"utterance", "hypothesis", "score"} <= set(heads):
            columns, past_header = heads, True
            continue
        past_header = True
        if len(cells) < 3:
            kaldi = re.match(r"\S+-\d+( |$)", line) is not None
            hint = " (Kaldi's text needs `scores`)" if kaldi else ""
            what = f"expected utterance, hypothesis and score, separated by tabs{hint}"
            collector.reject(number, what)
            continue
        row = dict(zip(columns, cells, strict=False))
        collector.add(
            number,
            row.get("utterance", "").strip(),
            row.get("hypothesis"),
            row.get("score"),
            row.get("old_lm_score"),
        )
    return collector.result()


def _json(collector: _Collector, number: int, line: str) -> None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        collector.reject(number, "not valid JSON")
        return
    if not isinstance(row, dict) or not isinstance(row.get("utterance"), str | int):
        collector.reject(number, "the object has no utterance")
        return
    group = row.get("hypotheses", [row])
    if not isinstance(group, list) or not all(isinstance(one, dict) for one in group) or not group:
        collector.reject(number, "hypotheses should be a non-empty list of objects")
        return
    for one in group:
        text = one.get("text", one.get("hypothesis"))
        collector.add(
            number, str(row["utterance"]), text, one.get("score"), one.get("old_lm_score")
        )


def read_kaldi(
    texts: Iterable[str],
    costs: Iterable[str],
    lm_costs: Iterable[str] | None,
    names: Sequence[str],
    acoustic_scale: float = 1.0,
) -> list[Utterance]:
    """Kaldi's text archives: `utterance-N words…`, and files of `utterance-N cost`.

    Costs are negative log-probabilities; the first-pass score is minus their sum, `costs`
    multiplied by `acoustic_scale`. `names`: of the files. Raises CharlmError naming the invalid
    lines.
    """
    collector = _Collector(names[0])
    acoustic, old = _costs(costs, names[1]), None
    if lm_costs is not None:
        old = _costs(lm_costs, names[2])
    for number, line in enumerate(texts, 1):
        if not line.strip():
            continue
        key, *rest = line.split(None, 1)
        id, dash, rank = key.rpartition("-")
        if not dash or not rank.isdigit():
            collector.reject(number, f"{key!r} should be an utterance, a hyphen and a number")
        elif key in collector.keys:
            collector.reject(number, f"{key!r} appears for the second time")
        elif key not in acoustic or (old is not None and key not in old):
            collector.reject(number, f"{key!r} has no score")
        else:
            collector.keys.add(key)
            old_score = None if old is None else -old[key]
            first = -acoustic_scale * acoustic[key] + (old_score or 0.0)
            collector.add(number, id, rest[0] if rest else "", first, old_score, key)
    return collector.result()


def read_files(
    nbest: str | Path,
    scores: str | Path | None = None,
    lm_scores: str | Path | None = None,
    *,
    acoustic_scale: float = 1.0,
    encoding: str = "utf-8",
    errors: str = "strict",
    level: str = "char",
) -> list[Utterance]:
    """The n-best list of a file (see `read`), or of Kaldi's files (see `read_kaldi`).

    "-" is standard input. level: of the tokenizer that will encode the hypotheses. Raises
    CharlmError as those do, and for settings that apply to Kaldi's files only.
    """
    require(scores is not None or lm_scores is None, "`lm_scores` needs `scores`")
    require(scores is not None or acoustic_scale == 1, "`acoustic_scale` needs `scores`")
    require(
        math.isfinite(acoustic_scale), f"`acoustic_scale` must be a finite number: {acoustic_scale}"
    )
    with ExitStack() as stack:
        given = [file for file in (nbest, scores, lm_scores) if file is not None]
        opened = [stack.enter_context(open_lines(f, encoding, errors, level)) for f in given]
        names, lines = [name for name, _ in opened], [lines for _, lines in opened]
        if len(given) == 1:
            return read(lines[0], names[0])
        old = lines[2] if len(given) == 3 else None
        return read_kaldi(lines[0], lines[1], old, names, acoustic_scale)


def _costs(lines: Iterable[str], name: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for number, line in enumerate(lines, 1):
        cells = line.split()
        if not cells:
            continue
        try:
            key, value = cells
            found[key] = _number(value)
        except ValueError as error:
            reason = str(error) if "score" in str(error) else "expected a name and a number"
            raise CharlmError(f"{name}, line {number}: {reason}") from None
    return found


def read_references(lines: Iterable[str], name: str) -> dict[str, str]:
    """Reference transcripts: `utterance words…` on each line, separated by a tab or a space.

    Or, if all lines end so, sclite's `words… (utterance)`.
    Raises CharlmError for a duplicate utterance and for a file without any.
    """
    found: dict[str, str] = {}
    given = list(lines)
    trn = all(TRN.fullmatch(line) for line in given if line.strip())
    for number, line in enumerate(given, 1):
        if not line.strip():
            continue
        if trn and (match := TRN.fullmatch(line)):
            text, id = match.groups()
        else:
            id, text = (line.split("\t", 1) if "\t" in line else [*line.split(None, 1), ""])[:2]
        if id.strip() in found:
            raise CharlmError(f"{name}, line {number}: {id.strip()} appears for the second time")
        found[id.strip()] = text.strip()
    if not found:
        raise CharlmError(f"{name} holds no references")
    return found


def read_reference_file(
    path: str | Path, *, encoding: str = "utf-8", errors: str = "strict", level: str = "char"
) -> dict[str, str]:
    """The references in a file ("-": standard input), see `read_references`."""
    with open_lines(path, encoding, errors, level) as (name, lines):
        return read_references(lines, name)
