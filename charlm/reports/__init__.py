"""A finished run in numbers, and as a page."""

from ..system.extras import need

need("a report", "torch", "matplotlib")
