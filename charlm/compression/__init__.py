"""Lossless compression of files with a language model."""
