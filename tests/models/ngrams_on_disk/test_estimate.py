"""The estimate on disk: the same numbers as in memory, whatever is in memory at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.lm import Ids
from charlm.models.kneser_ney import estimate
from charlm.models.ngram import NgramLM
from charlm.models.ngrams_on_disk import estimate as on_disk
from charlm.models.ngrams_on_disk.columns import Column
from charlm.models.ngrams_on_disk.estimate import (
    Limits,
    OnDisk,
    Task,
    count_shard,
    estimated,
    limits,
)
from charlm.models.ngrams_on_disk.workplace import Workplace
from charlm.system import lock

MEMORY = 1 << 36  # more than other tests have left in this process
EOS = 0


@contextmanager
def few_at_a_time(stretch: int, block: int, span: int) -> Iterator[None]:
    """Hold only so many tokens, n-grams and n-grams looked up in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(on_disk, "limits", lambda *_: Limits(stretch, block, span, threads=2))
        yield


def column_of(ids: Ids, directory: Path) -> Column:
    directory.mkdir(exist_ok=True)
    column = Column(directory / "ids", np.uint16)
    with column.written() as file:
        file.append(ids)
    return column


def task_of(ids: Ids, V: int, N: int, directory: Path, **options: Any) -> Task:
    column = column_of(ids, directory)
    given_ = {"lines": True, "memory": MEMORY, "identity": "the text", **options}
    return Task(column, V, EOS, N, directory=directory / "work", **given_)


@contextmanager
def estimated_of(ids: Ids, V: int, N: int, directory: Path, **options: Any) -> Iterator[OnDisk]:
    calls = {
        name: options.pop(name) for name in ("progress", "announce", "warn") if name in options
    }
    with estimated(task_of(ids, V, N, directory, **options), **calls) as found:
        yield found


def same(one: NgramLM, other: NgramLM) -> bool:
    def arrays(lm: NgramLM) -> list[tuple[str, bytes]]:
        return [
            (str(part.dtype), part.tobytes())
            for order in lm.orders
            for part in (order.keys, order.nats, order.backoff)
        ]

    return one.config() == other.config() and arrays(one) == arrays(other)


def a_text(tokens: int, V: int, seed: int = 0) -> Ids:
    rng = np.random.default_rng(seed)
    ids = (rng.zipf(1.4, tokens) % V).astype(np.uint16)
    ids[rng.random(tokens) < 0.1] = EOS
    ids[-1:] = EOS
    return ids


class Case(NamedTuple):
    seed: int
    tokens: int
    V: int
    N: int
    lines: bool
    min_counts: tuple[int, ...]
    at_a_time: tuple[int, int, int]


