"""The layer below everything: atomic writes, tensor files, the machine, memory allocation."""
