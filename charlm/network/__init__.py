"""The recurrent network in torch: layers, loss, devices. Here torch begins."""

from ..system.extras import need

need("this", "torch")
