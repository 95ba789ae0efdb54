"""What a process does that is not the first of a training: its share of every step, as ordered."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch

from ..config import NetworkConfig, TrainConfig
from ..text.corpus import reopened
from .processes import Alone
from .replica import Replica
from .signals import stop_on_signal


def follow(processes: Alone) -> None:
    """Do what the first process orders, to the end. Raises CharlmError if that process is gone."""
    replica: Replica | None = None
    with stop_on_signal() as stop:
        while True:
            order = processes.agree(None)
            what = order["do"]
            if what == "end":
                return
            if what == "begin":
                replica = _replica(order, processes)
                continue
            assert replica is not None
            if what == "step":
                if order["threads"] != torch.get_num_threads():
                    torch.set_num_threads(order["threads"])
                loss, norm = replica.gradients(order["step"], stop=stop.is_set())
                if math.isfinite(loss) and math.isfinite(norm):
                    replica.update(order["rate"])
            elif what == "share":
                replica.share()
            else:
                assert what == "join"
                replica.whole_state()


def _replica(order: dict[str, Any], processes: Alone) -> Replica:
    config = TrainConfig.from_dict(order["training"])
    corpus = reopened(Path(order["corpus"]))
    shape = NetworkConfig.from_dict(order["network"])
    return Replica(shape, config, corpus.train, processes)
