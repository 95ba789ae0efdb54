"""Work in threads: the same results in the same order, and errors are not lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from charlm.system import machine
from charlm.system.parallel import MAX_BEHIND, in_background, map_in_order


@pytest.fixture(params=[1, 2, 8])
def _cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cores", lambda: request.param)


@pytest.mark.usefixtures("_cores")
def test_results_keep_their_order() -> None:
    def work(number: int) -> int:
        time.sleep(0.001 * (number % 3))
        return number * number

    assert list(map_in_order(work, range(50))) == [n * n for n in range(50)]
    assert list(map_in_order(work, [])) == []


@pytest.mark.usefixtures("_cores")
def test_items_are_taken_only_a_few_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = map_in_order(str, items())
    assert next(results) == "0"
    assert len(taken) < 20


@pytest.mark.usefixtures("_cores")
def test_errors_of_work_and_of_items_are_raised() -> None:
    def work(number: int) -> float:
        return 1 / (number - 5)

    with pytest.raises(ZeroDivisionError):
        list(map_in_order(work, range(10)))

    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(map_in_order(work, items()))


def test_background_work_is_done_in_order_by_another_thread() -> None:
    done: list[int] = []
    threads: set[int] = set()

    def work(number: int) -> None:
        threads.add(threading.get_ident())
        done.append(number)

    with in_background(work) as submit:
        for number in range(100):
            submit(number)
    assert done == list(range(100))
    assert threads.isdisjoint({threading.get_ident()})


def test_errors_of_background_work_are_raised() -> None:
    def work(number: int) -> None:
        if number == 3:
            raise OSError("disk full")

    def run(count: int) -> None:
        with in_background(work) as submit:
            for number in range(count):
                submit(number)

    for count in (4, 10 * MAX_BEHIND):
        with pytest.raises(OSError, match="disk full"):
            run(count)
