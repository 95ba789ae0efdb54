"""Training: from a text to a trained network in a run directory."""

from ..system.extras import require_packages

require_packages("training", "torch", "matplotlib")
