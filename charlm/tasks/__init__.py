"""One file for each use of a language model. Each knows only the contract."""
