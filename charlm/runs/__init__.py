"""The run directory, the options and defaults of runs, and runs without torch (n-gram, mix)."""
