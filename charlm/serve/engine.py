"""Requests under way together run as one batch; a new one joins at the next token.

A thread of its own goes round and round: it reads a chunk of the prompts that wait, several at a
time, and then writes a token of every text that has begun. Texts that end leave the batch.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple, Protocol

import numpy as np

from ..errors import CharlmError
from ..lm import CausalLM, Ids, Mask, Nats, State
from ..models.padding import rows_that_fit
from ..tasks.sample import DRAWS_AT_ONCE, generator_of
from ..tasks.sampling_filters import Filters
from ..tasks.token_choice import Chooser

LOG = logging.getLogger(__name__)
MAX_ROWS = 128  # texts in the batch
TOKENS_AT_ONCE = 4096  # of prompts, before the next token is written


class Token(NamedTuple):
    """A token, and what was known when it came."""

    id: int
    nats: float | None  # log P under the model itself; None: nothing came before it
    top: tuple[tuple[int, float], ...] = ()  # the most probable tokens in its place, with nats


class Listener(Protocol):
    """Who is told of what comes of a request. Called in the engine's thread."""

    def on_prompt(self, tokens: list[Token]) -> None:
        """More tokens of the prompt have been read; only if it is to be scored."""
        ...

    def on_token(self, choice: int, token: Token) -> bool:
        """A token of a text has been drawn. Returns whether the text goes on."""
        ...

    def on_end(self, choice: int, reason: str) -> None:
        """A text has ended: "stop" or "length"."""
        ...

    def on_error(self, error: Exception) -> None:
        """Nothing more will come."""
        ...


@dataclass(frozen=True)
class Drawing:
    """How tokens are drawn."""

    filters: Filters
    allow_unk: bool = False
    new_word: bool = False  # the first token begins a word


@dataclass(eq=False)
class Request:
    """A prompt, and the texts to be written after it."""

    ids: Ids  # (N,) of the prompt, without an <EOS> before it
    choices: int
    max_tokens: int  # of each text
    drawing: Drawing
    seed: int
    listener: Listener
    scored: bool = False  # whether the prompt is
    top: int = 0  # most probable tokens to tell of in each place
    ignore_eos: bool = False
    cancelled: bool = False  # may be set by anyone, at any time


@dataclass(eq=False)
class _Reading:
    """A prompt being read."""

    request: Request
    state: State  # of one text
    at: int = 0  # tokens read

    @property
    def left(self) -> int:
        return len(self.request.ids) - self.at


@dataclass(eq=False)
class _Row:
    """A text being written."""

    request: Request
    choice: int
    generator: np.random.Generator
    written: int = 0  # tokens
    draws: Nats = field(default_factory=lambda: np.zeros(0))

    def draw(self) -> float:
        """A number from 0 to 1: the same as `sample` takes for this token."""
        if self.written % DRAWS_AT_ONCE == 0:
            self.draws = self.generator.random(DRAWS_AT_ONCE)
        return float(self.draws[self.written % DRAWS_AT_ONCE])


class BusyError(Exception):
    """Others are under way, and more texts would wait than the engine takes."""


