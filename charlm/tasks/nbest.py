"""N-best lists as recognisers write them: tab-separated, JSON lines, or Kaldi's text and scores.

An utterance's hypotheses stay in the order given: the first pass put them so.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from ..config import require
from ..errors import CharlmError
from ..text.source import open_lines

MAX_ERRORS_SHOWN = 5  # wrong lines named in a message


@dataclass(frozen=True)
class Hypothesis:
    """One guess at what was said."""

    text: str
    score: float  # of the first pass, higher is better
    old_lm: float | None = None  # the part of it that an old language model gave, if known


@dataclass(frozen=True)
class Utterance:
    """What was said, as one name and several guesses."""

    id: str
    hypotheses: tuple[Hypothesis, ...]


@dataclass
class _Collector:
    """Hypotheses by utterance, and what was wrong with which lines."""

    name: str
    found: dict[str, list[Hypothesis]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def add(self, number: int, id: str, text: object, score: object, old: object) -> None:
        if not id:
            self.refuse(number, "the utterance has no name")
        elif not isinstance(text, str) or "\n" in text:
            self.refuse(number, "the hypothesis is not a line of text")
        else:
            try:
                known = None if old is None or old == "" else _number(old)
                self.found.setdefault(id, []).append(
                    Hypothesis(_plain(text), _number(score), known)
                )
            except ValueError as error:
                self.refuse(number, str(error))

    def refuse(self, number: int, what: str) -> None:
        self.wrong.append(f"line {number}: {what}")

    def result(self) -> list[Utterance]:
        """Raises CharlmError if any line was wrong, or there is none, or old scores are in part."""
        if self.wrong:
            more = len(self.wrong) - MAX_ERRORS_SHOWN
            tail = f"; and {more} more" if more > 0 else ""
            raise CharlmError(f"{self.name}: {'; '.join(self.wrong[:MAX_ERRORS_SHOWN])}{tail}")
        if not self.found:
            raise CharlmError(f"{self.name} holds no hypotheses")
        known = {h.old_lm is not None for group in self.found.values() for h in group}
        if len(known) > 1:
            raise CharlmError(
                f"{self.name}: some hypotheses have an old LM score and some have not"
            )
        return [Utterance(id, tuple(group)) for id, group in self.found.items()]


def _plain(text: str) -> str:
    """A hypothesis without what an n-best list could not hold: tabs and the like are blanks."""
    return _CONTROLS.sub(" ", text).strip()


_CONTROLS = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")


def _number(value: object) -> float:
    """Raises ValueError for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("the score is missing")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise ValueError(f"the score {str(value)[:20]!r} is no number") from None
    if not math.isfinite(number):
        raise ValueError(f"the score {value} is not finite")
    return number


def read(lines: Iterable[str], name: str) -> list[Utterance]:
    """Tab-separated `utterance hypothesis score [old_lm_score]`, or JSON lines.

    A first line that names these columns may order them otherwise. A JSON object is one hypothesis
    under those names, or {"utterance": …, "hypotheses": [{"text": …, "score": …}, …]}.
    Raises CharlmError naming the lines that are wrong.
    """
    into = _Collector(name)
    columns = ["utterance", "hypothesis", "score", "old_lm_score"]
    begun = False
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if line.lstrip().startswith("{"):
            _json(into, number, line)
            continue
        cells = line.rstrip("\r\n").split("\t")
        heads = [cell.strip().lower() for cell in cells]
        if not begun and {"utterance", "hypothesis", "score"} <= set(heads):
            columns, begun = heads, True
            continue
        begun = True
        if len(cells) < 3:
            into.refuse(
                number, "utterance, hypothesis and score with tabs between should stand here"
            )
            continue
        row = dict(zip(columns, cells, strict=False))
        into.add(
            number,
            row.get("utterance", "").strip(),
            row.get("hypothesis"),
            row.get("score"),
            row.get("old_lm_score"),
        )
    return into.result()


def _json(into: _Collector, number: int, line: str) -> None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        into.refuse(number, "no sound JSON")
        return
    if not isinstance(row, dict) or not isinstance(row.get("utterance"), str | int):
        into.refuse(number, "the object has no utterance")
        return
    group = row.get("hypotheses", [row])
    if not isinstance(group, list) or not all(isinstance(one, dict) for one in group) or not group:
        into.refuse(number, "hypotheses should be a list of objects, one at least")
        return
    for one in group:
        text = one.get("text", one.get("hypothesis"))
        into.add(number, str(row["utterance"]), text, one.get("score"), one.get("old_lm_score"))


def read_kaldi(
    texts: Iterable[str],
    costs: Iterable[str],
    lm_costs: Iterable[str] | None,
    names: Sequence[str],
    acoustic_scale: float = 1.0,
) -> list[Utterance]:
    """Kaldi's archives as text: `utterance-N words…`, and files of `utterance-N cost`.

    Costs are negative log-probabilities; the first pass is minus their sum, the first of them
    times `acoustic_scale`. `names`: of the files.
    Raises CharlmError naming the lines that are wrong.
    """
    into = _Collector(names[0])
    acoustic, old = _costs(costs, names[1]), None
    if lm_costs is not None:
        old = _costs(lm_costs, names[2])
    for number, line in enumerate(texts, 1):
        if not line.strip():
            continue
        key, *rest = line.split(None, 1)
        id, dash, rank = key.rpartition("-")
        if not dash or not rank.isdigit():
            into.refuse(number, f"{key!r} should be an utterance, a dash and a number")
        elif key not in acoustic or (old is not None and key not in old):
            into.refuse(number, f"{key!r} has no score")
        else:
            own = None if old is None else -old[key]
            first = -acoustic_scale * acoustic[key] + (own or 0.0)
            into.add(number, id, rest[0] if rest else "", first, own)
    return into.result()


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

    "-" is standard input. level: of the tokenizer that is to read the hypotheses. Raises
    CharlmError as those do, and for settings that go with Kaldi's files only.
    """
    require(scores is not None or lm_scores is None, "lm_scores goes with scores")
    require(scores is not None or acoustic_scale == 1, "acoustic_scale goes with scores")
    require(
        math.isfinite(acoustic_scale), f"acoustic_scale must be a finite number: {acoustic_scale}"
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
            reason = (
                str(error) if "score" in str(error) else "a name and a number should stand here"
            )
            raise CharlmError(f"{name}, line {number}: {reason}") from None
    return found


def read_references(lines: Iterable[str], name: str) -> dict[str, str]:
    """What was really said: `utterance words…` a line, after a tab or a blank.

    Raises CharlmError for an utterance that stands twice and for a file without any.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        id, text = (line.split("\t", 1) if "\t" in line else [*line.split(None, 1), ""])[:2]
        if id.strip() in found:
            raise CharlmError(
                f"{name}, line {number}: {id.strip()} stands here for the second time"
            )
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
