"""The recurrent network in torch: layers, loss, devices. Here torch begins."""
