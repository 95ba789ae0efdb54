"""`charlm sample` with limits on what may be written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli_support import TEXT, Cli, on_terminal, write_model

import charlm

pytest.importorskip("regex")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "text.txt").write_text(TEXT)
    return tmp_path / "text.txt"


def test_python_does_the_same(cli: Cli, model: Path, text: Path) -> None:
    args = ["--min-p", "0.02", "--typical", "0.95", "--no-repeat", "4", "--no-copy", "3"]
    args += ["--max-tokens", "80", "--training-text", str(text), "--seed", "2"]
    (one,) = charlm.load(model).sample(
        min_p=0.02,
        typical=0.95,
        no_repeat=4,
        no_copy=3,
        training_text=text,
        max_tokens=80,
        lines=80,
        seed=2,
    )
    limited, free = cli("sample", *args), cli("sample", "--max-tokens", "80", "--seed", "2")
    assert limited.out.rstrip("\n") == one.text.rstrip("\n") != free.out.rstrip("\n")
    text.write_text("the\n")
    args = ["--words", str(text), "--match", "[the ]+", "--seed", "2", "-n", "3"]
    three = charlm.load(model).sample(words=text, match="[the ]+", seed=2, num_samples=3)
    same = charlm.load(model).sample(words=["the"], match="[the ]+", seed=2, num_samples=3)
    assert cli("sample", *args).out.splitlines() == [one.text for one in three]
    assert three == same


def test_no_copy_finds_the_text_of_the_run(cli: Cli, elsewhere: Path) -> None:
    Path("a.txt").write_text(TEXT * 5)
    cli.model = None
    assert cli("ngram", "a.txt", "--order", "8").code == 0
    records = json.loads(
        cli("sample", "-n20", "--no-copy", "5", "--max-tokens", "60", "--seed", "1", "--json").out
    )
    for one in records:
        written = one["text"]
        copied = [written[i : i + 6] for i in range(len(written) - 5)]
        assert not any(piece in TEXT * 2 for piece in copied)


def test_a_text_that_ends_early_is_remarked_on(cli: Cli, text: Path) -> None:
    kinds = sorted(set(TEXT))
    text.write_text("".join(a + b for a in kinds for b in kinds))
    args = ["sample", "--no-copy", "1", "--training-text", str(text), "--seed", "1"]
    assert cli(*args).err == ("warning: 1 text ends early: nothing that could follow is allowed\n")
    many = cli(*args, "-n3", "--json")
    assert many.code == 0
    assert {one["ended"] for one in json.loads(many.out)} == {"stuck"}
    assert many.err.startswith("warning: 3 texts end early: ")


def test_words_of_a_list(cli: Cli, text: Path) -> None:
    text.write_text("the pear\ncats zebra\n")
    result = cli("sample", "--words", str(text), "-n5", "--seed", "1", "--max-tokens", "80")
    words = {word.lower() for word in re.findall(r"\w+", result.out)}
    cut = {word[:k] for word in ("the", "pear", "cats") for k in range(len(word))}
    assert len(words & {"the", "pear", "cats"}) > 1
    assert words <= {"the", "pear", "cats"} | cut
    assert result.err.startswith(f"1 of 4 words in {text} is unknown to the model\n")
    assert cli("sample", "--words", str(text), "-q").err == ""


def test_a_word_that_is_cut_off_is_remarked_on(cli: Cli, text: Path) -> None:
    said = cli("sample", "--words", text, "--max-tokens", "7", "-n", "20", "--seed", "1").err
    assert "cut off by --max-tokens: the last word may be part of one" in said


def test_lines_that_match(cli: Cli) -> None:
    out = cli("sample", "--match", "the [a-l]+", "-n5", "--seed", "1", "--lines", "2").out
    lines = list(filter(None, out.splitlines()))
    assert len(lines) == 10
    empty = cli("sample", "--match", "a?", "-n20", "--seed", "1").out.split("\n")
    assert set(empty) == {"", "a"}
    assert len(empty) == 21
    assert cli("sample", "--match", "", "--lines", "3").out == "\n\n\n"
    assert all(re.fullmatch("the [a-l]+", line) for line in lines)
    cut = cli("sample", "--match", "[a-l]{50,}", "--max-tokens", "20")
    assert cut.err == (
        "warning: 1 text was cut off by --max-tokens: the last line may match only in part\n"
    )


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--min-p", "2"], "'--min-p'"),
        (["--min-p", "nan"], "--min-p"),
        (["--typical", "0"], "--typical must be above 0"),
        (["--no-repeat", "-1"], "'--no-repeat'"),
        (["--no-copy", "1.5"], "'--no-copy'"),
        (
            ["--no-copy", "5"],
            "does not lead to the text it was trained on: name it with",
        ),
        (["--training-text", "x"], "--training-text is for --no-copy"),
        (["--no-copy", "5", "--training-text", "missing.txt"], "missing.txt does not exist"),
        (["--no-copy", "5", "--training-text", "-", "--words", "-"], "read only once"),
        (["--words", "missing.txt"], "missing.txt does not exist"),
        (["--match", "(", "-p", "the"], "--match is not a regular expression: missing )"),
        (["--match", "[A-Z]"], "stuck at the beginning of a line: the model has no token there"),
        (["--match", "a+", "--prompt", "c"], "--prompt begins nothing that --match allows: 'c'"),
        (["--no-copy", "1001", "--training-text", "x"], "'--no-copy'"),
    ],
)
def test_bad_values_are_one_line(cli: Cli, args: list[str], says: str) -> None:
    assert says in cli.fails("sample", *args)


def test_a_list_without_words(cli: Cli, text: Path) -> None:
    text.write_text("– !\n")
    assert cli.fails("sample", "--words", str(text)) == "--words has no words in it"
    text.write_text("XYZ\n")
    assert cli.fails("sample", "--words", str(text)) == "the model knows none of the --words"


def test_a_dead_end_after_some_text(cli: Cli, model: Path) -> None:
    result = cli("sample", "--match", "the X", "--prompt", "th")
    assert (result.code, result.out) == (2, "the \n")
    assert result.err.startswith("error: stuck after 'the ': the model has no token there")
    shown = on_terminal(model, "sample", "--match", "the X")
    assert shown.splitlines()[0] == "the "


def test_word_models(cli: Cli, tmp_path: Path, text: Path) -> None:
    cli.model = write_model(tmp_path / "words.safetensors", "word", split="unicode")
    text.write_text("the pear salad zebra\n")
    result = cli("sample", "--words", str(text), "-n5", "--seed", "1", "--max-tokens", "50")
    assert set(re.findall(r"\w+", result.out)) == {"the", "pear", "salad"}
    assert result.err.startswith(f"1 of 4 words in {text} is unknown to the model\n")
    out = cli("sample", "--match", "(the [a-z]+ ?)+", "-n5", "--seed", "3").out
    assert all(re.fullmatch("(the [a-z]+ ?)+", line) for line in out.splitlines())