class Engine:
    """Runs the requests to one model."""

    def __init__(
        self, lm: CausalLM[State], unk: int | None, starts_word: Mask, max_waiting: int
    ) -> None:
        """starts_word: (V,) whether a token begins a word. max_waiting: texts, see `BusyError`."""
        self.lm, self.unk, self.inside_word = lm, unk, np.flatnonzero(~starts_word)
        self.max_waiting = max_waiting
        self.max_rows = min(MAX_ROWS, rows_that_fit(lm.vocab_size))
        self._ready = threading.Condition()
        self._waiting: deque[Request] = deque()
        self._reading: list[_Reading] = []
        self._rows: list[_Row] = []
        self._state: State | None = None  # of the rows
        self._choosers: dict[Drawing, Chooser] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="charlm engine", daemon=True)
        self._thread.start()

    def submit(self, *requests: Request) -> None:
        """Begin as soon as there is room: all of them, or none. Raises BusyError."""
        with self._ready:
            wanted = self.waiting + sum(one.choices for one in requests)
            if wanted > self.max_waiting and (self.waiting or self.live):
                raise BusyError
            self._waiting.extend(requests)
            self._ready.notify()

    @property
    def waiting(self) -> int:
        """Texts that wait for others to end."""
        waiting = tuple(self._waiting)
        return sum(request.choices for request in waiting if not request.cancelled)

    @property
    def live(self) -> int:
        """Texts in the batch, and prompts being read."""
        return len(self._rows) + len(self._reading)

    def close(self) -> None:
        """End at the next token; what is under way gets an error."""
        with self._ready:
            self._closed = True
            self._ready.notify()
        self._thread.join(timeout=10)

    # In the engine's thread -------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._ready:
                while not (self._closed or self._waiting or self._reading or self._rows):
                    self._ready.wait()
                if self._closed:
                    break
                self._admit()
            try:
                self._drop_cancelled()
                self._read()
                self._write()
            except Exception as error:  # of the model: all in the batch are told, later ones go on
                self._fail(error)
        self._fail(CharlmError("the server is stopping"))

    def _admit(self) -> None:
        """Take in what has room; the first always has."""
        while self._waiting:
            taken = sum(one.request.choices for one in self._reading) + len(self._rows)
            request = self._waiting[0]
            if request.cancelled:
                self._waiting.popleft()
                continue
            if taken and taken + request.choices > self.max_rows:
                break
            self._waiting.popleft()
            self._reading.append(_Reading(request, self.lm.start(1)))

    def _drop_cancelled(self) -> None:
        self._reading = [one for one in self._reading if not one.request.cancelled]
        self._keep(np.array([not row.request.cancelled for row in self._rows], bool))

    def _keep(self, live: Mask) -> None:
        """Keep some of the rows."""
        if live.all():
            return
        kept = np.flatnonzero(live)
        self._rows = [self._rows[k] for k in kept]
        assert self._state is not None
        self._state = self._state.take(kept) if len(kept) else None

    def _read(self) -> None:
        """Read a chunk of several prompts, and begin the texts of those that are at their end."""
        unread = [one for one in self._reading if one.left]
        if unread:
            first = unread[0].request
            alike = [
                one
                for one in unread
                if (one.request.scored, one.request.top) == (first.scored, first.top)
            ]
            group = alike[: self.max_rows]
            self._read_chunk(group)  # and then it is the turn of others
            self._reading = [one for one in self._reading if one not in group] + group
        for one in [one for one in self._reading if not one.left]:
            self._reading.remove(one)
            self._begin(one)

    def _read_chunk(self, group: list[_Reading]) -> None:
        first = group[0].request
        whole = first.scored and first.top > 0
        room = min(TOKENS_AT_ONCE, rows_that_fit(self.lm.vocab_size)) if whole else TOKENS_AT_ONCE
        length = max(1, min(*(one.left for one in group), room // len(group)))
        if length * len(group) > room:
            group = group[: max(1, room)]
        ids_BT = np.stack([one.request.ids[one.at : one.at + length] for one in group])
        state = reduce(lambda a, b: a.joined(b), [one.state for one in group])
        if whole:
            all_BTV, state = self.lm.read_all(state, ids_BT)
            nats_BT = np.take_along_axis(all_BTV, ids_BT[..., None].astype(np.int64), 2)[..., 0]
        else:
            nats_BT, state = self.lm.read(state, ids_BT)
        for b, one in enumerate(group):
            if first.scored:
                tops = most_probable(all_BTV[b], first.top) if whole else [()] * length
                one.request.listener.on_prompt(
                    [
                        Token(int(i), float(nats), top)
                        for i, nats, top in zip(ids_BT[b], nats_BT[b], tops, strict=True)
                    ]
                )
            one.state = state.take(np.array([b]))
            one.at += length

    def _begin(self, read: _Reading) -> None:
        """Add the texts of a request whose prompt has been read."""
        request = read.request
        if not request.max_tokens:
            for choice in range(request.choices):
                request.listener.on_end(choice, "length")
            return
        state = read.state.take(np.zeros(request.choices, np.intp))
        self._state = state if self._state is None else self._state.joined(state)
        self._rows += [
            _Row(request, choice, generator_of(request.seed, choice))
            for choice in range(request.choices)
        ]

    def _write(self) -> None:
        """Write a token of every text."""
        if not self._rows:
            return
        assert self._state is not None
        predicted_BV = self.lm.predict(self._state)
        ids_B = self._choose(predicted_BV)
        live = np.ones(len(self._rows), bool)
        for k, (row, id) in enumerate(zip(self._rows, ids_B.tolist(), strict=True)):
            live[k] = self._tell(row, id, predicted_BV[k])
        ids_B = ids_B[live]
        self._keep(live)
        if self._state is not None:
            self._state = self.lm.advance(self._state, ids_B)

    def _tell(self, row: _Row, id: int, predicted_V: Nats) -> bool:
        """Tell of a token that was drawn. Returns whether the text goes on."""
        request, row.written = row.request, row.written + 1
        (top,) = most_probable(predicted_V[None], request.top) if request.top else ((),)
        goes_on = request.listener.on_token(row.choice, Token(id, float(predicted_V[id]), top))
        if not goes_on or (id == self.lm.eos and not request.ignore_eos):
            request.listener.on_end(row.choice, "stop")
            return False
        if row.written == request.max_tokens:
            request.listener.on_end(row.choice, "length")
            return False
        return True

    def _choose(self, predicted_BV: Nats) -> Ids:
        """A token for each row; rows that are drawn alike are drawn together."""
        groups: dict[tuple[Drawing, bool], list[int]] = {}
        for k, row in enumerate(self._rows):
            drawing = row.request.drawing
            first = drawing.new_word and row.written == 0
            groups.setdefault((drawing, first), []).append(k)
        ids_B = np.zeros(len(self._rows), np.int64)
        no_text = np.zeros((len(self._rows), 0), np.int64)
        for (drawing, first), rows in groups.items():
            draws = np.array([self._rows[k].draw() for k in rows])
            nats_BV = predicted_BV if len(groups) == 1 else predicted_BV[rows]
            ids_B[rows] = self._chooser(drawing)(nats_BV, draws, no_text[: len(rows)], first)
        return ids_B

    def _chooser(self, drawing: Drawing) -> Chooser:
        if drawing not in self._choosers:
            if len(self._choosers) > MAX_ROWS:
                self._choosers.clear()
            banned = [] if self.unk is None or drawing.allow_unk else [self.unk]
            self._choosers[drawing] = Chooser(
                drawing.filters, np.array(banned, np.int64), self.inside_word
            )
        return self._choosers[drawing]

    def _fail(self, error: Exception) -> None:
        """Tell all that are under way, and forget them; at the end also those that wait."""
        if not isinstance(error, CharlmError):
            LOG.error("the model has failed", exc_info=error)
        under_way = [one.request for one in self._reading] + [row.request for row in self._rows]
        with self._ready:
            if self._closed:
                under_way += self._waiting
                self._waiting.clear()
        self._reading, self._rows, self._state = [], [], None
        for request in dict.fromkeys(under_way):
            with suppress(RuntimeError):  # the event loop of one that asked is closed
                request.listener.on_error(error)


def most_probable(nats_NV: Nats, k: int) -> list[tuple[tuple[int, float], ...]]:
    """The k most probable tokens of each row, with their log-probabilities, the best first."""
    if k == 1:
        ids_Nk = nats_NV.argmax(axis=1)[:, None]
    else:
        k = min(k, nats_NV.shape[1])
        ids_Nk = np.argpartition(-nats_NV, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(nats_NV, ids_Nk, 1), axis=1, kind="stable")
        ids_Nk = np.take_along_axis(ids_Nk, order, 1)
    found = np.take_along_axis(nats_NV, ids_Nk, 1)
    return [
        tuple(zip(ids.tolist(), map(float, nats), strict=True))
        for ids, nats in zip(ids_Nk, found, strict=True)
    ]
