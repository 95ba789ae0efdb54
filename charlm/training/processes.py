"""The processes of one training: what they add up, and what they agree on.

`torchrun -m charlm train …` starts several, on one machine or more. The first one does all that a
training alone does, and orders the others what to do next; they know the text, and nothing of time,
validation or files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch import distributed as dist
from torch.distributed.distributed_c10d import PrefixStore

from ..errors import CharlmError

ORDER_BYTES = 512  # of most orders; longer ones take a second message
meet: Any = getattr(dist, "rendezvous")  # noqa: B009 (untyped in the library)
PATIENCE = timedelta(days=1)  # for the first process to tokenise or validate; a dead one is noticed
SEED_FACTORS = (1_000_003, 65_537)


class Alone:
    """One process, which owns all streams."""

    rank, count = 0, 1

    def rows(self, batch_size: int) -> slice:
        """Which of B streams are this process's."""
        first, last = (batch_size * r // self.count for r in (self.rank, self.rank + 1))
        return slice(first, last)

    def order(self, what: str, **details: Any) -> None:
        """Have all others do this."""

    def let_go(self) -> None:
        """Let all others end, in the first process."""
        if self.rank == 0:
            self.order("end")

    def agree(self, value: Any) -> Any:
        """The value of the first process, JSON, in all processes."""
        return value

    def seed(self, seed: int, step: int) -> None:
        """Draw other random numbers in each process."""

    def add_up(
        self, gradients: Sequence[Tensor], share: float, numbers: Sequence[float], precision: str
    ) -> Sequence[float]:
        """Replace gradients by the sum over processes of `share` times theirs; sum numbers, too.

        precision: in which gradients are sent, "fp32" or "bf16".
        """
        return numbers

    def same(self, tensor: Tensor) -> None:
        """Make a tensor that of the first process."""

    def joined(self, part: Tensor, rows: slice, length: int) -> Tensor:
        """The rows of all processes, of which `part` are this one's."""
        return part


class Several(Alone):
    """One of several processes, number `rank` of `count`."""

    def __init__(self, rank: int, count: int) -> None:
        self.rank, self.count = rank, count

    def order(self, what: str, **details: Any) -> None:
        self.agree({"do": what, **details})

    def agree(self, value: Any) -> Any:
        text = json.dumps(value).encode() if self.rank == 0 else b""
        data = self._bytes(len(text).to_bytes(8, "little") + text, 8 + ORDER_BYTES)
        length = int.from_bytes(data[:8], "little")
        found = data[8 : 8 + length]
        if length > ORDER_BYTES:
            found += self._bytes(text[ORDER_BYTES:], length - ORDER_BYTES)
        return json.loads(found)

    def _bytes(self, data: bytes, length: int) -> bytes:
        """The first so many bytes of the first process, filled up with zeros."""
        message = np.zeros(length, np.uint8)
        own = np.frombuffer(data[:length], np.uint8)
        message[: len(own)] = own
        self.same(torch.from_numpy(message))
        return message.tobytes()

    def seed(self, seed: int, step: int) -> None:
        first, second = SEED_FACTORS
        torch.manual_seed(((seed * first + step) * second + self.rank) % (1 << 63))

    def add_up(
        self, gradients: Sequence[Tensor], share: float, numbers: Sequence[float], precision: str
    ) -> Sequence[float]:
        flat = torch.cat([g.reshape(-1) for g in gradients])
        flat *= share
        sent = flat.to(torch.bfloat16) if precision == "bf16" else flat
        self.sum(sent)
        parts = torch.split(sent, [g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))
        sums = torch.tensor(numbers, dtype=torch.float64)
        self.sum(sums)
        return [float(number) for number in sums]

    def same(self, tensor: Tensor) -> None:
        with _together():
            dist.broadcast(tensor, 0)

    def joined(self, part: Tensor, rows: slice, length: int) -> Tensor:
        whole = part.new_zeros(length, *part.shape[1:])
        whole[rows] = part
        self.sum(whole)
        return whole

    def sum(self, tensor: Tensor) -> None:
        """Replace a tensor by the sum of those of all processes."""
        with _together():
            dist.all_reduce(tensor)


def started() -> bool:
    """Whether torchrun started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "MASTER_ADDR" in os.environ


def restarted() -> bool:
    """Whether torchrun started it again, after one of the processes had died."""
    return started() and _restarts() > 0


def _restarts() -> int:
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


def launch() -> str:
    """What all processes have in common that one torchrun starts, also again."""
    return f"{os.environ.get('TORCHELASTIC_RUN_ID', 'none')}-{os.getppid()}"


@contextmanager
def joined() -> Iterator[Alone]:
    """The processes of this training; until the end, when the first one lets the others go."""
    if not started():
        yield Alone()
        return
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    with _together():
        store, rank, count = next(meet("env://", timeout=PATIENCE))
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if cuda else "gloo",
            # torchrun's store still has the addresses of processes that it started before
            store=PrefixStore(f"charlm-{_restarts()}", store),
            rank=rank,
            world_size=count,
            timeout=PATIENCE,
        )
    processes = Several(rank, count)
    try:
        yield processes
    except CharlmError:
        with suppress(CharlmError):  # if they can still be reached
            processes.let_go()
        raise
    else:
        processes.let_go()
    finally:  # after any other error the others notice that this process is gone
        dist.destroy_process_group()


@contextmanager
def _together() -> Iterator[None]:
    """Work with other processes. Raises CharlmError if one of them is gone."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise CharlmError(
            "the processes of this training have lost each other. The run's last checkpoint "
            f"is whole: resume it, or let torchrun do so with --max-restarts ({str(error)[:200]!r})"
        ) from None
