"""Fields of JSON lines and columns of tables give exactly the text that was put into them."""

from __future__ import annotations

import csv
import io
import json
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed import PACK, json_lines, table, write_parquet

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.text import records, unpack
from charlm.text.corpus import prepare
from charlm.text.source import TextSource, open_text

anywhere = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
pieces = st.text(st.sampled_from(list("ab ,;\t\"'\n\r\\té中😀\x0b\x85\u2028\ufeff")), max_size=30)
several = st.lists(pieces, min_size=1, max_size=8)
FORMATS = [".jsonl", ".csv", ".tsv", ".parquet"]


def written(path: Path, data: bytes | str) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def made(directory: Path, suffix: str, texts: list[str], packed: str = "") -> Path:
    path = directory / f"t{suffix}{packed}"
    if suffix == ".parquet":
        return write_parquet(path, texts)
    data = (
        json_lines(texts) if suffix == ".jsonl" else table(texts, "\t" * (suffix == ".tsv") or ",")
    )
    return written(path, PACK[packed](data) if packed else data)


def opened(path: Path, **how: str) -> TextSource:
    usual = {"field": "text"} if ".jsonl" in path.name else {"column": "text"}
    return open_text([path], **{**usual, **how})  # type: ignore[arg-type]


def read(path: Path, **how: str) -> str:
    return "".join(opened(path, **how).chunks())


def complaint(path: Path, **how: str) -> str:
    with pytest.raises(CharlmError) as caught:
        list(opened(path, **how).chunks())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def closed(texts: list[str]) -> str:
    return "".join(text if text.endswith("\n") else text + "\n" for text in texts)


@pytest.mark.parametrize("suffix", FORMATS)
@anywhere
@given(texts=several, size=st.integers(1, 40), level=st.sampled_from(["char", "byte"]))
def test_records_read_as_a_plain_file_of_them(
    tmp_path: Path, suffix: str, texts: list[str], size: int, level: str
) -> None:
    plain = open_text([written(tmp_path / "t.txt", closed(texts))]).for_level(level)
    source = opened(made(tmp_path, suffix, texts)).for_level(level)
    assert "".join(source.chunks(size)) == "".join(plain.chunks())
    assert list(source.split_chunks(0.5)) == list(plain.split_chunks(0.5))
    assert (source.sha256(), source.size) == (plain.sha256(), plain.size)


@pytest.mark.parametrize("packed", ["", *PACK])
@pytest.mark.parametrize("suffix", FORMATS[:-1])
def test_ids_are_those_of_the_plain_file(tmp_path: Path, suffix: str, packed: str) -> None:
    texts = [f'Line {k}, "so" she said;\n\nand {k * k} é 😀' for k in range(3000)]
    plain = open_text([written(tmp_path / "t.txt", closed(texts))])
    source = opened(made(tmp_path, suffix, texts, packed))
    config, cache = TokenizerConfig("word"), tmp_path / "cache"
    one, other = (prepare(text, None, config, cache) for text in (plain, source))
    assert one.train.tobytes() == other.train.tobytes()
    assert one.valid.tobytes() == other.valid.tobytes()
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("how", [{}, {"row_group_size": 7}, {"compression": "zstd"}])
def test_parquet_in_row_groups(tmp_path: Path, how: dict[str, object]) -> None:
    texts: list[str | None] = [f"text {k}\nof two lines" for k in range(1000)]
    texts[3] = None
    path = write_parquet(tmp_path / "t.parquet", texts, **how)
    told: list[float] = []
    assert "".join(opened(path).chunks(progress=told.append)) == closed([t for t in texts if t])
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_values_that_are_null_are_left_out_and_empty_ones_are_lines(tmp_path: Path) -> None:
    lines = [{"text": "a"}, {"text": None}, {"text": ""}, {"text": "b\n"}]
    data = "\n\n".join(map(json.dumps, lines))
    assert read(written(tmp_path / "t.jsonl", data)) == "a\n\nb\n"
    assert read(written(tmp_path / "t.csv", 'text\na\n\n""\nb')) == "a\n\nb\n"


