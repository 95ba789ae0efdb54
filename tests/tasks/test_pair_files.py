"""Minimal pairs are read from files of several kinds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from charlm.errors import CharlmError
from charlm.tasks.pair_files import PairSource, collect, read
from charlm.tasks.pairs import Pair


def test_reading() -> None:
    blimp = {"sentence_good": "a b", "sentence_bad": "b a", "UID": "order_1", "field": "syntax"}
    lines = ["good one\tbad one\tkind", "", json.dumps(blimp), "x\ty"]
    assert read(lines, "f") == [
        Pair("good one", "bad one", "kind"),
        Pair("a b", "b a", "order_1"),
        Pair("x", "y", ""),
    ]
    assert read([json.dumps(blimp)], "f", by="field")[0].phenomenon == "syntax"
    named = ["phenomenon\tbad\tgood", "p\tb\tg"]
    assert read(named, "f") == [Pair("g", "b", "p")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("alone", "line 2: expected two sentences"),
        ("{broken", "line 2: not valid JSON"),
        ('{"sentence_good": "a"}', "line 2: sentence_bad"),
        ('{"sentence_good": 1, "sentence_bad": "b"}', "line 2: sentence_good"),
        ("a\t ", "line 2: sentence_bad"),
    ],
)
def test_lines_that_are_wrong(line: str, message: str) -> None:
    with pytest.raises(CharlmError, match=message):
        read(["a\tb", line], "f")


def test_no_pairs_at_all() -> None:
    with pytest.raises(CharlmError, match="no pairs"):
        read(["", " "], "f")


def test_pairs_are_given_in_many_ways(tmp_path: Path) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text("a\tb\tkind\n")
    from_file, plain = Pair("a", "b", "kind"), Pair("c", "d")
    assert collect(str(file)) == collect([file]) == [from_file]
    given: list[PairSource] = [file, ("c", "d"), plain, ("e", "f", "order")]
    assert collect(given) == [from_file, plain, plain, Pair("e", "f", "order")]
    with pytest.raises(CharlmError, match="no pairs"):
        collect([])


def test_directories_give_their_files_of_pairs(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no pairs here\n")
    with pytest.raises(CharlmError, match="has no file of pairs"):
        collect([tmp_path])
    (tmp_path / "b.tsv").write_text("c\td\n")
    (tmp_path / "a.jsonl").write_text('{"sentence_good": "a", "sentence_bad": "b", "pairID": 7}\n')
    assert collect([tmp_path]) == [Pair("a", "b", id="7"), Pair("c", "d")]


def test_words_in_a_blank_or_at_a_position() -> None:
    lines = [
        "sentence\tcorrect\twrong\tposition\tid",
        "The keys ___ here\tare\tis\t\tk1",
        "The keys are here\tare\tis\t2\tk2",
        "___ it\tIs\tAre\t\t",
    ]
    assert read(lines, "f") == [
        Pair("The keys are", "The keys is", id="k1", shared=9),
        Pair("The keys are", "The keys is", id="k2", shared=9),
        Pair("Is", "Are", shared=0),
    ]
    row = {"sentence": "a ____ b", "correct": "x", "wrong": "y", "UID": "u"}
    assert read([json.dumps(row)], "f") == [Pair("a x", "a y", "u", shared=2)]


def test_sentences_in_a_file_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "agr.gold").write_text("2\tare\tis\t1\n1\tsleeps\tsleep\t0\n")
    (tmp_path / "agr.text").write_text("the keys are here\nshe sleeps\n")
    found = collect(tmp_path / "agr.gold", text=tmp_path / "agr.text")
    assert found == [
        Pair("the keys are", "the keys is", "1", shared=9),
        Pair("she sleeps", "she sleep", "0", shared=4),
    ]
    (tmp_path / "short.text").write_text("the keys are here\n")
    with pytest.raises(CharlmError, match="line 2: the text has only 1 sentences"):
        collect(tmp_path / "agr.gold", text=tmp_path / "short.text")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("the keys\tare\tis\t2", "the sentence of 2 words has no word at position 2"),
        ("the keys\tare\tis\t-1", "has no word at position -1"),
        ("the keys\tare\tis\t1", "the word at position 1 is 'keys', neither 'are' nor 'is'"),
        ("the keys\tare\tis\t", "where do the words belong"),
        ("the ___\tare\t\t", "wrong is missing or empty"),
    ],
)
def test_places_that_are_wrong(line: str, message: str) -> None:
    with pytest.raises(CharlmError, match=message):
        read(["sentence\tcorrect\twrong\tposition", line], "f")
