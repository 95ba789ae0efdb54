"""`--adapt` of `charlm eval` and `charlm score`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import Cli, write_model


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(write_model(tmp_path / "model.safetensors"), capsys, monkeypatch)


@pytest.mark.parametrize("how", ["dynamic", "cache"])
def test_commands(cli: Cli, tmp_path: Path, how: str) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the apple and pear salad\n" * 12)
    static = json.loads(cli("eval", text, "--json").out)
    both = json.loads(cli("eval", text, "--json", "--adapt", how).out)
    assert {k: v for k, v in both.items() if k != "adapted"} == static
    assert both["adapted"]["logprob"] != static["logprob"]
    assert both["adapted"]["tokens"] == static["tokens"]
    shown = cli("eval", text, "--adapt", how).out
    assert "static" in shown
    assert "adapted" in shown
    scored = json.loads(cli("score", "-f", text, "--json", "--adapt", how).out)
    assert len(scored) == 12
    assert scored[-1]["adapted"]["logprob"] != scored[-1]["logprob"]
    lines = ("--context", "sentence", "--json", "--adapt", how)
    assert json.loads(cli("eval", text, *lines).out)["adapted"]["tokens"] == static["tokens"]
    assert "choose one" in cli.fails("eval", text, "--adapt", how, "--window", "5")
    assert "reads the text twice" in cli.fails("eval", "-", "--adapt", how, stdin=b"a\n")
    assert "--tokens" in cli.fails("score", "a", "--adapt", how, "--tokens")