def test_fields_of_fields(tmp_path: Path) -> None:
    rows = [{"a": {"b": "one"}}, {"a": None}, {"a": {"b": None}}, {"a.b": "two"}]
    path = written(tmp_path / "t.ndjson", "\n".join(map(json.dumps, rows)))
    assert "".join(open_text([path], field="a.b").chunks()) == "one\ntwo\n"


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ("{", "line 2: not valid JSON"),
        ("[" * 100_000, "line 2: not valid JSON"),
        ('{"text": "a"} {"text": "b"}', "line 2: not valid JSON"),
        ('["text"]', "line 2: a JSON object should stand here"),
        ('{"txt": "a", "id": 2}', "line 2: there is no field 'text' (there are: txt, id)"),
        ('{"text": 3}', "line 2: the field 'text' is not text, but 3"),
        ('{"text": "a\\u0000"}', "a NUL"),
    ],
)
def test_lines_that_are_wrong(tmp_path: Path, second: str, says: str) -> None:
    path = written(tmp_path / "t.jsonl", '{"text": "good"}\n' + second + "\n")
    assert complaint(path).startswith(f"{path}")
    assert says in complaint(path)


def test_json_that_is_not_one_object_a_line(tmp_path: Path) -> None:
    path = written(tmp_path / "t.json", json.dumps([{"text": "a"}, {"text": "b"}], indent=1))
    with pytest.raises(CharlmError, match="JSON lines have one object per line"):
        list(open_text([path], field="text").chunks())


def test_columns_by_name_and_number(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", 'id,text\n1,"a, b"\n2,c\n')
    assert read(path) == "a, b\nc\n"
    assert read(path, column="2") == "text\na, b\nc\n"
    assert read(written(tmp_path / "u.csv", "text;id\na, b;1\n")) == "a, b\n"
    assert read(written(tmp_path / "v.csv", "\ufeffid\ttext\r\n1\ta, b\r\n")) == "a, b\n"
    assert read(written(tmp_path / "w.tsv", "1\ta\n2\tb"), column="2") == "a\nb\n"
    source = open_text([tmp_path / "w.tsv"], column=1)
    assert "".join(source.chunks()) == "1\n2\n"


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "id,text\n1,a\n2\n")
    assert complaint(path) == f"{path}, line 3: there is no column 2, only 1"
    assert complaint(path, column="body") == f"{path} has no column 'body'. It has: id, text"
    assert "line 1: there is no column 7" in complaint(path, column="7")
    assert "there is no column 0" in complaint(path, column="0")
    assert (
        complaint(written(tmp_path / "u.csv", ""))
        == "u.csv holds no text (0 bytes). Give a file with some text in it."
    )