CASES = st.builds(
    Case,
    seed=st.integers(0, 1000),
    tokens=st.integers(1, 600),
    V=st.integers(2, 40),
    N=st.integers(1, 7),
    lines=st.booleans(),
    min_counts=st.sampled_from([(), (1, 2), (1, 1, 2, 3)]),
    at_a_time=st.tuples(st.integers(1, 300), st.integers(1, 200), st.integers(1, 200)),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(CASES)
def test_the_numbers_are_those_of_the_estimate_in_memory(tmp_path: Path, case: Case) -> None:
    ids = a_text(case.tokens, case.V, case.seed)
    here: list[str] = []
    there: list[str] = []
    options: dict[str, Any] = {"lines": case.lines, "min_counts": case.min_counts}
    expected = estimate(ids, case.V, EOS, case.N, **options, warn=here.append)
    stretch, block, span = case.at_a_time
    with (
        few_at_a_time(max(stretch, case.tokens // 50), block, span),
        estimated_of(ids, case.V, case.N, tmp_path, **options, warn=there.append) as found,
    ):
        assert same(found.lm, expected)
        stored = {name: column.mapped() for name, column in found.columns.items()}
        tensors = expected.tensors()
        assert stored.keys() == tensors.keys()
        assert all(np.array_equal(stored[name], tensors[name]) for name in tensors)
    assert here == there
    assert not (tmp_path / "work").exists()


RUN = Workplace.run


def stopped_after(passes: int) -> Callable[..., Any]:
    """`Workplace.run`, stopped when so many passes are recorded and the next one is done."""

    def run(self: Workplace, name: str, work: Callable[..., Any]) -> Any:
        if name not in self.results and len(self.results) == passes:
            work(lambda done: None)
            raise KeyboardInterrupt
        return RUN(self, name, work)

    return run


def test_whichever_pass_is_stopped_the_next_estimate_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, V, N = a_text(800, 20), 20, 4
    options: dict[str, Any] = {"lines": True, "min_counts": (1, 1, 2)}
    expected = estimate(ids, V, EOS, N, **options)
    ran: list[str] = []

    def noting(self: Workplace, name: str, work: Callable[..., Any]) -> Any:
        ran.extend([] if name in self.results else [name])
        return RUN(self, name, work)

    with few_at_a_time(100, 50, 60):
        monkeypatch.setattr(Workplace, "run", noting)
        with estimated_of(ids, V, N, tmp_path, **options):
            passes = list(ran)
        assert len(passes) > 12
        for done in range(len(passes)):  # each goes on where the one before was stopped
            said: list[str] = []
            monkeypatch.setattr(Workplace, "run", stopped_after(done))
            with (
                pytest.raises(KeyboardInterrupt),
                estimated_of(ids, V, N, tmp_path, **options, announce=said.append),
            ):
                pass
            assert done < 2 or said[-1].startswith("stopped; the same command goes on")
            (tmp_path / "work" / ".run-00001.________.tmp").touch()
        for done in (3, 8, 12):
            shutil.rmtree(tmp_path / "work", ignore_errors=True)
            monkeypatch.setattr(Workplace, "run", stopped_after(done))
            with pytest.raises(KeyboardInterrupt), estimated_of(ids, V, N, tmp_path, **options):
                pass
            monkeypatch.setattr(Workplace, "run", noting)
            ran.clear()
            with estimated_of(ids, V, N, tmp_path, **options) as found:
                assert same(found.lm, expected)
            assert ran == passes[done:]


def test_another_text_in_the_same_place_is_begun_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = a_text(300, 9), a_text(300, 9, seed=1)
    with monkeypatch.context() as patch:
        patch.setattr(Workplace, "run", stopped_after(6))
        with pytest.raises(KeyboardInterrupt), estimated_of(first, 9, 3, tmp_path):
            pass
    with estimated_of(second, 9, 3, tmp_path, identity="another") as found:
        assert same(found.lm, estimate(second, 9, EOS, 3, lines=True))


def test_a_text_that_is_one_ngram_over_and_over(tmp_path: Path) -> None:
    ids = np.full(5000, 1, np.uint16)
    with few_at_a_time(100, 10, 10), estimated_of(ids, 2, 5, tmp_path, lines=False) as found:
        assert same(found.lm, estimate(ids, 2, EOS, 5, lines=False))


def test_progress_only_grows_and_disk_is_announced(tmp_path: Path) -> None:
    done: list[float] = []
    said: list[str] = []
    with (
        few_at_a_time(500, 300, 300),
        estimated_of(a_text(5000, 30), 30, 4, tmp_path, progress=done.append, announce=said.append),
    ):
        pass
    assert all(before <= after for before, after in pairwise(done))
    assert done[-1] == pytest.approx(1.0)
    (message,) = said
    assert message.startswith("this takes up to ")
    assert str(tmp_path / "work") in message


def test_too_little_disk_is_an_error_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with (
        pytest.raises(CharlmError, match="free some there, or choose another directory"),
        estimated_of(a_text(5000, 30), 30, 4, tmp_path),
    ):
        pass


def test_too_little_memory_is_an_error_that_says_how_much_is_needed(tmp_path: Path) -> None:
    with (
        pytest.raises(CharlmError, match=r"a vocabulary of 30, give at least `memory=\d+M`"),
        estimated_of(a_text(100, 30), 30, 3, tmp_path, memory=1_000_000),
    ):
        pass


def test_more_memory_holds_more() -> None:
    less, more = limits(MEMORY, 1000, 5), limits(4 * MEMORY, 1000, 5)
    assert less.stretch < more.stretch
    assert less.block < more.block
    assert less.span < more.span
    assert limits(MEMORY, 1000, 10).stretch < less.stretch


def test_two_cannot_work_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with (
        lock.held(tmp_path / "work") as mine,
        pytest.raises(CharlmError, match="is in use"),
        estimated_of(a_text(100, 30), 30, 3, tmp_path),
    ):
        assert mine


def count_shards(shards: list[int], of: int, ids: Ids, directory: Path) -> list[int]:
    """Count these shards of a text, in this order; how many runs each of them has."""
    task = task_of(ids, 30, 3, directory)
    return [count_shard(task, k, of)[0] for k in shards]


def test_shards_are_counted_in_any_order_and_the_rest_in_the_end(tmp_path: Path) -> None:
    ids = a_text(1000, 30)
    expected = estimate(ids, 30, EOS, 3, lines=True)
    with few_at_a_time(stretch=100, block=50, span=50):
        assert count_shards([3, 1], 3, ids, tmp_path) == [4, 3]
        runs = sorted(path.name for path in (tmp_path / "work").glob("run-*"))
        assert [int(name[-2:]) for name in runs] == [0, 1, 2, 6, 7, 8, 9]
        before = (tmp_path / "work" / runs[0]).stat().st_mtime_ns
        assert count_shards([1], 3, ids, tmp_path) == [3]
        assert (tmp_path / "work" / runs[0]).stat().st_mtime_ns == before  # not counted again
        with estimated_of(ids, 30, 3, tmp_path) as found:
            assert same(found.lm, expected)


def test_what_shards_have_counted_is_not_lost_to_another_amount_of_memory(tmp_path: Path) -> None:
    ids = a_text(500, 30)
    with few_at_a_time(stretch=100, block=50, span=50):
        count_shards([1], 2, ids, tmp_path)
        with (
            pytest.raises(CharlmError, match="counted with `memory=65536M`: give the same"),
            estimated_of(ids, 30, 3, tmp_path, memory=MEMORY + 1),
        ):
            pass
        assert list((tmp_path / "work").glob("run-*"))


def test_a_shard_waits_for_whoever_plans_and_then_gives_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = a_text(500, 30)
    (tmp_path / "work").mkdir()
    monkeypatch.setattr(on_disk, "PATIENCE_SECONDS", 0.2)
    with (
        lock.held(tmp_path / "work"),
        pytest.raises(CharlmError, match="another charlm counts the same text"),
    ):
        count_shards([1], 2, ids, tmp_path)
