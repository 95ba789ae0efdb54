"""`charlm sample`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli, on_terminal, run, write_model

import charlm


@pytest.fixture(scope="module")
def byte_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("byte") / "model.safetensors", "byte")


def test_same_seed_same_text(cli: Cli) -> None:
    once = cli("sample", "--seed", "5", "--max-tokens", "60")
    assert once == cli("sample", "--seed", "5", "--max-tokens", "60")
    assert once.out != cli("sample", "--seed", "6", "--max-tokens", "60").out
    assert (once.code, once.err) == (0, "")


def test_a_fresh_seed_is_shown_on_request_and_repeats_the_text(cli: Cli) -> None:
    first = cli("sample", "-v", "--max-tokens", "60")
    seed = first.err.splitlines()[-1].removeprefix("seed: ")
    assert cli("sample", "--seed", seed, "--max-tokens", "60").out == first.out
    assert cli("sample", "-v").err.splitlines()[-1] != first.err.splitlines()[-1]


def test_text_is_the_library_s(cli: Cli, model: Path) -> None:
    expected = charlm.load(model).sample(prompt="the ", seed=3)[0]
    assert cli("sample", "--prompt", "the ", "--seed", "3").out == expected.full_text + "\n"
    record = json.loads(cli("sample", "-p", "the ", "--seed", "3", "--json").out)[0]
    assert record == {
        "text": expected.text,
        "tokens": expected.tokens,
        "logprob": pytest.approx(expected.logprob),
        "prompt": "the ",
        "ended": "lines",
        "seed": 3,
    }


@pytest.mark.parametrize(
    ("args", "lines"),
    [
        ([], 1),
        (["--lines", "4"], 4),
        (["--lines", "4", "--max-tokens", "10000"], 4),
    ],
)
def test_lines(cli: Cli, args: list[str], lines: int) -> None:
    assert cli("sample", "--seed", "1", *args).out.count("\n") == lines


def test_max_tokens_goes_on_over_line_ends(cli: Cli) -> None:
    record = json.loads(cli("sample", "--seed", "1", "--max-tokens", "300", "--json").out)[0]
    assert record["tokens"] == 300
    assert record["text"].count("\n") > 1
    short = json.loads(cli("sample", "--seed", "1", "--max-tokens", "3", "--json").out)[0]
    assert short["tokens"] == 3


def test_samples_come_one_a_line(cli: Cli) -> None:
    texts = [one["text"] for one in json.loads(cli("sample", "-n4", "--seed", "2", "--json").out)]
    assert len(set(texts)) == 4
    assert cli("sample", "-n4", "--seed", "2").out == "".join(text + "\n" for text in texts)


def test_samples_of_several_lines_are_parted_by_an_empty_one(cli: Cli) -> None:
    args = ["sample", "-n3", "--lines", "2", "--seed", "8"]
    texts = [one["text"] for one in json.loads(cli(*args, "--json").out)]
    assert cli(*args).out == "\n".join(text + "\n" * (text[-1:] != "\n") for text in texts)


def test_temperature_0_is_argmax_whatever_the_seed(cli: Cli) -> None:
    outs = {cli("sample", "-t", "0", "--max-tokens", "30", "--seed", s).out for s in "123"}
    assert len(outs) == 1
    assert outs == {cli("sample", "--top-k", "1", "--max-tokens", "30").out}


def test_unknown_characters_of_the_prompt_are_named(cli: Cli) -> None:
    result = cli("sample", "--prompt", "the 漢漢é ", "--seed", "1")
    assert result.code == 0
    assert result.err == "warning: the model has never seen '漢', 'é': read as <UNK>\n"
    assert result.out.startswith("the 漢漢é ")
    assert cli("sample", "--prompt", "the 漢", "-q").err == ""


def test_unknown_words_of_the_prompt_are_named(cli: Cli, tmp_path: Path) -> None:
    cli.model = write_model(tmp_path / "words.safetensors", "word")
    result = cli("sample", "--prompt", "the zebra", "--seed", "1")
    assert "'zebra'" in result.err
    assert "'the'" not in result.err
    assert result.out.startswith("the zebra ")


def test_unk_is_written_only_if_allowed(cli: Cli) -> None:
    args = ["sample", "--max-tokens", "2000", "--seed", "1", "-t", "3"]
    assert "<UNK>" not in cli(*args).out
    assert "<UNK>" in cli(*args, "--allow-unk").out


def test_bytes_that_are_no_characters_do_not_crash(cli: Cli, byte_model: Path) -> None:
    cli.model = byte_model
    args = ["sample", "--max-tokens", "200", "--seed", "1"]
    written = cli(*args).out
    assert "\ufffd" in written
    record = json.loads(cli(*args, "--json").out)[0]
    assert written.rstrip("\n") == record["text"].rstrip("\n")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--temperature", "-1"], "'--temperature'"),
        (["--temperature", "nan"], "temperature"),
        (["--temperature", "inf"], "temperature"),
        (["--temperature", "warm"], "'--temperature'"),
        (["--top-p", "2"], "'--top-p'"),
        (["--top-p", "-0.1"], "'--top-p'"),
        (["--top-p", "0"], "top-p"),
        (["--top-k", "-1"], "'--top-k'"),
        (["--num-samples", "0"], "'--num-samples'"),
        (["--max-tokens", "0"], "'--max-tokens'"),
        (["--lines", "0"], "'--lines'"),
        (["--seed", "-1"], "'--seed'"),
        (["--seed", "1.5"], "'--seed'"),
        (["--temprature", "1"], "Did you mean --temperature?"),
        (["the"], "unexpected extra argument"),
    ],
)
def test_bad_values_are_one_line(cli: Cli, args: list[str], says: str) -> None:
    line = cli.fails("sample", *args)
    assert says in line
    assert "Traceback" not in line


def test_ascii_only_output(model: Path) -> None:
    args = ["sample", "--prompt", "漢", "--seed", "1"]
    done = run(model, *args, PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.startswith(b"?")


def test_a_reader_that_leaves_ends_it_quietly(model: Path) -> None:
    script = "$CHARLM sample --max-tokens 100000000 | head -c 50; echo ${PIPESTATUS[0]}"
    done = run(model, shell=script)
    assert (done.stdout.splitlines()[-1][-3:], done.stderr) == (b"141", b"")


def test_on_a_terminal(model: Path, byte_model: Path) -> None:
    shown = on_terminal(model, "sample", "--prompt", "the", "-n2", "--seed", "1")
    assert "── 1 ──" in shown
    assert "\x1b[2mthe" in shown
    raw = on_terminal(byte_model, "sample", "--max-tokens", "500", "--seed", "1")
    assert not set(map(chr, range(32))) - {"\n", "\t"} & set(raw)
