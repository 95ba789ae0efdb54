"""The memory experiment: the same in one process and in several, and its summary."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charlm.config import CELLS
from charlm.errors import CharlmError
from charlm.lab import memory
from charlm.system import machine


def small(**more: object) -> memory.Memory:
    usual = {"cells": ["rnn"], "lags": [2, 6], "hidden": 8, "steps": 5, "seeds": 2, "count": False}
    return memory.experiment(**(usual | more))  # type: ignore[arg-type]


def test_processes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(machine, "cores", lambda: 2)
        many = small()
    told: list[float] = []
    one = small(progress=told.append)
    assert one == many
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    assert small(seed=7) != one


@settings(max_examples=3, deadline=None)
@given(st.sampled_from(CELLS))
def test_counting_is_by_seed(cell: str) -> None:
    right = (True, True, False, True)
    assert memory.Count(cell, (right, (True,) * 4, (False,) * 4)).reach == (2, 4, 0)


def test_remarks_do_not_overlook_a_gap() -> None:
    shares = {1: 1.0, 2: 1.0, 3: 0.5, 5: 1.0, 10: 0.5, 20: 0.5}
    one = memory.Recall("rnn", {lag: (share,) for lag, share in shares.items()}, {})
    assert memory.Memory((1,), 8, 5, (one,), ()).kept(one) == 2
    assert memory.Memory((1,), 8, 5, (one,), ()).lost(one) == 10


def test_what_cannot_be_asked() -> None:
    with pytest.raises(CharlmError, match="unknown cell"):
        small(cells=["brain"])
    with pytest.raises(CharlmError, match="lags must be"):
        small(lags=[0])
