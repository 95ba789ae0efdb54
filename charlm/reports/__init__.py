"""Reports: what a finished run shows, as numbers and as an HTML page."""

from ..system.extras import require_packages

require_packages("a report", "torch", "matplotlib")
