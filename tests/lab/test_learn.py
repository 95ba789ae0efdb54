"""Training in the lab: until nothing is left to learn, in several processes."""

from __future__ import annotations

import os

import numpy as np
import pytest

from charlm.config import NetworkConfig
from charlm.errors import CharlmError
from charlm.lab import lags, learn
from charlm.network.network import Network
from charlm.system import machine


def test_a_process_that_dies_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: 2)
    with pytest.raises(CharlmError, match="died"):
        learn.run_parallel(os._exit, [9, 9], [1.0, 1.0])


def test_drill_ends_when_nothing_is_left_to_learn() -> None:
    network = Network(NetworkConfig(9, cell="gru", embed=4, hidden=8))
    network.initialise(1)
    rng = np.random.default_rng(1)
    steps = learn.train_on_task(network, lambda: lags.task(rng, 2, 8), 50, 1e-3, target_loss=100.0)
    assert steps == learn.CONVERGED_STEPS
