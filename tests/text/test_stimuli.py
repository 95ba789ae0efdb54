"""Sentences of files keep their line and what stands beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from charlm.errors import CharlmError
from charlm.text.source import open_text
from charlm.text.stimuli import Stimulus, read_stimuli


def read(path: Path, text: str, column: str | int | None = None) -> list[Stimulus]:
    path.write_text(text, "utf-8")
    return list(read_stimuli(open_text([path], column=column)))


def test_lines_of_text_are_counted_empty_ones_too(tmp_path: Path) -> None:
    found = read(tmp_path / "a.txt", "one\n\nthree\n")
    assert found == [Stimulus("one", 1), Stimulus("", 2), Stimulus("three", 3)]


def test_a_table_has_metadata_and_the_lines_its_rows_begin_on(tmp_path: Path) -> None:
    text = 'item,text,note\n1,the cat,"two\nlines"\n2,"a ""dog"", ran",\n\n3,x\n'
    assert read(tmp_path / "t.csv", text, "text") == [
        Stimulus("the cat", 2, {"item": "1", "note": "two\nlines"}),
        Stimulus('a "dog", ran', 4, {"item": "2", "note": ""}),
        Stimulus("x", 6, {"item": "3", "note": ""}),
    ]


def test_a_cell_of_several_lines_is_several_sentences(tmp_path: Path) -> None:
    found = read(tmp_path / "t.csv", 'text,n\n"one\r\ntwo\n",7\n', "text")
    assert found == [Stimulus("one", 2, {"n": "7"}), Stimulus("two", 2, {"n": "7"})]


def test_columns_without_names_are_numbered(tmp_path: Path) -> None:
    found = read(tmp_path / "t.tsv", "a\tthe cat\t1\nb\tthe dog\t2\n", 2)
    assert found[1] == Stimulus("the dog", 2, {"column_1": "b", "column_3": "2"})


def test_several_files_are_one_text(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(f"text,n\n{name},1\n")
    source = open_text([tmp_path / "a.csv", tmp_path / "b.csv"], column="text")
    assert list(read_stimuli(source)) == [Stimulus("a", 1), Stimulus("b", 2)]


def test_a_row_without_the_column_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CharlmError, match="line 3: there is no column 2, only 1"):
        read(tmp_path / "t.csv", "n,text\n1,a\n2\n", "text")
