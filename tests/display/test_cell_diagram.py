"""The inside of cells, drawn."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from charlm.display.cell_diagram import CELLS
from charlm.display.diagram import colour

SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("x", "s before", "c before", "r", "z", "n", "i", "f", "g", "o", "c", "s")
VALUES = {name: (0.1 * k, -0.05 * k) for k, name in enumerate(NAMES)}
SHOWN = {
    "rnn": {"x", "s before", "s"},
    "rnn-relu": {"x", "s before", "s"},
    "lstm": {"x", "s before", "c before", "i", "f", "g", "o", "c", "s"},
    "lstm-peephole": {"x", "s before", "c before", "i", "f", "g", "o", "c", "s"},
    "gru": {"x", "s before", "r", "z", "n", "s"},
}


@pytest.mark.parametrize("cell", list(CELLS))
def test_every_value_of_the_cell_is_drawn_and_no_other(cell: str) -> None:
    root = ET.fromstring(CELLS[cell](VALUES).svg(cell, alone=True))
    fills = {one.get("fill") for one in root.iter(f"{SVG}rect")} - {"none"}
    expected = {colour(value) for name in SHOWN[cell] for value in VALUES[name]}
    assert fills == expected
    wide, tall = map(float, root.get("viewBox", "").split()[2:])
    for one in root.iter(f"{SVG}text"):
        assert 0 <= float(one.get("x", "")) <= wide
        assert 0 <= float(one.get("y", "")) <= tall


def test_peepholes_are_dashed_and_only_theirs() -> None:
    assert CELLS["lstm-peephole"](VALUES).svg("p").count("stroke-dasharray") == 3
    assert "stroke-dasharray" not in CELLS["lstm"](VALUES).svg("p")


def test_relu_is_named() -> None:
    assert ">relu<" in CELLS["rnn-relu"](VALUES).svg("r")
