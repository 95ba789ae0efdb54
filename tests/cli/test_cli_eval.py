"""`charlm eval` and `charlm info`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import TEXT, Cli, write_model

import charlm


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT + "é\n", "utf-8")
    return path


def test_json_is_the_library_s_measures(cli: Cli, model: Path, file: Path) -> None:
    loaded = charlm.load(model)
    result = cli("eval", file, "--json")
    assert result.err == ""
    assert json.loads(result.out) == loaded.evaluate(file.read_text("utf-8")).as_dict()
    sentences = json.loads(cli("eval", file, "--context", "sentence", "--json").out)
    total = sum(s.measures.logprob for s in loaded.score(file.read_text("utf-8").splitlines()))
    assert sentences["logprob"] == pytest.approx(total)


def test_window(cli: Cli, file: Path) -> None:
    whole = json.loads(cli("eval", file, "--json").out)["logprob"]
    cut = json.loads(cli("eval", file, "--window", "3", "--json").out)["logprob"]
    assert cut != pytest.approx(whole)


def test_stdin(cli: Cli, file: Path) -> None:
    assert (
        cli("eval", "-", "--json", stdin=file.read_bytes()).out == cli("eval", file, "--json").out
    )


def test_table_gives_perplexity_with_and_without_oov(cli: Cli, file: Path) -> None:
    names = [line.split()[0] for line in cli("eval", file).out.splitlines()]
    assert names == [
        *("text", "tokens", "OOV", "log", "perplexity"),
        *("w/o", "nats/char", "bits/char", "bits/byte", "spelled"),
    ]
    file.write_text(TEXT)
    shown = cli("eval", file).out
    assert "w/o OOV" not in shown
    assert "spelled" not in shown


def test_a_byte_model_reads_any_file(cli: Cli, tmp_path: Path) -> None:
    cli.model = write_model(tmp_path / "byte.safetensors", "byte")
    file = tmp_path / "any.bin"
    file.write_bytes(bytes(range(256)))
    record = json.loads(cli("eval", file, "--json").out)
    assert (record["bytes"], record["oov"]) == (257, 0)  # the last line is closed


@pytest.mark.parametrize(
    ("args", "stdin", "says"),
    [
        ([], None, "Missing argument"),
        (["missing.txt"], None, "missing.txt does not exist"),
        (["."], None, "is a directory with no files"),
        (["*.text"], None, "no file matches *.text"),
        (["-"], b"", "holds no text"),
        (["-"], b"\xff\xfe", "not valid utf-8"),
        (["-", "--window", "0"], b"the\n", "'--window'"),
        (["-", "--window", "3", "--context", "sentence"], b"the\n", "window"),
        (["-", "--context", "book"], b"the\n", "'book' is not one of"),
        (["a", "b"], None, "unexpected extra argument"),
    ],
)
def test_bad_input_is_one_line(
    cli: Cli, args: list[str], stdin: bytes | None, says: str, tmp_path: Path
) -> None:
    cli.patch.chdir(tmp_path)
    assert says in cli.fails("eval", *args, stdin=stdin)


def test_a_text_of_unknown_tokens_is_warned_of(cli: Cli, file: Path) -> None:
    assert cli("eval", file).err == ""
    file.write_text("ÄÖÜ ÄÖÜ\n", "utf-8")
    assert "does not know" in cli("eval", file).err
    assert cli("eval", file, "-q").err == ""
