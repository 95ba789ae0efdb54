"""Jaeger's timer: what is asked, what counts, and that a small one is learned."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.lab import timer
from charlm.lab.timer import Job, TimerNetwork, example, experiment, train_and_test

pytestmark = pytest.mark.usefixtures("one_thread")


@given(
    st.lists(st.tuples(st.floats(0.1, 1), st.integers(0, 30)), min_size=1, max_size=5),
    st.integers(20, 300),
)
def test_the_output_wanted_is_on_for_as_long_as_told(
    told: list[tuple[float, int]], size: int
) -> None:
    u2, start = (np.array(column) for column in zip(*told, strict=True))
    x_TB2, y_TB, end = example(u2, start, size)
    assert (x_TB2[:, :, 0].sum(0) == 1).all()
    assert (x_TB2[:, :, 0].argmax(0) == start).all()
    np.testing.assert_allclose(x_TB2[:, :, 1], np.broadcast_to(u2, y_TB.shape), rtol=1e-6)
    assert ((y_TB > 0).sum(0) == np.round(size * u2)).all()
    assert (y_TB.argmax(0) == start).all()
    assert (end - start == np.round(size * u2)).all()
    assert not y_TB[-1].any()


@pytest.mark.parametrize("cell", list(timer.MODULES))
def test_the_start_is_learned(cell: str) -> None:
    network = TimerNetwork(Job(cell, 1, 20, 1))
    x, _, _ = example(np.array([0.3, 0.9]), np.array([0, 5]), 20)
    network(torch.from_numpy(x)).square().mean().backward()
    assert network.start.grad is not None
    assert float(network.start.grad.abs().sum()) > 0
    assert network.start.shape[0] == (2 if cell == "lstm" else 1)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gates_begin_as_the_size_wants_it(cell: str) -> None:
    """The second of them keeps: f of i, f, g, o, and z of r, z, n."""
    weights = TimerNetwork(Job(cell, 1, 100, 1)).recurrent.state_dict()
    bias = weights["bias_ih_l0"] + weights["bias_hh_l0"]
    kept = torch.exp(bias.view(-1, timer.HIDDEN_UNITS)[1])
    assert float(kept.min()) >= 1
    assert float(kept.max()) <= 99


def test_a_small_timer_is_learned() -> None:
    before, after = (train_and_test(Job("gru", 1, 20, steps)) for steps in (1, 250))
    assert after.error < 0.1 < before.error
    assert after.lateness < 3
    assert len(after.errors) == len(after.late) == timer.TEST_U2


def test_times_grow_longer_while_training() -> None:
    found = [timer.largest_u2(step / 1000) for step in range(1000)]
    assert found == sorted(found)
    assert set(found) == {0.2, 0.4, 0.7, 1.0}
    assert found.count(1.0) == pytest.approx(420, abs=2)


def test_the_same_seed_makes_the_same_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    first, same = (experiment(cells=["lstm"], size=20, steps=3, seeds=2) for _ in range(2))
    assert first == same
    assert [one.seed for one in first.of_cell("lstm")] == [1, 2]
    assert first.trials[0].errors != first.trials[1].errors
    assert len(first.panels()) == 2
    assert timer.tolerance(1000) == 10


def test_what_cannot_be_asked() -> None:
    with pytest.raises(CharlmError, match="unknown cell 'lstm-peephole'"):
        experiment(cells=["lstm-peephole"])
    with pytest.raises(CharlmError, match="at least 20"):
        experiment(size=5)
