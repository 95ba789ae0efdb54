"""`charlm info`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import TEXT, Cli, on_terminal, write_model

import charlm


def test_info_says_what_a_model_is(cli: Cli, model: Path) -> None:
    result = cli("info")
    assert (result.code, result.err) == (0, "")
    parameters = charlm.load(model).info["parameters"]
    for part in (
        str(model),
        "LSTM 1 × 12 · embedding 8",
        f"{parameters:,}",
        "characters · lossless · </s> <UNK> ␣",
        "toy.txt · sha256 abababababab…",
        "900 characters",
        "2.500 bits/char · perplexity 6.50, 6.00 w/o OOV · at step 7",
        "lr 0.003 · seed 1\n",
    ):
        assert part in result.out


def test_info_json_is_the_library_s(cli: Cli, model: Path) -> None:
    assert json.loads(cli("info", "--json").out) == charlm.load(model).info
    assert cli("info", "--model", model, "--json").out == cli("info", "--json").out


def test_the_model_of_info_may_be_an_argument(cli: Cli, model: Path) -> None:
    expected = cli("info").out
    cli.model = None
    assert cli("info", model).out == expected
    assert "two models" in cli.fails("info", model, "--model", model)


@pytest.mark.parametrize("level", ["word", "byte", "subword"])
def test_info_of_every_level(cli: Cli, tmp_path: Path, level: str) -> None:
    cli.model = write_model(tmp_path / "model.safetensors", level, TEXT * 40)
    assert f"{level}s · " in cli("info").out


def test_info_of_a_model_that_tells_little(cli: Cli, model: Path) -> None:
    cli.patch.setattr("charlm.models.model_file.describe", _bare(charlm.load(model).info))
    assert cli("info").out.splitlines()[-1].startswith("vocabulary")


def _bare(info: dict[str, object]) -> object:
    return lambda *_: info | {"training": {}}


def test_info_fits_a_terminal(model: Path) -> None:
    lines = on_terminal(model, "info", columns=60).splitlines()
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x00" * 100])
def test_a_damaged_model_is_one_line(cli: Cli, tmp_path: Path, content: bytes) -> None:
    cli.model = tmp_path / "model.safetensors"
    cli.model.write_bytes(content)
    assert "damaged" in cli.fails("info")
