"""Tables of scores survive the programs that read them."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from cli_support import Cli

import charlm

PEAR = "the apple and pear salad"
WORD_COLUMNS = [
    *("line", "word_id", "word", "logprob", "surprisal", "start", "end", "oov", "entropy"),
    *("entropy_reduction", "entropy_of", "length", "frequency", "prev_surprisal"),
    "prev2_surprisal",
]
STIMULI = (
    "item,condition,sentence\n"
    '1,a,"the cats, which ate"\n'
    '2,"b, ""c""",the apple\n'
    "\n"
    "3,,  \n"
    "4,NA,full\n"
)


def rows(text: str, delimiter: str = "\t") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))


@pytest.fixture
def stimuli(tmp_path: Path) -> Path:
    path = tmp_path / "items.csv"
    path.write_text(STIMULI)
    return path


def test_sentences(cli: Cli) -> None:
    records = rows(cli("score", PEAR, 'a\t"b"', "--tsv").out)
    assert list(records[0])[:4] == ["line", "rank", "ranked_by", "tokens"]
    assert list(records[0])[-1] == "text"
    assert [record["line"] for record in records] == ["1", "2"]
    assert sorted(record["rank"] for record in records) == ["1", "2"]
    assert records[1]["text"] == 'a\t"b"'


def test_tokens(cli: Cli, model: Path) -> None:
    records = rows(cli("score", "the", "a pear", "--tokens", "--tsv").out)
    assert list(records[0]) == ["line", "token_id", "token", "logprob", "surprisal", "rank"]
    ids = [(r["line"], r["token_id"], r["token"]) for r in records]
    assert ids[:5] == [*zip("1111", "1234", ["t", "h", "e", "</s>"], strict=True), ("2", "1", "a")]
    expected = charlm.load(model).score("the").logprob
    assert sum(float(r["logprob"]) for r in records[:4]) == pytest.approx(expected)


def test_words_keep_the_lines_and_columns_of_the_stimuli(cli: Cli, stimuli: Path) -> None:
    out = cli("score", "-f", stimuli, "--column", "sentence", "--words", "--csv").out
    records = rows(out, ",")
    assert list(records[0]) == [*WORD_COLUMNS, "item", "condition"]
    assert [r["line"] for r in records] == ["2"] * 5 + ["3"] * 3 + ["6"] * 2
    assert {r["item"]: r["condition"] for r in records} == {"1": "a", "2": 'b, "c"', "4": "NA"}
    assert [r["word"] for r in records[:5]] == ["the", "cats,", "which", "ate", "</s>"]
    assert records[0]["prev_surprisal"] == ""
    assert records[1]["prev_surprisal"] == records[0]["surprisal"]


def test_json_has_what_the_table_has(cli: Cli, stimuli: Path) -> None:
    how = ("score", "-f", stimuli, "--column", "sentence", "--words")
    found = json.loads(cli(*how, "--json").out)
    assert [one["line"] for one in found] == [2, 3, 6]
    assert found[1]["stimulus"] == {"item": "2", "condition": 'b, "c"'}
    table = rows(cli(*how, "--tsv").out)
    words = [word for one in found for word in one["word_scores"]]
    assert [word["word"] for word in words] == [row["word"] for row in table]
    assert list(words[0]) == WORD_COLUMNS[2:]


def test_the_python_table_is_the_same(cli: Cli, model: Path) -> None:
    printed = rows(cli("score", PEAR, "--words", "--tsv").out)
    table = charlm.load(model).word_table([PEAR])
    assert list(table[0]) == list(printed[0])
    for one, other in zip(table, printed, strict=True):
        assert one["word"] == other["word"]
        assert one["surprisal"] == pytest.approx(float(other["surprisal"]))
        assert math.isnan(one["frequency"])  # the model's text is nowhere


