"""Estimate an n-gram model on disk: the same as `kneser_ney.estimate` gives, number for number.

Passes over sorted columns (after Heafield, Pouzyrevsky, Clark and Koehn 2013): the n-grams of each
stretch of text are sorted and counted (`runs`), merged range by range (`merge`), given adjusted
counts by looking up their suffixes (`suffixes`), and interpolated (`smoothing`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...display.readable import size
from ...errors import CharlmError
from ...system import allocator, machine
from ...system.parallel import map_in_order
from ..interpolation import discounts_by_order, thresholds
from ..ngram import NgramLM, Order
from . import rows
from .columns import Column
from .merge import Ngrams, merge
from .pruning import prune
from .runs import Runs, Text
from .smoothing import low_counts, smooth, smooth_unigrams
from .suffixes import Sizes, find_suffixes
from .workplace import Progress, Workplace, opened

WORD_BYTES = 16  # of memory for each word of the vocabulary, throughout
FRESH_BYTES, TOKENIZER_BYTES = 75_000_000, 150  # of a process that begins, and for each word
MEBIBYTE = 1 << 20
LEAST_BYTES = 48_000_000  # besides these, and what the process holds already
MAX_THREADS = 8
PATIENCE_SECONDS = 120.0  # for whoever plans first

Message = Callable[[str], None]


@dataclass(frozen=True)
class OnDisk:
    """An n-gram model whose arrays are columns in a directory."""

    lm: NgramLM  # over the columns, mapped into memory
    columns: Mapping[str, Column]  # by the names of `NgramLM.tensors`


@dataclass(frozen=True)
class Limits:
    """How much is held in memory at a time."""

    stretch: int  # tokens of text
    block: int  # n-grams
    span: int  # n-grams looked up in
    threads: int


def limits(memory: int, vocab_size: int, order: int) -> Limits:
    """What fits into `memory` bytes, of which this process already has some.

    Raises CharlmError if that is too little.
    """
    allocator.release()
    fixed = machine.resident_bytes() + WORD_BYTES * vocab_size
    if memory - fixed < LEAST_BYTES:  # as if this process had not just tokenised the text
        fixed = min(fixed, FRESH_BYTES + (WORD_BYTES + TOKENIZER_BYTES) * vocab_size)
    free = memory - fixed
    if free < LEAST_BYTES:
        raise CharlmError(
            f"`memory` is too little: with a vocabulary of {vocab_size:,}, give at least "
            f"`memory={-(-(fixed + LEAST_BYTES) // MEBIBYTE)}M`"
        )
    threads = max(1, min(MAX_THREADS, machine.cores(), free // LEAST_BYTES))
    share = free // (threads + 1)  # one more is being written
    return Limits(
        stretch=share // (4 * order + 100), block=share // 150, span=free // 128, threads=threads
    )


@dataclass(frozen=True)
class Task:
    """An n-gram model that is to be estimated, in how much memory, and where."""

    ids: Column  # the text's tokens, (N,)
    vocab_size: int
    eos: int
    order: int
    lines: bool  # whether contexts end at <EOS>
    memory: int  # bytes
    directory: Path  # where to work
    identity: str  # of the text, so that no other is taken for it
    min_counts: Sequence[int] = ()  # see `kneser_ney.estimate`

    @property
    def minimum(self) -> list[int]:
        """The least count of each order. Raises CharlmError for settings out of range."""
        return list(thresholds(self.min_counts, self.order))

    def settings(self) -> dict[str, Any]:
        """What the model depends on: only the same one goes on with what another has left."""
        return {
            "text": self.identity,
            "tokens": len(self.ids),
            "vocab_size": self.vocab_size,
            "eos": self.eos,
            "order": self.order,
            "lines": self.lines,
            "minimum": self.minimum,
            "memory": self.memory,
        }


@contextmanager
def estimated(
    task: Task,
    *,
    progress: Progress = lambda done: None,
    announce: Message = lambda text: None,
    warn: Message = lambda text: None,
) -> Iterator[OnDisk]:
    """The model of a text, as `kneser_ney.estimate` describes it.

    The directory is removed in the end, unless something went wrong: then the same call goes on
    after the last pass that was finished. progress: called with the fraction done, 0 to 1;
    announce: with how much disk it takes.

    Raises CharlmError for settings out of range, too little memory, or too little disk.
    """
    with opened(task.directory, task.settings(), progress) as place:
        text, limit = _planned(place, task, announce)
        try:
            found = _passes(place, text, limit, task.minimum, warn)
        except KeyboardInterrupt:
            announce(f"stopped; the same command goes on with what is in {task.directory}")
            raise
        yield found
    shutil.rmtree(task.directory, ignore_errors=True)


def count_shard(
    task: Task,
    shard: int,
    shards: int,
    *,
    progress: Progress = lambda done: None,
    announce: Message = lambda text: None,
) -> tuple[int, int]:
    """Sort and count the n-grams of a share of the text, number `shard` (from 1) of so many.

    All shards, on machines that share the directory, may do so at the same time; `estimated` then
    goes on with what is there. Returns how many sorted runs are of this shard, and of all. Raises
    CharlmError as `estimated` does.
    """
    with opened(task.directory, task.settings(), progress, patience=PATIENCE_SECONDS) as place:
        text, limit = _planned(place, task, announce)
        counted = "count" in place.results
    bounds = [text.stretches * k // shards for k in (shard - 1, shard)]
    own = range(*bounds)
    if not counted:
        _write_runs(Runs(text, task.directory), own, limit.threads, progress)
    return len(own), text.stretches


def _planned(place: Workplace, task: Task, announce: Message) -> tuple[Text, Limits]:
    """The text, and the limits that whoever came first has found for all."""
    V, N = task.vocab_size, task.order
    limit = Limits(**place.run("limits", lambda _: asdict(limits(task.memory, V, N))))
    text = Text(task.ids, V, task.eos, N, task.lines, limit.stretch)
    _check_disk(place, text, max(task.minimum) > 1, announce)
    return text, limit


def _passes(
    place: Workplace, text: Text, limit: Limits, minimum: Sequence[int], warn: Message
) -> OnDisk:
    """All passes that are not finished yet."""
    N, base = text.order, text.vocab_size + 1
    runs = Runs(text, place.directory)
    ngrams = [Ngrams(place.directory, k) for k in range(1, N + 1)]
    place.run("count", partial(_count, runs, limit.threads))
    lengths = place.run("merge", partial(merge, runs, ngrams, limit.threads))
    runs.remove()
    place.work |= _work(len(text.ids), lengths)
    index = np.uint32 if max(lengths) < 1 << 32 else np.int64
    ngrams = [Ngrams(place.directory, k, index) for k in range(1, N + 1)]
    sizes = Sizes(base, limit.block, limit.span, limit.threads)
    low: list[list[int]] = []

    def smoothed(k: int) -> None:
        """Give the n-grams of order k, whose adjusted counts are known, their probabilities."""
        one, last = ngrams[k - 1], k == N
        n = place.run(f"low-{k}", lambda _: low_counts(one, sizes, last=last).tolist())
        low.append(n)
        (D,) = discounts_by_order([np.array(n)])
        if k == 1:
            place.run("smooth-1", lambda _: smooth_unigrams(one, base, D, last=last))
            return
        below = ngrams[k - 2]
        place.run(f"smooth-{k}", partial(smooth, one, below, sizes, minimum[k - 1], D, last=last))
        done = (one.lower, one.places, one.sorted_suffixes, one.suffixes, one.adjusted)
        for column in (*done, below.probability):
            column.remove()

    for k in range(2, N + 1):
        one, below = ngrams[k - 1], ngrams[k - 2]
        place.run(f"suffixes-{k}", partial(find_suffixes, one, below, sizes, last=k == N))
        smoothed(k - 1)
    smoothed(N)
    discounts_by_order([np.array(n) for n in low], warn)
    if max(minimum) > 1:
        for k, one in enumerate(ngrams):
            below_ = ngrams[k - 1] if k else None
            place.run(
                f"prune-{k + 1}",
                partial(prune, one, below_, minimum[k], minimum[k - 1] if k else 1, sizes),
            )
        ngrams = [one.kept for one in ngrams]
    return _opened(text, ngrams)


def _count(runs: Runs, threads: int, progress: Progress) -> None:
    """Write all runs that are not there yet."""
    _write_runs(runs, range(runs.text.stretches), threads, progress)


def _write_runs(runs: Runs, stretches: range, threads: int, progress: Progress) -> None:
    """Write the runs of some stretches that are not there yet."""
    _ = runs.ranges  # once, not in every thread
    for done, _ in enumerate(
        map_in_order(runs.write, stretches, threads=threads, ahead=threads), 1
    ):
        progress(done / len(stretches))


def _opened(text: Text, ngrams: Sequence[Ngrams]) -> OnDisk:
    """The model in the columns, as it is without copying them."""
    orders, columns = [], {}
    for one in ngrams:
        k, last = one.order, one is ngrams[-1]
        nats = one.nats.mapped()
        no_backoff = np.broadcast_to(np.float32(0), nats.shape)
        orders.append(Order(one.keys.mapped(), nats, no_backoff if last else one.backoff.mapped()))
        if k > 1:
            columns[f"order.{k}.keys"] = one.keys
        columns[f"order.{k}.nats"] = one.nats
        if not last:
            columns[f"order.{k}.backoff"] = one.backoff
    lm = NgramLM(orders, text.vocab_size, text.eos, lines=text.lines)
    return OnDisk(lm, columns)


def _work(tokens: int, lengths: Sequence[int]) -> dict[str, float]:
    """How much work each pass is, in the time that it takes to count a token."""
    work = {"count": 1.0 * tokens, "merge": 0.8 * tokens}
    for k, length in enumerate(lengths, 1):
        if k > 2:
            work[f"suffixes-{k}"] = 1.2 * length
        work[f"smooth-{k}"] = 0.8 * length
    return work


def _check_disk(place: Workplace, text: Text, pruned: bool, announce: Message) -> None:
    """Announce how much disk is needed at most. Raises CharlmError if there is less."""
    expected = place.run("plan", lambda _: _expected(text))
    place.work |= _work(len(text.ids), expected)
    needed = _disk_bytes(text, expected, pruned)
    used = sum(path.stat().st_size for path in place.directory.rglob("*") if path.is_file())
    free = shutil.disk_usage(place.directory).free + used
    sizes = f"{size(needed)} of disk in {place.directory}, where {size(free)} are free"
    if needed > free:
        raise CharlmError(f"this may take {sizes}: free some there, or choose another directory")
    announce(f"this takes up to {sizes}")


def _expected(text: Text) -> list[int]:
    """About how many n-grams there are of each order, rather too many.

    From the growth of their number u over the first n tokens, u ~ n^β (Heaps 1978), whose
    exponent only falls.
    """
    n = min(text.stretch, len(text.ids))
    half, whole = (
        [
            int(np.count_nonzero(new & (words != text.padding)))
            for new, words in zip(rows.new_prefixes(found), found, strict=True)
        ]
        for found in (rows.sort(text.rows(0, part), text.bits)[0] for part in (n // 2, n))
    )
    more = len(text.ids) / n
    expected = []
    for few, many in zip(half, whole, strict=True):
        exponent = np.log2(many / few) if few else 1.0
        expected.append(int(min(many * more**exponent, 2.0 * len(text.ids))))
    return [text.vocab_size + 1, *expected[1:]]


def _disk_bytes(text: Text, lengths: Sequence[int], pruned: bool) -> int:
    """How much disk is in use at most, the model file included.

    At any time there are keys and two bytes of counts of all n-grams, log P and β of the orders
    that are finished, and what follows here.
    """
    index = 4 if max(lengths) < 1 << 32 else 8
    u = [0, *lengths, 0]
    runs = (3 * rows.width(text.padding) + 2) * 2 * u[text.order] + 9 * sum(u)
    steps = [
        10 * sum(u)
        + 8 * sum(u[: k - 1])  # log P and β
        + 8 * u[k - 2]  # P
        + (4 + 2 * index) * u[k - 1]  # suffixes, sorted and as they were
        + (12 + 2 * index) * u[k]  # the same, and the keys that are sorted, or P of suffixes
        for k in range(2, text.order + 2)
    ]
    model = (16 * (3 if pruned else 2) + 2) * sum(u)
    return max(runs, model, *steps)
