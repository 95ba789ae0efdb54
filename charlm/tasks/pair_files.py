"""Minimal pairs from files: tab-separated values, JSON lines (BLiMP), words at a position."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from ..errors import CharlmError
from ..text.find_files import find_files, in_directories
from ..text.records import JSON, TSV, format_of
from ..text.source import open_lines
from .pairs import Pair

# Columns that may name a pair's phenomenon, and the pair.
PHENOMENON_COLUMNS = ("linguistics_term", "phenomenon", "UID", "category", "attractors")
ID_COLUMNS = ("id", "pairID", "pair_id", "item")
BLANK = re.compile("_{2,}")  # where a word is to be chosen
_COLUMNS = {
    "good": "sentence_good",
    "bad": "sentence_bad",
    "sentence_good": "sentence_good",
    "sentence_bad": "sentence_bad",
    "grammatical": "sentence_good",
    "ungrammatical": "sentence_bad",
    **{name: name for name in ("sentence", "correct", "wrong", "position")},
}
_SENTENCES = {"sentence_good", "sentence_bad"}
_WORDS = {"sentence", "correct", "wrong"}

# Anything that `collect` accepts: a pair, (good, bad) or (good, bad, phenomenon), a file of them.
PairSource: TypeAlias = Pair | tuple[str, str] | tuple[str, str, str] | str | Path
Error: TypeAlias = Callable[[str], CharlmError]


def collect(
    sources: str | Path | Iterable[PairSource],
    by: str | None = None,
    *,
    text: str | Path | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
    level: str = "char",
) -> list[Pair]:
    """All pairs in order, those of files included ("-": standard input).

    Of a directory, its files of JSON lines and of tab-separated values. by: see `read`. text: a
    file with the sentences, a line each, of lines that say only position, right word, wrong word.
    level: of the tokenizer that will encode them. Raises CharlmError as `read` does.
    """
    sentences = None
    if text is not None:
        with open_lines(text, encoding, errors, level) as (_, lines):
            sentences = list(lines)
    pairs: list[Pair] = []
    given = [sources] if isinstance(sources, str | Path) else list(sources)
    files = [file for one in given if isinstance(one, str | Path) for file in _files_of(str(one))]
    if text is not None and len(files) != 1:
        raise CharlmError("`text` has the sentences of one file: name one at a time")
    for one in given:
        if isinstance(one, str | Path):
            for file in _files_of(str(one)):
                with open_lines(file, encoding, errors, level) as (name, lines):
                    pairs += read(lines, name, by, sentences)
        else:
            pairs.append(one if isinstance(one, Pair) else Pair(*one))
    if not pairs:
        raise CharlmError("there are no pairs to score")
    return pairs


def _files_of(name: str) -> list[str]:
    """The files that a name stands for; of a directory, those that may hold pairs."""
    others = in_directories([name])
    found = find_files([name])
    kept = [one for one in found if one not in others or format_of(one) in (JSON, TSV)]
    if not kept:
        raise CharlmError(f"{name} has no file of pairs (.jsonl, .tsv)")
    return kept


def read(
    lines: Iterable[str],
    name: str,
    by: str | None = None,
    sentences: Sequence[str] | None = None,
) -> list[Pair]:
    """Pairs from JSON lines or tab-separated values, whose first line may name the columns.

    They have sentence_good and sentence_bad (or good and bad, the columns of a file without names,
    perhaps with the phenomenon); or sentence, correct and wrong, two words of which one belongs in
    the sentence where ___ stands, or at the `position`, counted from 0. With `sentences`, a line
    has the position, the two words, and perhaps the number of attractors (Linzen et al. 2016), and
    belongs to the sentence of the same number.

    by: the column of the phenomenon, else one of PHENOMENON_COLUMNS. Raises CharlmError with the
    number of the first invalid line.
    """
    pairs: list[Pair] = []
    columns: list[str] | None = None
    number = heading = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue

        def error(what: str, number: int = number) -> CharlmError:
            return CharlmError(f"{name}, line {number}: {what}")

        if line.lstrip().startswith("{"):
            row = _json(line, error)
        else:
            cells = [cell.strip() for cell in line.split("\t")]
            if columns is None:
                columns = ["sentence_good", "sentence_bad", "phenomenon"]
                if sentences is not None:
                    columns = ["position", "correct", "wrong", "attractors"]
                heads = [_COLUMNS.get(cell.lower(), cell) for cell in cells]
                if set(heads) >= _SENTENCES or set(heads) >= _WORDS - {"sentence"}:
                    columns, heading = heads, 1
                    continue
                if sentences is None and len(cells) > 2 and cells[0].isdecimal():
                    raise error(
                        "this looks like position, right word and wrong word: name the file of the "
                        "sentences with `text`"
                    )
            if len(cells) < 2:
                raise error("expected two sentences separated by a tab")
            row = dict(zip(columns, cells, strict=False))
        if sentences is not None:
            if number - heading > len(sentences):
                raise error(f"the text has only {len(sentences):,} sentences")
            row["sentence"] = sentences[number - heading - 1]
        pairs.append(_pair(row, by, error))
    if not pairs:
        below = " below its header line" if columns and number == 1 else ""
        raise CharlmError(f"{name} holds no pairs{below}")
    return pairs


def _json(line: str, error: Error) -> dict[str, Any]:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as reason:
        what = reason.msg if isinstance(reason, json.JSONDecodeError) else "nested too deep"
        raise error(f"not valid JSON ({what})") from None
    if not isinstance(row, dict):
        raise error("expected a JSON object")
    return {_COLUMNS.get(str(key), str(key)): value for key, value in row.items()}


def _pair(row: dict[str, Any], by: str | None, error: Error) -> Pair:
    if by is not None and by not in row:
        raise error(f"there is no column {by!r} to group by")
    column = by or next((key for key in PHENOMENON_COLUMNS if row.get(key)), "")
    named = next((key for key in ID_COLUMNS if row.get(key) not in (None, "")), "")
    about = str(row.get(column, "")) if column else "", str(row[named]) if named else ""
    if row.keys() >= _WORDS:
        return _at_a_position(row, about, error)
    if row.keys() >= _WORDS - {"sentence"}:
        raise error("there is no sentence: give it beside the words, or name a file with `text`")
    return Pair(_text(row, "sentence_good", error), _text(row, "sentence_bad", error), *about)


def _text(row: dict[str, Any], key: str, error: Error) -> str:
    text = row.get(key)
    if not isinstance(text, str) or not text.strip():
        raise error(f"{key} is missing or empty")
    if "\n" in text:
        raise error(f"{key} contains a line break")
    return text


def _at_a_position(row: dict[str, Any], about: tuple[str, str], error: Error) -> Pair:
    """Two words after the same beginning of a sentence."""
    sentence, *words = (_text(row, key, error) for key in ("sentence", "correct", "wrong"))
    position = str(row.get("position", "")).strip()
    if position:
        given = sentence.split()
        place = int(position) if position.isdecimal() and len(position) < 10 else -1
        if not 0 <= place < len(given):
            shown = position[:20]
            raise error(f"the sentence of {len(given)} words has no word at position {shown}")
        if given[place] not in words and not BLANK.fullmatch(given[place]):
            listed = " nor ".join(map(repr, words))
            raise error(f"the word at position {place} is {given[place]!r}, neither {listed}")
        before = " ".join(given[:place]) + " " * (place > 0)
    elif len(BLANK.findall(sentence)) > 1:
        raise error("the sentence has several blanks, and only one can be decided at a time")
    elif blank := BLANK.search(sentence):
        before = sentence[: blank.start()]
    else:
        raise error("where do the words belong? Write ___ into the sentence, or give the position")
    return Pair(before + words[0], before + words[1], *about, len(before))
