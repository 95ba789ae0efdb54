"""The models that are served: their names, and the token ids that clients see."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from ..errors import CharlmError
from ..lm import Ids, causal, is_causal
from ..model.model import Model
from ..models.remembering import RememberingLM
from ..runs import locate
from ..runs.run_directory import RunDirectory
from .api_errors import ApiError, busy
from .engine import Engine

P = ParamSpec("P")
T = TypeVar("T")


class Served:
    """A model and what is needed to serve it.

    Clients take a token id of 0 for none, so an <EOS> with that id is shown to them as V, the first
    that no token has. All other ids are the model's own.
    """

    def __init__(self, name: str, model: Model, max_waiting: int) -> None:
        self.name, self.model, self.created = name, model, int(time.time())
        self.tokenizer = model.tokenizer
        eos, self.vocab_size = self.tokenizer.eos, self.tokenizer.vocab_size
        self.eos = eos or self.vocab_size
        self.last_id = max(self.eos, self.vocab_size - 1)
        self._thread = ThreadPoolExecutor(1, "charlm asked")
        self._pending, self._max_pending = 0, max_waiting
        self.engine: Engine | None = None
        self.typing = model  # for short texts, of which each begins as the last one did
        if is_causal(model.lm):
            remembering = RememberingLM(model.lm)
            self.typing = Model(remembering, self.tokenizer, model.info)
            starts = self.tokenizer.starts_word()
            self.engine = Engine(causal(model.lm), self.tokenizer.unk, starts, max_waiting)

    def to_client(self, ids: Ids) -> list[int]:
        """Ids as clients see them."""
        return [self.eos if id == self.tokenizer.eos else int(id) for id in ids]

    def from_client(self, ids: Sequence[int], param: str = "prompt") -> Ids:
        """The model's ids, from those of a client. Raises ApiError for ids that no token has."""
        if any(not 0 <= id <= self.last_id for id in ids):
            raise ApiError(
                400,
                f"a token id is not from 0 to {self.vocab_size - 1:,} (or {self.eos:,}, which ends "
                "a sentence)",
                param=param,
                code="invalid_token_id",
            )
        found = np.array(ids, np.int64)
        return np.where(found == self.eos, self.tokenizer.eos, found)

    def name_of(self, id: int) -> str:
        """The name of a token: each has one of its own."""
        return "\n" if id == self.tokenizer.eos else self.tokenizer.token(id)

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in the model's own thread, one call at a time.

        What has begun is not broken off, so it must not take long: see `schemas.MAX_ASKED`. Raises
        ApiError if too many wait.
        """
        if self._pending > self._max_pending:
            raise busy()
        self._pending += 1
        work = self._thread.submit(lambda: function(*args, **kwargs))
        work.add_done_callback(self._called)
        return await asyncio.wrap_future(work)

    def _called(self, _: Future[Any]) -> None:
        self._pending -= 1

    def close(self) -> None:
        """End what is under way."""
        if self.engine is not None:
            self.engine.close()
        self._thread.shutdown(wait=False, cancel_futures=True)


class ServedModels:
    """All of them, by name; the first is meant where none is named."""

    def __init__(self, models: Sequence[Served]) -> None:
        self.by_name = {one.name: one for one in models}
        self.first = models[0]

    def __getitem__(self, name: str | None) -> Served:
        """The model of that name. Raises ApiError if there is none."""
        if not name:
            return self.first
        if name not in self.by_name:
            raise ApiError(
                404,
                f"there is no model {name!r}: choose {' | '.join(self.by_name)}",
                param="model",
                code="model_not_found",
            )
        return self.by_name[name]

    def close(self) -> None:
        """End what is under way."""
        for one in self.by_name.values():
            one.close()


def load(paths: Sequence[str | Path | None], max_waiting: int) -> ServedModels:
    """The models in files or run directories; None is the one that `charlm` would take.

    Raises CharlmError for a missing or damaged model, and for two of one name.
    """
    files = [locate.resolve(path) for path in paths]
    names = [_name(file) for file in files]
    for name in names:
        if names.count(name) > 1:
            raise CharlmError(f"two models are named {name}: rename one, or serve it elsewhere")
    return ServedModels(
        [
            Served(name, Model.load(file), max_waiting)
            for name, file in zip(names, files, strict=True)
        ]
    )


def _name(file: Path) -> str:
    """The name of a model: that of its run directory, or of its file."""
    run = file.resolve().parent
    return run.name if RunDirectory(run).model.name == file.name else file.stem
