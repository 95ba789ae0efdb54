"""The measurements of a run: rows that become metrics.jsonl and the curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..measures import Measures
from ..runs.learning_curves import draw, final_loss
from ..runs.run_directory import RunDirectory
from .checkpoint import Progress


class MetricsLog:
    """Rows of measurements; `runs/run_record.py` says what is in them."""

    def __init__(self, run: RunDirectory) -> None:
        self.run = run
        self.rows: list[dict[str, Any]] = []

    def read(self, last_step: int) -> None:
        """Go back to the rows on disk, those of later steps left out."""
        self.rows = self.run.read_metrics(last_step)

    def write(self) -> None:
        self.run.write_metrics(self.rows)

    def trained(
        self, progress: Progress, losses: Sequence[float], norm: float, rate: float, speed: float
    ) -> None:
        """Add a row on the steps since the last one: their losses, and norm, rate and speed now."""
        self.rows.append(
            {
                "step": progress.step,
                "loss": sum(losses) / len(losses),
                "gradient_norm": norm,
                "learning_rate": rate,
                "tokens_per_second": round(speed, 1),
                "seconds": round(progress.seconds, 3),
            }
        )

    def validated(
        self, progress: Progress, measures: Measures, sample: str | None, kept: Measures | None
    ) -> None:
        """Add a row on a validation, and on the old text if there is one; write."""
        row: dict[str, Any] = {
            "step": progress.step,
            "seconds": round(progress.seconds, 3),
            "valid": measures.as_dict(),
        }
        if kept is not None:
            row["kept"] = kept.as_dict()
        if sample is not None:
            row["sample"] = sample
        self.rows.append(row)
        self.write()

    @property
    def validations(self) -> int:
        """How many there have been."""
        return sum("valid" in row for row in self.rows)

    @property
    def just_validated(self) -> bool:
        """Whether nothing has been added since a validation."""
        return bool(self.rows) and "valid" in self.rows[-1]

    @property
    def final_loss(self) -> float | None:
        """Of the last tenth of training, nats per token."""
        return final_loss(self.rows)

    def draw(self) -> None:
        """Draw the curves."""
        draw(self.rows, self.run.curves)
