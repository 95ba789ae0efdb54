"""The learning curves of a run as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import storage
from .measures import LN2


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a PNG: loss per token and learning rate against steps, from the rows of metrics.jsonl.

    Nothing is written if there is nothing to draw.
    """
    trained = [row for row in rows if "loss" in row]
    validated = [row for row in rows if "valid" in row]
    if not trained and not validated:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    if trained:
        steps = [row["step"] for row in trained]
        top.plot(steps, [row["loss"] / LN2 for row in trained], lw=0.8, alpha=0.7, label="training")
        bottom.plot(steps, [row["learning_rate"] for row in trained], color="tab:green")
    if validated:
        bits = [-row["valid"]["logprob"] / row["valid"]["tokens"] / LN2 for row in validated]
        top.plot([row["step"] for row in validated], bits, "o-", ms=4, label="validation")
        low = min(range(len(bits)), key=bits.__getitem__)
        top.annotate(
            f"best {bits[low]:.3f}",
            (validated[low]["step"], bits[low]),
            xytext=(0, 14),
            textcoords="offset points",
            ha="right",
        )
    top.set_ylabel("bits per token")
    top.grid(alpha=0.3)
    top.legend()
    bottom.set_ylabel("learning rate")
    bottom.set_xlabel("optimiser steps")
    bottom.grid(alpha=0.3)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=120)
    storage.write_bytes(path, picture.getvalue())
