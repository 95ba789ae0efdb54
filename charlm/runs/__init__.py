"""The run directory, what is chosen where nothing is said, and runs that need no torch."""