def test_quotes_of_csv_must_be_right(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", 'id,text\n1,"a" b\n')
    assert f"{path}, line 2: not valid CSV" in complaint(path)
    path = written(tmp_path / "t.csv", 'id,text\n1,"a\n2,b\n')
    assert f"{path}, line 2: not valid CSV (unexpected end of data)" in complaint(path)


def test_quotes_of_tsv_are_those_of_csv_only_where_all_can_be(tmp_path: Path) -> None:
    raw = 'id\ttext\n1\t"Yes," he said.\n2\t"No."\n3\t"\n'
    assert read(written(tmp_path / "t.tsv", raw)) == '"Yes," he said.\n"No."\n"\n'
    quoted = 'id\ttext\r\n1\t"two\nlines, ""quoted"""\r\n2\tb\r\n'
    assert read(written(tmp_path / "t.tsv", quoted)) == 'two\nlines, "quoted"\nb\n'
    assert read(written(tmp_path / "as-from-stdin.csv", raw)).endswith('"No."\n"\n')
    long = "id\ttext\n" + '1\t"a\tb"\n' * (records.SAMPLE_CHARS // 8) + '2\t"two\nlines"\n'
    assert read(written(tmp_path / "t.tsv", long)).endswith("a\tb\ntwo\nlines\n")


def test_long_cells_and_endless_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "word " * 100_000
    assert read(written(tmp_path / "t.csv", f"text\n{text}\n")) == text + "\n"
    monkeypatch.setattr(records, "MAX_RECORD_CHARS", 100_000)
    for name in ("t.csv", "t.jsonl"):
        first = "text" if name == "t.csv" else '{"text": "a"}'
        said = complaint(written(tmp_path / name, first + "\n" + text))
        assert "holds a line of more than 100,000 characters" in said


def test_encodings_of_records(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "id,text\n1,été\n".encode("latin-1"))
    assert read(path, encoding="latin-1") == "été\n"
    assert f"{path} is not valid utf-8 at byte 10 (0xE9)" in complaint(path)
    assert read(path, errors="replace") == "\ufffdt\ufffd\n"
    utf16 = written(tmp_path / "u.jsonl", json_lines(["été", "a"]).decode().encode("utf-16"))
    assert read(utf16, encoding="utf-16") == "été\na\n"
    assert "holds a NUL at byte 3" in complaint(utf16)
    nul = written(tmp_path / "v.csv", "id,text\n1,a\n".encode("utf-16-le"))
    assert "holds a NUL at byte 1" in complaint(nul)
    twice = "Ã©".encode()  # as a plain file in Latin-1 it is other text than "Ã©" extracted
    plain = open_text([written(tmp_path / "w.txt", twice + b"\n")], "latin-1")
    table = written(tmp_path / "w.csv", b"text\n" + "Ã©".encode("latin-1"))
    extracted = opened(table, encoding="latin-1")
    assert "".join(plain.chunks()) != "".join(extracted.chunks())
    assert plain.sha256() != extracted.sha256()


def test_without_field_or_column_they_are_plain_text(tmp_path: Path) -> None:
    for name, data in (("t.jsonl", json_lines(["a"])), ("t.csv", b"id,text\n1,a\n")):
        path = written(tmp_path / name, data)
        assert "".join(open_text([path]).chunks()) == data.decode()


def test_field_and_column_must_be_of_something(tmp_path: Path) -> None:
    path = written(tmp_path / "t.txt", "text")
    assert (
        "`field` applies only to JSON lines (.jsonl, .ndjson): there are none in t.txt"
        in complaint(path, field="text")
    )
    with pytest.raises(CharlmError, match="`column` applies only to tables"):
        open_text([path], column="text")
    assert open_text([path], column="text", mixed=True).size == 4


def test_parquet_takes_its_only_text(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = write_parquet(tmp_path / "t.parquet", ["a", "b"])
    assert "".join(open_text([path]).chunks()) == "a\nb\n"
    assert "".join(open_text([path], column=2).chunks()) == "a\nb\n"
    assert "'id' is int64, not text" in complaint(path, column="id")
    assert "has no column 'body'. It has: id, text" in complaint(path, column="body")
    both = arrow.table({"a": ["x"], "b": arrow.array(["y"]).dictionary_encode()})
    parquet.write_table(both, path)
    with pytest.raises(CharlmError, match=r"choose the `column` that holds the text: a, b"):
        open_text([path])
    assert "".join(open_text([path], column="b").chunks()) == "y\n"


def test_parquet_that_is_damaged(tmp_path: Path) -> None:
    texts: list[str | None] = [f"{k * k} text" for k in range(2000)]
    path = write_parquet(tmp_path / "t.parquet", texts, row_group_size=500)
    data = path.read_bytes()
    for end in range(0, len(data), len(data) // 20):
        assert "is no Parquet file, or damaged" in complaint(written(path, data[:end]))
    said = set()
    for at in range(4, len(data) - 8, len(data) // 60):
        changed = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        with suppress(CharlmError):  # without checksums in the file, changed text may be text
            read(written(path, changed))
            continue
        said.add(complaint(path))
    assert said
    assert all(line.startswith(str(path)) for line in said)


def test_a_parquet_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    parquet.write_table(arrow.table({"text": ["a" * 1000] * 30_000}), path, compression="zstd")
    assert opened(path).size == 30_030_000
    monkeypatch.setattr(unpack, "FREE_EXPANSION_BYTES", 1_000_000)
    assert "unpacks to more than 1,000 times its size" in complaint(path)


def test_what_reads_parquet_can_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "t.parquet", b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert complaint(path) == 'reading Parquet needs PyArrow: pip install "charlm[formats]"'


@pytest.mark.parametrize("suffix", FORMATS)
def test_records_on_standard_input_are_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    data = made(tmp_path, suffix, ["one", "two"]).read_bytes()
    packed = data if suffix == ".parquet" else PACK[".gz"](data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed)))
    how = {"field": "text"} if suffix == ".jsonl" else {"column": "text"}
    source = open_text(["-"], spool=tmp_path / "spool", **how)  # type: ignore[arg-type]
    assert "".join(source.chunks()) == "one\ntwo\n"
    again = open_text(source.paths, **how)  # type: ignore[arg-type]
    assert "".join(again.chunks()) == "one\ntwo\n"


def test_the_limit_of_csv_is_only_raised() -> None:
    old = csv.field_size_limit(1 << 28)
    try:
        list(
            records.from_table(
                Path("t.csv"), io.BytesIO(b"a\n"), records.CSV, "a", "utf-8", "strict"
            )
        )
        assert csv.field_size_limit() == 1 << 28
    finally:
        csv.field_size_limit(old)


def test_a_line_that_csv_cannot_read_is_an_error_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "item\rx,text\n1,a\n")
    assert "t.csv" in complaint(path, column="text")
