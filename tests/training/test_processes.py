"""Several processes train as one does: here in threads, and once as torchrun starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch import distributed as dist

from charlm.errors import CharlmError
from charlm.runs.events import Outcome
from charlm.runs.run_directory import RunDirectory
from charlm.training import follow as following
from charlm.training import processes, run
from charlm.training.processes import Alone, Several
from charlm.training.replica import Replica

pytestmark = pytest.mark.usefixtures("one_thread")

TEXT = "".join(f"the {a} {b} sat on the {c}\n" for a in "abcdef" for b in "ghijkl" for c in "mnopq")
SETTINGS: dict[str, Any] = {
    "hidden": 8,
    "embed": 6,
    "batch_size": 7,
    "bptt": 8,
    "plain": True,
    "dropout": 0.0,
    "precision": "fp32",
    "eval_every": 10,
    "optimizer": "muon",
    "threads": 1,
}


class Threads:
    """What the threads of a test have in common."""

    def __init__(self, count: int) -> None:
        self.barrier = threading.Barrier(count)
        self.tensors: list[Tensor | None] = [None] * count

    def abort(self) -> None:
        self.barrier.abort()


class InThread(Several):
    """One of several threads that work as processes do."""

    def __init__(self, rank: int, count: int, threads: Threads) -> None:
        super().__init__(rank, count)
        self.threads = threads

    def _all(self, tensor: Tensor) -> list[Tensor]:
        self.threads.tensors[self.rank] = tensor.clone()
        self._wait()
        found = [one for one in self.threads.tensors if one is not None]
        self._wait()
        return found

    def _wait(self) -> None:
        try:
            self.threads.barrier.wait(60)
        except threading.BrokenBarrierError:
            raise CharlmError("lost each other") from None

    def same(self, tensor: Tensor) -> None:
        tensor.copy_(self._all(tensor)[0])

    def sum(self, tensor: Tensor) -> None:
        tensor.copy_(torch.stack(self._all(tensor)).sum(0))

    def seed(self, seed: int, step: int) -> None:
        """All threads draw from the same generator."""


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


@contextmanager
def together(count: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Replica]]:
    """Trainings within are done by so many threads; yields the replicas of the others."""
    replicas: list[Replica] = []
    one_at_a_time, initialise = threading.Lock(), Replica.__init__

    def noted(self: Replica, *args: Any) -> None:
        with one_at_a_time:  # they draw from the same generator
            initialise(self, *args)
        if self.processes.rank:
            replicas.append(self)

    @contextmanager
    def joined() -> Iterator[Alone]:
        if count == 1:
            yield Alone()
            return
        threads = Threads(count)
        with ThreadPoolExecutor(count - 1) as pool:
            others = [
                pool.submit(following.follow, InThread(rank, count, threads))
                for rank in range(1, count)
            ]
            first = InThread(0, count, threads)
            try:
                yield first
                first.let_go()
            finally:
                if any(other.done() and other.exception() for other in others):
                    threads.abort()
            for other in others:
                other.result()

    with monkeypatch.context() as patch:
        patch.setattr(run, "joined", joined)
        patch.setattr(Replica, "__init__", noted)
        yield replicas


def losses(directory: Path) -> dict[int, float]:
    rows = map(json.loads, (directory / "metrics.jsonl").read_text().splitlines())
    return {row["step"]: row["loss"] for row in rows if "loss" in row}


def train(text: Path, out: str, **settings: Any) -> Outcome:
    return run.train(text, out=out, **{**SETTINGS, **settings})


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_several_processes_make_the_steps_of_one(
    text: Path, monkeypatch: pytest.MonkeyPatch, cell: str
) -> None:
    train(text, "one", steps=30, cell=cell)
    for count in (2, 3):  # of which 7 streams are not multiples
        with together(count, monkeypatch) as others:
            train(text, f"{count}", steps=30, cell=cell)
        expected, found = losses(Path("one")), losses(Path(f"{count}"))
        assert found.keys() == expected.keys()
        assert list(found.values()) == pytest.approx(list(expected.values()), abs=2e-5)
        weights = [dict(other.network.named_parameters()) for other in others]
        for name, parameter in weights[0].items():
            assert all(torch.equal(parameter, one[name]) for one in weights)


def test_processes_that_use_different_rows_make_the_same_steps(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with together(3, monkeypatch) as others:
        outcome = train(text, "run", steps=30, softmax_sample=5)
    assert outcome.steps == 30
    one, two = (dict(other.network.named_parameters()) for other in others)
    assert others[0].network.rows_only
    for name, parameter in one.items():
        assert torch.equal(parameter, two[name])


def test_a_run_goes_on_with_another_number_of_processes(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(text, "one", steps=30)
    for number, count in enumerate((2, 1, 3)):
        stop_at, gradients = 10 * (number + 1), Replica.gradients

        def stopping(
            self: Replica,
            step: int,
            *,
            stop: bool = False,
            at: int = stop_at,
            original: Any = gradients,
        ) -> tuple[float, float]:
            return original(self, step, stop=stop or step == at - 1)  # type: ignore[no-any-return]

        with together(count, monkeypatch), monkeypatch.context() as patch:
            patch.setattr(Replica, "gradients", stopping)
            outcome = train(text, "parts", steps=30) if number == 0 else run.resume("parts")
        assert outcome.steps == stop_at
        assert outcome.interrupted == (stop_at < 30)
    expected, found = losses(Path("one")), losses(Path("parts"))
    assert list(found.values()) == pytest.approx(list(expected.values()), abs=2e-5)


def test_one_that_is_asked_to_stop_stops_all(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gradients = Replica.gradients

    def stopping(self: Replica, step: int, *, stop: bool = False) -> tuple[float, float]:
        return gradients(self, step, stop=self.processes.rank == 1 and step == 4)

    with together(2, monkeypatch):
        monkeypatch.setattr(Replica, "gradients", stopping)
        outcome = train(text, "run", steps=30)
    assert outcome.interrupted
    assert outcome.steps == 5


def test_all_go_back_together(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that are not finite are skipped by all, and weights are those of the first again."""
    gradients = Replica.gradients
    spoiled: list[int] = []

    def spoiling(self: Replica, step: int, *, stop: bool = False) -> tuple[float, float]:
        if step in (12, 13, 14) and len(spoiled) < 3 * self.processes.count:
            spoiled.append(step)
            with torch.no_grad():
                self.network.output.bias.fill_(np.nan)
        return gradients(self, step, stop=stop)

    with together(2, monkeypatch) as others:
        monkeypatch.setattr(Replica, "gradients", spoiling)
        outcome = train(text, "run", steps=30)
    assert outcome.steps == 30
    assert len(spoiled) == 6
    assert all(torch.isfinite(p).all() for p in others[0].network.parameters())
    assert np.isfinite(list(losses(Path("run")).values())).all()


