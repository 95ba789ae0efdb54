"""A finished run in numbers, and as a page."""

from ..system.extras import require_packages

require_packages("a report", "torch", "matplotlib")
