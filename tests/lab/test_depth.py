"""Layers: the machines, equal sizes, the learned start."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from charlm.errors import CharlmError
from charlm.lab.depth import (
    LAYERS_WIDTH,
    NETWORKS,
    STATES,
    Deep,
    Depth,
    Job,
    experiment,
    first_token,
    machines,
    run_machines,
    tables,
    weights_of,
    width_of,
)


@pytest.fixture(scope="module")
def found() -> Depth:
    return experiment(steps=40, seeds=2)


def test_every_machine_reads_the_state_of_the_one_before() -> None:
    symbols = np.random.default_rng(1).integers(0, STATES, (6, 3))
    found, T = run_machines(symbols), tables()
    for b in range(3):
        m1 = m2 = m3 = 0
        for t in range(6):
            m1 = T[0, symbols[t, b], m1]
            m2 = T[1, m1, m2]
            m3 = T[2, m2, m3]
            assert found[t, b].tolist() == [m1, m2, m3]


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_three_layers_have_the_fewest_weights_and_hardly_fewer(cell: str) -> None:
    sizes = {
        name: weights_of(Deep(cell, *shape, width_of(cell, name)))
        for name, shape in NETWORKS.items()
    }
    assert min(sizes, key=lambda name: sizes[name]) == "3 layers"
    assert max(sizes.values()) < 1.08 * sizes["3 layers"]
    assert width_of(cell, "3 layers") == LAYERS_WIDTH


def test_one_machine_is_learned_in_a_few_hundred_steps() -> None:
    trial = machines(Job("3 layers", "gru", 1, 200))
    assert trial.right[0] > 0.9
    assert trial.losses[-1] < 0.6 * trial.losses[0]
    assert trial.losses[0] == pytest.approx(math.log(STATES), abs=0.1)


def test_a_learned_start_knows_how_sentences_begin(found: Depth) -> None:
    zero = first_token(Job("zero", "rnn", 1, 100))
    learned = first_token(Job("learned", "rnn", 1, 100))
    assert found.least - 0.05 < learned < zero - 0.5


def test_the_numbers_are_there(found: Depth) -> None:
    assert list(found.trials) == list(NETWORKS)
    assert all(len(trials) == 2 for trials in found.trials.values())
    assert all(0 <= e <= 1 for e in found.errors("1 layer", 2))
    assert [len(panel.lines) for panel in found.panels()] == [3, 3]
    assert json.loads(json.dumps(found.as_dict()))["cell"] == "rnn"


def test_what_it_refuses() -> None:
    with pytest.raises(CharlmError, match="unknown cell 'clock'"):
        experiment(cell="clock")
    with pytest.raises(CharlmError, match="at least 40 steps"):
        experiment(steps=3)