def test_frequencies_of_a_text(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("the the The apple\n")
    how = ("score", "the pear", "--words", "--tsv")
    result = cli(*how)
    assert "no frequencies" in result.err
    assert rows(result.out)[0]["frequency"] == ""
    found = rows(cli(*how, "--frequencies", tmp_path / "other.txt").out)
    assert float(found[0]["frequency"]) == pytest.approx(math.log10(4 / 6 * 1e6))
    assert float(found[1]["frequency"]) == pytest.approx(math.log10(1 / 6 * 1e6))
    assert found[2]["frequency"] == ""
    none = cli(*how, "--frequencies", "none")
    assert none.err == ""
    assert rows(none.out)[0]["frequency"] == ""


WORDS = [
    *('"', '""', "NA", "null", "nan", "'s", "a\tb", "#", "1,5", "-", "\\t", "\u2028x", "é"),
    "x",
]


def words_of(line: str) -> list[str]:
    """The words of a line as a character model sees them: what spaces separate."""
    return [word.strip() for word in line.split(" ")]


def test_pandas_reads_the_rows_that_were_written(cli: Cli, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    lines = [" ".join(WORDS[k % 14 :] + WORDS[: k % 5]) for k in range(200)]
    (tmp_path / "lines.txt").write_text("\n\n".join(lines), "utf-8")
    expected = [word for line in lines for word in [*words_of(line), "</s>"]]
    for how, delimiter in (("--tsv", "\t"), ("--csv", ",")):
        out = cli("score", "-f", tmp_path / "lines.txt", "--words", how).out
        exact = pandas.read_csv(
            io.StringIO(out), sep=delimiter, keep_default_na=False, na_values={"frequency": [""]}
        )
        assert list(exact["word"]) == expected
        assert list(dict.fromkeys(exact["line"])) == list(range(1, 400, 2))
        plain = pandas.read_csv(io.StringIO(out), sep=delimiter)
        assert len(plain) == len(expected)
        missing = {w for w, isna in zip(expected, plain["word"].isna(), strict=True) if isna}
        assert missing == {"NA", "null", "nan"}  # which pandas takes for missing, quoted or not
        assert list(plain["surprisal"]) == list(exact["surprisal"].astype(float))


def read_delim(text: str) -> list[list[str]]:
    """What R's `read.delim(file, na.strings = "")` makes of a file, by its documented rules.

    Fields are separated by tabs; a quote anywhere in a field opens a quoted part, in which tabs and
    line ends are plain characters and a doubled quote stands for one.
    """
    fields = re.compile(r'((?:[^\t\n"]|"(?:[^"]|"")*")*)(\t|\n)')
    found, row = [], list[str]()
    for field, end in fields.findall(text):
        row.append(re.sub(r'"((?:[^"]|"")*)"', lambda m: m[1].replace('""', '"'), field))
        if end == "\n":
            found.append(row)
            row = []
    return found


def test_r_reads_the_rows_that_were_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("\n".join([" ".join(WORDS)] * 3), "utf-8")
    head, *found = read_delim(cli("score", "-f", tmp_path / "lines.txt", "--words", "--tsv").out)
    assert head == WORD_COLUMNS
    assert [row[2] for row in found] == [*words_of(" ".join(WORDS)), "</s>"] * 3
    assert {len(row) for row in found} == {len(WORD_COLUMNS)}


def test_parquet(cli: Cli, tmp_path: Path, stimuli: Path) -> None:
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "out.parquet"
    how = ("score", "-f", stimuli, "--column", "sentence", "--words")
    assert cli(*how, "--parquet", out).out == ""
    table = parquet.read_table(out).to_pylist()
    printed = rows(cli(*how, "--tsv").out)
    assert [row["word"] for row in table] == [row["word"] for row in printed]
    assert table[0]["prev_surprisal"] is None
    assert table[0]["condition"] == "a"
    assert table[1]["surprisal"] == float(printed[1]["surprisal"])
    assert table[0]["item"] == 1  # a number, as in the CSV that is read
    assert cli(*how, "--parquet", out).code == 0  # its own file
    parquet.write_table(parquet.read_table(out).replace_schema_metadata({}), out)
    assert "exists: name another file, or add --force" in cli.fails(*how, "--parquet", out)
    assert cli(*how, "--parquet", out, "--force").code == 0
    assert "one of the files to read" in cli.fails("score", "-f", out, "--parquet", out, "--force")
    odd = tmp_path / "odd.txt"
    odd.write_bytes(b"the \xff cat\n")
    how = ("score", "-f", odd, "--errors", "surrogateescape", "--words")
    assert cli(*how, "--parquet", out, "--force").code == 0
    assert parquet.read_table(out).to_pylist()[1]["word"] == "\ufffd"


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (["--json", "--csv"], "--json and --csv are mutually exclusive"),
        (["--words", "--csv", "--oov", "closed"], "--oov is for whole sentences"),
        (["--csv", "--tokens", "--words"], "--csv shows --tokens or --words"),
        (["--frequencies", "x.txt"], "--frequencies goes with --words"),
        (["--words", "--csv", "--frequencies", "no.txt"], "no.txt"),
    ],
)
def test_what_does_not_go_together(cli: Cli, args: list[str], complaint: str) -> None:
    assert complaint in cli.fails("score", "the", *args)
