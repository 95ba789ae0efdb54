"""`--device` of `charlm eval` and `charlm score`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import TEXT, Cli, write_model


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(write_model(tmp_path / "model.safetensors"), capsys, monkeypatch)


@pytest.mark.parametrize("command", [["score", "-f"], ["eval"], ["eval", "--window", "3"]])
def test_commands(cli: Cli, tmp_path: Path, command: list[str]) -> None:
    text = tmp_path / "text.txt"
    text.write_text(TEXT)
    plain, by_torch = (
        json.loads(cli(*command, text, "--json", *more).out) for more in ([], ["--device", "cpu"])
    )
    if command[0] == "score":
        plain, by_torch = plain[-1], by_torch[-1]
    assert plain["logprob"] == pytest.approx(by_torch["logprob"], abs=1e-3)
    assert plain["tokens"] == by_torch["tokens"]


def test_unknown_device(cli: Cli) -> None:
    assert "unknown device 'abacus'" in cli.fails("score", "a", "--device", "abacus")
