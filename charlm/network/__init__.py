"""The recurrent network in torch: layers, loss, devices, bulk scoring."""

from ..system.extras import require_packages

require_packages("this", "torch")
