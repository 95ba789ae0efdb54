"""The run directory, the options and defaults of runs, and the runs that need no torch (n-gram, mix)."""
