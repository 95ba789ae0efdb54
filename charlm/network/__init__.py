"""The recurrent network in torch: layers, loss, devices, bulk scoring. Nothing below imports torch."""

from ..system.extras import require_packages

require_packages("this", "torch")
