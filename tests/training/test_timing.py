"""The number of steps that fit in the time given."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trainings import SMALL, Recorder

from charlm.config import NetworkConfig, TrainConfig
from charlm.runs.events import Step
from charlm.training import timing
from charlm.training.run import train


def test_the_number_of_steps_follows_the_clock(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine turns out to be ten times slower than measured: the run still ends in time."""
    monkeypatch.setattr("charlm.training.timing.seconds_per_step", lambda *_: 0.0005)
    rates: list[float] = []

    class Slow(Recorder):
        def step(self, step: Step) -> None:
            time.sleep(0.005)
            rates.append(step.learning_rate)

    outcome = train(text, minutes=0.08, eval_every=50, events=Slow(), **SMALL)
    assert outcome.steps < 1500  # of 5 ms and more, where 4.8 s were given
    falls = [a - b for a, b in pairwise(rates[50:])]
    assert min(falls) >= 0  # the schedule never jumps back
    assert rates[-1] < 0.02 * max(rates)  # and reaches its end


NETWORK = NetworkConfig(7, embed=4, hidden=8)
CONFIG = TrainConfig(batch_size=4, bptt=8, threads=1)


IDS = np.random.default_rng(0).integers(7, size=400)


@pytest.mark.parametrize(
    "settings", [{}, {"optimizer": "muon", "softmax_sample": 3}, {"optimizer": "sgd"}]
)
def test_any_training_can_be_timed(settings: dict[str, Any]) -> None:
    assert timing.seconds_per_step(NETWORK, replace(CONFIG, **settings), IDS, seconds=0.05) > 0


def test_minutes_go_with_a_sampled_softmax(text: Path) -> None:
    chosen = {**SMALL, "level": "word", "vocab_size": 12, "softmax_sample": 5}
    assert train(text, minutes=0.03, optimizer="muon", **chosen).best["tokens"] > 0


@pytest.mark.parametrize(
    ("wanted", "bf16", "speedup", "chosen"),
    [
        ("fp32", True, 9.0, "fp32"),
        ("bf16", False, 0.5, "bf16"),
        (None, False, 9.0, "fp32"),
        (None, True, 2.0, "bf16"),
        (None, True, 1.05, "fp32"),  # not worth its coarser numbers
    ],
)
def test_bf16_has_to_be_worth_it(
    wanted: str | None, bf16: bool, speedup: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def takes(network: NetworkConfig, config: TrainConfig, *_: object) -> float:
        return 1.0 if config.precision == "fp32" else 1.0 / speedup

    monkeypatch.setattr(timing, "has_bf16", lambda _: bf16)
    monkeypatch.setattr(timing, "seconds_per_step", takes)
    config, seconds = timing.measure(NETWORK, CONFIG, IDS, wanted, [1])
    assert config.precision == chosen
    assert seconds == (1.0 if chosen == "fp32" else 1.0 / speedup)


@pytest.mark.parametrize(
    ("seconds", "chosen"),
    [
        ({4: 1.0, 2: 1.5, 1: 3.0}, 4),  # idle
        ({4: 9.0, 2: 1.5, 1: 3.0}, 2),
        ({4: 9.0, 2: 5.0, 1: 3.0}, 1),
        ({4: 1.0, 2: 0.9, 1: 0.9}, 4),  # within the noise
        ({4: 2.0, 2: 2.5, 1: 1.0}, 4),  # fewer are not tried once fewer do not help
    ],
)
def test_threads_are_chosen_by_timing(
    seconds: dict[int, float], chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def takes(network: NetworkConfig, config: TrainConfig, *_: object) -> float:
        return seconds[config.threads]

    monkeypatch.setattr(timing, "seconds_per_step", takes)
    found = timing.measure(NETWORK, CONFIG, IDS, "fp32", [4, 2, 1])
    assert found[0].threads == chosen
    assert found[1] == seconds[chosen]


def test_a_network_too_slow_is_not_timed_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def takes(network: NetworkConfig, config: TrainConfig, *_: object) -> float:
        calls.append(config.threads)
        return 5.0

    monkeypatch.setattr(timing, "seconds_per_step", takes)
    assert timing.measure(NETWORK, CONFIG, IDS, None, [2, 1], 1.0)[1] == 5.0
    assert calls == [2, 1]  # and not again in another precision
