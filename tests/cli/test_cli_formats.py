"""Commands read text as it lies about: packed, in records, in directories."""

from __future__ import annotations

import gzip
import json
import signal
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cli_support import TEXT, Cli, Result, write_model
from packed import PACK, json_lines, table, write_parquet

import charlm
from charlm.cli import main
from charlm.runs.events import Events, Step
from charlm.system.allocator import SWITCH

LINES = TEXT.splitlines()
QUICK = {"steps": 6, "hidden": 8, "batch_size": 2, "bptt": 8, "precision": "fp32", "threads": 1}


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """On a model of TEXT, in a directory where TEXT lies about in many ways."""
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(TEXT, "utf-8")
    for suffix in (".gz", ".bz2", ".xz"):
        Path(f"text.txt{suffix}").write_bytes(PACK[suffix](TEXT.encode()))
    Path("text.jsonl.gz").write_bytes(PACK[".gz"](json_lines(LINES)))
    Path("text.csv").write_bytes(table(LINES))
    Path("text.tsv.xz").write_bytes(PACK[".xz"](table(LINES, "\t")))
    for k, line in enumerate(LINES):
        path = Path("texts", f"part{k // 3}", f"{k}.txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(line, "utf-8")
    return Cli(write_model(tmp_path / "model.safetensors"), capsys, monkeypatch)


class Stop(Events):
    """Interrupts a training after its third step."""

    def step(self, step: Step) -> None:
        if step.step == 3:
            signal.raise_signal(signal.SIGINT)


WAYS = [
    ["text.txt.gz"],
    ["text.txt.bz2"],
    ["text.txt.xz"],
    ["text.jsonl.gz", "--field", "text"],
    ["text.csv", "--column", "text"],
    ["text.tsv.xz", "--column", "text"],
    ["texts"],
    ["texts/**/*.txt"],
]
ways = pytest.mark.parametrize("way", WAYS, ids=" ".join)


def without_place(result: Result) -> list[dict[str, Any]]:
    """Scores without what the file says beside them."""
    scores: list[dict[str, Any]] = json.loads(result.out)
    return [{k: v for k, v in one.items() if k not in ("line", "stimulus")} for one in scores]


@ways
def test_the_numbers_are_those_of_the_plain_file(cli: Cli, way: list[str]) -> None:
    assert cli("eval", *way, "--json") == cli("eval", "text.txt", "--json")
    found, plain = (cli("score", "-f", *w, "--json") for w in (way, ["text.txt"]))
    assert without_place(found) == without_place(plain)
    assert found.err == plain.err


def test_parquet(cli: Cli) -> None:
    write_parquet(Path("text.parquet"), LINES)
    expected = cli("eval", "text.txt", "--json")
    assert cli("eval", "text.parquet", "--json") == expected
    assert cli("eval", "text.parquet", "--column", "2", "--json") == expected
    stdin = Path("text.parquet").read_bytes()
    assert cli("eval", "-", "--json", stdin=stdin) == expected
    assert "give tab-separated values or JSON lines" in cli.fails("pairs", "text.parquet")


@pytest.mark.parametrize("way", [["-"], ["-", "--field", "text"]], ids=" ".join)
def test_standard_input(cli: Cli, way: list[str]) -> None:
    name = "text.txt.xz" if way == ["-"] else "text.jsonl.gz"
    packed = Path(name).read_bytes()
    assert cli("eval", *way, "--json", stdin=packed) == cli("eval", "text.txt", "--json")


@ways
def test_ngram_counts_the_same(cli: Cli, way: list[str]) -> None:
    plain = json.loads(cli("ngram", "text.txt", "--out", "plain", "--json").out)
    other = json.loads(cli("ngram", *way, "--out", "other", "--json").out)
    assert other["best"] == plain["best"]
    assert len(list(Path(".cache").iterdir())) == (2 if way[0].startswith("texts") else 1)


@pytest.mark.parametrize(
    ("name", "option"), [("text.csv", "--column"), ("text.jsonl.gz", "--field")]
)
def test_who_reads_records_as_text_is_told(cli: Cli, name: str, option: str) -> None:
    done = cli("ngram", name, "--out", "whole")
    assert done.code == 0
    assert f"warning: {name} is read as it stands" in done.err
    assert f"; {option} takes" in done.err


def test_mixing_comparing_and_classifying(cli: Cli) -> None:
    for out in ("a", "b"):
        assert cli("ngram", "text.txt", "--order", "2", "--out", out, "-q").code == 0

    def outcome(*way: str) -> object:
        done = cli("mix", "a", "b", "--dev", *way, "--json")
        return json.loads(done.out)["best"]

    assert outcome("text.csv", "--column", "2") != outcome("text.txt")  # with the names' row
    assert outcome("text.csv", "--column", "text") == outcome("text.txt")
    assert outcome("text.jsonl.gz", "--field", "text") == outcome("text.txt")
    for verb in (["compare", "a", "b"], ["classify", "-m", "a=a", "-m", "b=b"]):
        plain = cli(*verb, "text.txt", "--json")
        assert plain.code == 0
        assert cli(*verb, "text.txt.gz", "--json") == plain
        assert cli(*verb, "text.csv", "--column", "text", "--json") == plain
    said = cli.fails(
        "classify", "-m", "a=a", "-m", "b=b", "text.csv", "--column", "1", "--labelled"
    )
    assert "leave out --field, --column" in said


def test_files_of_a_form_of_their_own_may_be_compressed(cli: Cli) -> None:
    pairs = "the cat is full\tthe cat are full\n"
    Path("p.tsv").write_text(pairs, "utf-8")
    Path("p.tsv.gz").write_bytes(gzip.compress(pairs.encode()))
    assert cli("pairs", "p.tsv.gz", "--json") == cli("pairs", "p.tsv", "--json")
    nbest = "u1\tthe cat\t-1\nu1\tthe cats\t-2\n"
    Path("n.tsv").write_text(nbest, "utf-8")
    Path("n.tsv.bz2").write_bytes(PACK[".bz2"](nbest.encode()))
    assert cli("rescore", "n.tsv.bz2", "--json").out == cli("rescore", "n.tsv", "--json").out


@pytest.mark.parametrize("verb", [["eval"], ["score", "-f"], ["ngram"], ["compare", "m", "m"]])
def test_what_is_wrong_is_one_line(cli: Cli, verb: list[str]) -> None:
    Path("m").write_bytes(Path("model.safetensors").read_bytes())
    data = Path("text.txt.gz").read_bytes()
    Path("cut.gz").write_bytes(data[:-5])
    assert "cut.gz is truncated: its gzip data end after" in cli.fails(*verb, "cut.gz")
    Path("bad.gz").write_bytes(data[:-8] + b"\xff" * 8)
    assert "bad.gz is damaged: its gzip data cannot be unpacked after" in cli.fails(*verb, "bad.gz")
    said = cli.fails(*verb, "text.csv", "--column", "body")
    assert said.endswith("text.csv has no column 'body'. It has: id, text")
    assert "--field applies only to JSON lines" in cli.fails(*verb, "text.txt", "--field", "text")
    assert "text.jsonl.gz, line 1: there is no field 'a'" in cli.fails(
        *verb, "text.jsonl.gz", "--field", "a"
    )


def test_a_damaged_standard_input_is_called_so(cli: Cli) -> None:
    data = Path("text.txt.gz").read_bytes()[:-5]
    assert cli.fails("eval", "-", stdin=data).startswith("stdin is truncated")
    said = cli.fails("eval", "-", "--field", "a", stdin=json_lines(LINES))
    assert said.startswith("stdin, line 1: there is no field 'a'")


def test_what_is_left_out_is_told(cli: Cli) -> None:
    Path("texts", "picture.png").write_bytes(b"\x89PNG\0")
    expected = "texts: 1 file that is not text was left out (picture.png)"
    assert expected in cli("eval", "texts").err
    assert expected in cli("ngram", "texts").err


@pytest.mark.train
@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("text.txt.gz", {}),
        ("text.jsonl.gz", {"field": "text"}),
        ("text.csv", {"column": "text"}),
        ("text.tsv.xz", {"column": "text"}),
        ("texts/**/*.txt", {}),
    ],
)
def test_a_run_is_resumed_on_what_it_began_with(cli: Cli, name: str, how: dict[str, str]) -> None:
    cli.patch.setenv(SWITCH, "off")
    plain = "text.txt" if name != "texts/**/*.txt" else "texts"
    straight = charlm.train(plain, out="straight", **QUICK)  # type: ignore[arg-type]
    broken = charlm.train(name, out="run", events=Stop(), **QUICK, **how)  # type: ignore[arg-type]
    assert (broken.interrupted, broken.steps) == (True, 3)
    record = tomllib.loads(Path("run", "config.toml").read_text("utf-8"))["corpus"]
    assert {key: record[key] for key in ("field", "column") if key in record} == how
    assert all(Path(path).is_absolute() for path in record["paths"])
    again = charlm.train(resume="run")
    assert (again.steps, again.best) == (straight.steps, straight.best)
    path = Path(record["paths"][0])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(charlm.CharlmError):
        charlm.train(resume="run")


@pytest.mark.train
def test_train_and_its_validation_text(cli: Cli) -> None:
    cli.patch.setenv(SWITCH, "off")
    words = [word for k, v in QUICK.items() for word in (f"--{k.replace('_', '-')}", str(v))]
    told = ["train", "text.jsonl.gz", "--field", "text", "--valid", "text.txt", *words]
    assert cli(*told, "--out", "run").code == 0
    assert cli("train", "--resume", "run").code == 0
    assert cli("train", "texts", *words, "--json").out.count('"runs/texts"') == 1


@pytest.mark.train
@pytest.mark.usefixtures("one_core")
def test_the_lab_reads_them_too(cli: Cli) -> None:
    assert main(["lab", "neurons", "model.safetensors", "text.txt.gz", "--json"]) == 0
    assert main(["lab", "neurons", "model.safetensors", "text.csv", "--column", "text"]) == 0
    Path("more.jsonl").write_bytes(json_lines([f"the cat {k} sees the sea" for k in range(3000)]))
    told = ["--cells", "rnn", "--hidden", "4", "--steps", "2", "--seeds", "1", "--json"]
    assert main(["lab", "bptt", "more.jsonl", "--field", "text", *told]) == 0
