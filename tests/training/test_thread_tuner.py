"""The number of threads follows what the machine is doing."""

from __future__ import annotations

from collections.abc import Callable

from charlm.training.thread_tuner import ThreadTuner


def simulate(
    tuner: ThreadTuner, seconds: Callable[[int, float], float], until: float
) -> list[tuple[float, int]]:
    """Steps of `seconds(threads, now)`; returns the time and the threads of each."""
    now, steps = 0.0, []
    while now < until:
        now += seconds(tuner.threads, now)
        steps.append((now, tuner.threads))
        tuner.stepped(now - (steps[-2][0] if len(steps) > 1 else 0.0))
    return steps


def test_an_idle_machine_keeps_its_threads() -> None:
    steps = simulate(ThreadTuner([2, 1], 2), lambda threads, _: 0.1 / threads, 30)
    assert {threads for _, threads in steps} == {2}


def test_a_neighbour_comes_and_goes() -> None:
    def seconds(threads: int, now: float) -> float:
        busy = 20 < now < 60
        return (0.3 if busy else 0.05) if threads == 2 else 0.1

    steps = simulate(ThreadTuner([2, 1], 2), seconds, 120)

    def share(begin: float, end: float, threads: int) -> float:
        inside = [used for now, used in steps if begin <= now < end]
        return inside.count(threads) / len(inside)

    assert share(0, 20, 2) == 1
    assert share(25, 60, 1) > 0.9
    assert share(90, 120, 2) > 0.9


def test_with_one_number_there_is_nothing_to_choose() -> None:
    steps = simulate(ThreadTuner([3], 3), lambda _, now: 0.1 if now < 5 else 1.0, 20)
    assert {threads for _, threads in steps} == {3}


def test_the_fastest_of_several_numbers_is_found() -> None:
    def seconds(threads: int, now: float) -> float:
        return 0.8 / threads if now < 10 else {8: 1.0, 7: 0.12, 4: 0.2, 1: 0.8}[threads]

    steps = simulate(ThreadTuner([8, 7, 4, 1], 8), seconds, 60)
    assert steps[-1][1] == 7
