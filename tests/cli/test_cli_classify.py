"""`charlm classify`."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from cli_support import Cli


@pytest.fixture
def model() -> None:
    """No model is meant where a command names none."""


def test_classify_command(cli: Cli, two: tuple[Path, Path], tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("x\tthe apple\ny\tQXZ\nx\tpear\n")
    models = ("-m", f"x={two[0]}", "-m", f"y={two[1]}")
    rows = cli("classify", text, *models).out.splitlines()
    assert rows[0].split("\t") == ["label", "probability", "margin", "text"]
    assert len(rows) == 4
    found = json.loads(
        cli("classify", text, *models, "--labelled", "--calibrate", text, "--json").out
    )
    assert 0 <= found["accuracy"] <= 1
    assert found["temperature"] > 0
    for one in found["texts"]:
        assert math.isclose(sum(one["posterior"].values()), 1, rel_tol=1e-6)
    assert "two models" in cli.fails("classify", text, "-m", f"x={two[0]}")
    text.write_text("x\tonly\n")
    assert "no calibration text is labelled y" in cli.fails(
        "classify", text, *models, "--calibrate", text
    )
    assert "name=value" in cli.fails("classify", text, "-m", "x")
    assert "no model of that name" in cli.fails("classify", text, *models, "--prior", "z=0.5")
    assert "not a number" in cli.fails("classify", text, *models, "--prior", "x=half")
