"""The memory cell by hand: what it keeps, its gradient, and how steps are asked for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.lab import cell
from charlm.lab.cell import INPUT_WEIGHT, READ, SMALLEST, Gates, experiment, script

values = st.floats(-100, 100)
gates = st.floats(0, 1)


@given(values, st.integers(1, 300), st.integers(0, 5))
def test_what_was_written_is_read(value: float, keep: int, seed: int) -> None:
    """Whatever noise arrives in between, and with a gradient of 1."""
    found = experiment(script(["write", str(value), "keep", str(keep), "read"]), seed=seed)
    assert found.steps[-1].y == found.steps[0].c == value
    assert found.reading == keep + 2
    assert found.cell_gradient == (1.0,) * (keep + 2)
    assert all(len(one) == keep + 2 and one[-1] == 1 for one in found.rnn_gradients)
    cleared = experiment(script(["write", str(value), "clear", "read"]))
    assert cleared.steps[-1].y == 0
    assert cleared.cell_gradient == (0.0, 1.0, 1.0)


@given(st.lists(st.builds(Gates, st.just("gates"), gates, gates, st.just(0.0), values), max_size=8))
def test_gradients_are_those_of_the_equations(steps: list[Gates]) -> None:
    """Against the equations with the first state nudged."""
    found = experiment([Gates("write", 1, 0, 0, 1.0), *steps, READ])
    c = found.steps[0].c
    h = [held * INPUT_WEIGHT for held in found.steps[0].held]
    nudge = 1e-6
    up, down = c + nudge, c - nudge
    ups, downs = [x + nudge for x in h], [x - nudge for x in h]
    for step in found.steps[1:]:
        up, down = (step.f * each + step.i * step.x for each in (up, down))
        for states in (ups, downs):
            for k, w in enumerate(found.weights):
                states[k] = math.tanh(w * states[k] + INPUT_WEIGHT * step.x)
    assert found.cell_gradient[0] == pytest.approx((up - down) / (2 * nudge), abs=1e-6)
    for k, gradient in enumerate(found.rnn_gradients):
        assert gradient[0] == pytest.approx((ups[k] - downs[k]) / (2 * nudge), rel=1e-3, abs=1e-6)


def test_steps_are_asked_for_in_words() -> None:
    words = "write 4.2 keep 3 add -1 read 2 gates 0.5 0.25 1 7 clear read"
    asked = script(words.split())
    assert [one.name for one in asked] == [
        *("write", "keep", "keep", "keep", "add", "read", "read", "gates", "clear", "read")
    ]
    assert asked[4] == Gates("add", 1, 1, 0, -1.0)
    assert asked[7] == Gates("gates", 0.5, 0.25, 1, 7.0)
    found = experiment(asked)
    assert [step.c for step in found.steps[:5]] == [4.2, 4.2, 4.2, 4.2, 4.2 - 1]
    assert found.steps[7].c == pytest.approx(0.25 * 3.2 + 0.5 * 7)
    assert found.reading == 6


def test_steps_that_do_the_same_are_told_together_but_not_what_they_write() -> None:
    words = "write 1 write 2 keep 3 read clear clear read"
    found = experiment(script(words.split()))
    assert [(numbers, step.name) for numbers, step in found.spans()] == [
        *(("1", "write"), ("2", "write"), ("3–5", "keep"), ("6", "read"), ("7–8", "clear")),
        ("9", "read"),
    ]
    assert [step.c for _, step in found.spans()][:2] == [1.0, 2.0]


def test_where_nothing_is_read_there_is_no_gradient() -> None:
    found = experiment(script(["write", "1", "keep", "5"]), weights=[0.5, 1.0])
    assert found.reading == 0
    assert found.cell_gradient == ()
    assert found.rnn_gradients == ((), ())
    assert found.as_dict()["read_at"] is None
    assert [panel.title for panel in found.panels()] == ["gates", "what is held"]


def test_a_gradient_of_zero_is_drawn_at_the_floor() -> None:
    found = experiment(script(["write", "4", "clear", "read"]))
    cell, *rnns = found.panels()[2].lines
    assert list(cell.y) == [SMALLEST, 1, 1]
    assert all(min(rnn.y) > 0.1 for rnn in rnns)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("write", "'write' is followed by 1 number, not 'nothing'"),
        ("write x", "not 'x'"),
        ("keep 2.5", "keep takes a number of steps"),
        ("keep 0", "from 1 to 10,000"),
        ("read 99999", "from 1 to 10,000"),
        ("keep 9999 keep 9999", "10,000 are the most"),
        ("gates 2 0 0 1", "a gate is from 0"),
        ("gates 1 0", "followed by 4 numbers"),
        ("write nan", "not 'nan'"),
        ("write 1e7", "a number to write is from -1,000,000 to 1,000,000"),
        ("gates 1 1 1 -1e7", "a number to write is from"),
        ("read 1e7", "read takes a number of steps from 1 to 10,000"),
        ("keep inf", "keep takes a number of steps from 1 to 10,000"),
        ("dance", "unknown step 'dance'"),
        ("", "there is no step"),
    ],
)
def test_what_cannot_be_asked(words: str, said: str) -> None:
    with pytest.raises(CharlmError, match=said):
        script(words.split())


def test_nothing_done_is_no_run() -> None:
    with pytest.raises(CharlmError, match="no step was taken"):
        cell.Hand().finished()
    for noise in (-1, 1e300, math.nan):
        with pytest.raises(CharlmError, match="the noise must be from 0"):
            cell.Hand(noise=noise)
    for w in (math.inf, math.nan):
        with pytest.raises(CharlmError, match="a recurrent weight must be"):
            cell.Hand(weights=[1.0, w])
    with pytest.raises(CharlmError, match="at least one"):
        cell.Hand(weights=[])
