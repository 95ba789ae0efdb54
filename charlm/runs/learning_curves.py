"""Draw the learning curves of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..display.charts import Line, Panel, png
from ..measures import bits
from ..system import storage


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the panels of a run as a PNG; nothing if there is nothing to draw."""
    drawn = panels(rows)
    if drawn:
        storage.write_bytes(path, png(drawn))


def panels(rows: Sequence[Mapping[str, Any]]) -> list[Panel]:
    """Loss per token and learning rate against steps, from the rows of metrics.jsonl."""
    trained = [row for row in rows if "loss" in row]
    validated = [row for row in rows if "valid" in row]
    if not trained and not validated:
        return []
    steps = [row["step"] for row in trained]
    training = Line("training", steps, [bits(row["loss"]) for row in trained])
    valid_steps = [row["step"] for row in validated]
    per_token = [bits(-row["valid"]["logprob"] / row["valid"]["tokens"]) for row in validated]
    best_index = min(range(len(per_token)), key=per_token.__getitem__, default=0)
    best = per_token[best_index] if per_token else 0.0
    marks = [(f"best {best:.3f}", valid_steps[best_index], best)] if per_token else []
    lines = [training] * bool(trained) + [Line("validation", valid_steps, per_token, "o-")] * bool(
        per_token
    )
    rates = Line("", steps, [row["learning_rate"] for row in trained], colour=2)
    x = "optimiser steps"
    return [
        Panel("", x, "bits per token", lines, marks=marks, height=3),
        Panel("", x, "learning rate", [rates]),
    ]


def final_loss(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """The training loss over the last tenth of the steps, nats per token; None: no steps."""
    losses = [(row["step"], row["loss"]) for row in rows if "loss" in row]
    last = [loss for step, loss in losses if step > 0.9 * losses[-1][0]]
    return sum(last) / len(last) if last else None
