"""From text to a trained network in a run directory."""
