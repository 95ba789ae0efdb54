"""What every use of a model begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self, TypeVar

from ..errors import CharlmError, require
from ..lm import CausalLM, LanguageModel, State, causal
from ..runs import describe
from ..system.workers import map_with
from ..text.tokenizer import Tokenizer

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BLOCK = 2048  # items handed to a process at a time
BLOCKS_EACH = 16  # for each process, so that none waits long for the last


class Loaded:
    """A language model with its tokenizer."""

    def __init__(
        self,
        lm: LanguageModel,
        tokenizer: Tokenizer,
        info: dict[str, Any],
        load: Callable[[], Self] | None = None,  # gives the same in another process
    ) -> None:
        self.lm = lm
        self.tokenizer = tokenizer
        self._info = info
        self._load = load

    def __repr__(self) -> str:
        return f"<charlm.Model {describe.summary(self._info)}>"

    @property
    def causal(self) -> CausalLM[State]:
        """The model as a `charlm.lm.CausalLM`, which predicts the next token.

        Raises CharlmError for a bidirectional model.
        """
        return causal(self.lm)

    @property
    def info(self) -> dict[str, Any]:
        """The model's family, size and training: the object of `charlm info --json`."""
        return self._info

    def in_processes(
        self, work: Callable[[Self, Item], Result], items: Iterable[Item], jobs: int
    ) -> Iterator[Result]:
        """`work` on this model and each of the items, in `jobs` processes; the results in order.

        Each process loads the model; `work` is a function of a module. Scripts that call this need
        the usual `if __name__ == "__main__":`. Raises CharlmError for an adapted model, which is in
        no file.
        """
        require(jobs >= 1, f"`jobs` must be at least 1, not {jobs}")
        load = self._load
        if load is None:
            raise CharlmError("`jobs` is for a model as it was loaded: leave it out")
        return map_with(load, work, items, jobs)

    def shared_out(
        self,
        work: Callable[[Self, Sequence[Item]], Sequence[Result]],
        items: Sequence[Item],
        jobs: int,
        progress: Callable[[float], None] | None = None,
    ) -> list[Result]:
        """`work` on this model and on all items, a block at a time in each of `jobs` processes.

        progress: called with the fraction done. One process is this one.
        """
        require(jobs >= 1, f"`jobs` must be at least 1, not {jobs}")
        each = -(-len(items) // (jobs * BLOCKS_EACH))
        size = MAX_BLOCK if jobs == 1 else max(1, min(MAX_BLOCK, each))
        blocks = (items[at : at + size] for at in range(0, len(items), size))
        found: list[Result] = []
        done = (work(self, one) for one in blocks)
        for part in done if jobs == 1 else self.in_processes(work, blocks, jobs):
            found += part
            if progress is not None:
                progress(len(found) / len(items))
        return found