def test_gradients_sent_in_bf16_train_as_well(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(text, "one", steps=30)
    with together(2, monkeypatch):
        train(text, "two", steps=30, reduction="bf16")
    expected, found = losses(Path("one")), losses(Path("two"))
    assert list(found.values()) == pytest.approx(list(expected.values()), abs=0.02)
    assert list(found.values()) != pytest.approx(list(expected.values()), abs=1e-7)


def test_more_processes_than_streams_are_an_error(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def joined() -> Iterator[Alone]:
        yield Several(0, 9)

    monkeypatch.setattr(run, "joined", joined)
    with pytest.raises(CharlmError, match="9 processes cannot divide a `batch_size` of 7"):
        train(text, "run", steps=3)


@pytest.mark.parametrize(("error", "ordered"), [(CharlmError, True), (KeyError, False)])
def test_an_error_of_the_user_lets_the_others_go(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception], ordered: bool
) -> None:
    """After any other error, the others notice that the first one is gone."""
    orders: list[str] = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setattr(processes, "meet", lambda *_, **__: iter([(None, 0, 2)]))
    monkeypatch.setattr(processes, "PrefixStore", lambda *_: None)
    monkeypatch.setattr(dist, "init_process_group", lambda *_, **__: None)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: orders.append("left"))
    monkeypatch.setattr(Several, "order", lambda self, what, **_: orders.append(what))
    with pytest.raises(error), processes.joined():
        raise error("of the first")
    assert orders == [*(["end"] if ordered else []), "left"]


