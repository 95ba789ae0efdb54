"""The colour of each model: the same cell has the same colour in every picture."""

from __future__ import annotations

from ..config import CELLS
from ..display.charts import COLOURS

GREYS = ("#b4b4b4", "#8e8e8e", "#686868", "#424242")  # of n-gram models, which are no cells


def colour_of(model: str, place: int = 0) -> str:
    """A cell's colour, however it is spelled; another model's is a grey, the `place`-th of them."""
    cell = model.lower()
    if cell in CELLS:
        return COLOURS[CELLS.index(cell)]
    return GREYS[place % len(GREYS)]
