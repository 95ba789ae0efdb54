"""A finished run in numbers, and as a page."""
