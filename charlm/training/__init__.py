"""From text to a trained network in a run directory."""

from ..system.extras import need

need("training", "torch", "matplotlib")
