"""How commands open models and texts: `--device` and `--adapt` of `charlm eval` and `score`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import TEXT, Cli


@pytest.mark.parametrize("how", [pytest.param("dynamic", marks=pytest.mark.train), "cache"])
def test_adapt(cli: Cli, tmp_path: Path, how: str) -> None:
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


@pytest.mark.train
@pytest.mark.parametrize("command", [["score", "-f"], ["eval"], ["eval", "--window", "3"]])
def test_device_gives_the_same_numbers(cli: Cli, tmp_path: Path, command: list[str]) -> None:
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
