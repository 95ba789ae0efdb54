"""One colour a cell."""

from __future__ import annotations

from charlm.config import CELLS
from charlm.lab.palette import GREYS, colour_of


def test_a_cell_has_a_colour_of_its_own() -> None:
    colours = [colour_of(cell) for cell in CELLS]
    assert len(set(colours)) == len(CELLS)
    assert [colour_of(cell.upper(), 3) for cell in CELLS] == colours
    assert [colour_of(f"{n}-gram", n) for n in range(4)] == list(GREYS)