# ── processes ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Several]:
    """A group of one process, with the operations of real ones."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield Several(0, 1)
    dist.destroy_process_group()


def test_what_processes_agree_on_may_be_long(group: Several) -> None:
    for value in (None, {"do": "step", "step": 3, "rate": 0.1 + 0.2}, ["x" * 500, "ü" * 5000]):
        assert group.agree(value) == value


def test_rows_gradients_and_states(group: Several) -> None:
    gradients = [torch.ones(2, 3), torch.ones(4)]
    assert group.add_up(gradients, 0.5, [1.0, 2.0], "fp32") == [1.0, 2.0]
    assert all(torch.equal(g, torch.full_like(g, 0.5)) for g in gradients)
    part = torch.arange(6.0).reshape(3, 2)
    assert torch.equal(group.joined(part, slice(0, 3), 3), part)
    assert [Several(r, 3).rows(7) for r in range(3)] == [slice(0, 2), slice(2, 4), slice(4, 7)]


def test_the_seeds_of_processes_differ() -> None:
    drawn = []
    for rank in range(2):
        for step in range(2):
            Several(rank, 2).seed(1, step)
            drawn.append(float(torch.rand(())))
    assert len(set(drawn)) == 4


def test_who_started_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not processes.started()
    assert not processes.restarted()
    with processes.joined() as alone:
        assert (alone.rank, alone.count) == (0, 1)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    assert processes.started()
    assert not processes.restarted()
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert processes.restarted()
    assert processes.launch() == f"none-{os.getppid()}"


def test_processes_that_have_lost_each_other_say_so(group: Several) -> None:
    del group
    dist.destroy_process_group()
    try:
        with pytest.raises(CharlmError, match=r"have lost each other.*--max-restarts"):
            Several(0, 1).same(torch.zeros(1))
    finally:
        place = Path("store-for-the-end").resolve()
        dist.init_process_group("gloo", init_method=f"file://{place}", rank=0, world_size=1)


def test_a_process_that_dies_is_started_again_and_the_run_finished(text: Path) -> None:
    """What torchrun does with --max-restarts, on two processes of one thread each."""
    chosen = {**SETTINGS, "steps": 1000, "eval_every": 500}
    settings = [f"--{n.replace('_', '-')}={v}" for n, v in chosen.items() if n != "plain"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--max-restarts=3"]
    command += ["--nproc-per-node=2", "-m", "charlm", "train", str(text), "--plain", *settings]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [*command, "-q"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    made = RunDirectory(Path("runs/text"))
    deadline = time.monotonic() + 60
    while not made.checkpoint.exists() or "loss" not in made.metrics.read_text():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process_of_rank(1, process.pid), signal.SIGKILL)
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 0, said
    assert max(losses(made.path)) == 1000
    assert made.model.exists()
    assert [path.name for path in sorted(Path("runs").glob("[!.]*"))] == ["latest", "text"]


def process_of_rank(rank: int, parent: int) -> int:
    for place in Path("/proc").glob("[0-9]*"):
        try:
            environment = (place / "environ").read_bytes().split(b"\0")
            of = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if of == parent and f"RANK={rank}".encode() in environment:
            return int(place.name)
    raise AssertionError("no such process")
