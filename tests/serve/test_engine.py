"""The engine runs what comes together as one batch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from toys import recurrent_lm

from charlm.lm import CausalLM, Ids, Nats
from charlm.models.recurrent import RecurrentState
from charlm.serve.engine import BusyError, Drawing, Engine, Request, Token, most_probable
from charlm.tasks.sampling_filters import Filters

V = 11


class Heard:
    """What a listener was told."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.prompt: list[Token] = []
        self.tokens: dict[int, list[Token]] = {}
        self.reasons: dict[int, str] = {}
        self.error: Exception | None = None
        self.choices, self.stop_after = 1, stop_after
        self.first, self.done = threading.Event(), threading.Event()

    def on_prompt(self, tokens: list[Token]) -> None:
        self.prompt += tokens

    def on_token(self, choice: int, token: Token) -> bool:
        self.tokens.setdefault(choice, []).append(token)
        self.first.set()
        return len(self.tokens[choice]) < self.stop_after

    def on_end(self, choice: int, reason: str) -> None:
        self.reasons[choice] = reason
        if len(self.reasons) == self.choices:
            self.done.set()

    def on_error(self, error: Exception) -> None:
        self.error = error
        self.done.set()


class Watched:
    """A model that counts the rows that it predicts for, and can be held up."""

    def __init__(self) -> None:
        self.lm = recurrent_lm("gru", V)
        self.rows: list[int] = []
        self.go = threading.Event()
        self.go.set()
        self.fails = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lm, name)

    def predict(self, state: RecurrentState) -> Nats:
        self.go.wait(20)
        if self.fails:
            raise MemoryError
        nats = self.lm.predict(state)
        self.rows.append(len(nats))
        return nats


@pytest.fixture
def lm() -> Watched:
    return Watched()


@pytest.fixture
def engine(lm: Watched) -> Iterator[Engine]:
    found = make_engine(lm)
    yield found
    lm.go.set()
    found.close()


def make_engine(lm: Any, waiting: int = 1000) -> Engine:
    model: CausalLM[Any] = lm
    return Engine(model, None, np.ones(V, bool), waiting)


def request(heard: Heard, ids: Ids, choices: int = 1, tokens: int = 20, **more: Any) -> Request:
    heard.choices = choices
    drawing = Drawing(Filters())
    return Request(
        np.asarray(ids, np.int64), choices, tokens, drawing, 1, heard, ignore_eos=True, **more
    )


def test_requests_that_come_later_join(lm: Watched, engine: Engine) -> None:
    first, second = Heard(), Heard()
    engine.submit(request(first, np.array([1, 2, 3]), tokens=2000))
    assert first.first.wait(20)
    engine.submit(request(second, np.array([4]), choices=2))
    assert second.done.wait(20)
    assert max(lm.rows) == 3
    assert not first.reasons
    assert first.done.wait(20)
    assert len(first.tokens[0]) == 2000
    assert lm.rows.count(3) == 20


def test_what_joins_changes_nothing_for_others(lm: Watched, engine: Engine) -> None:
    prompts = [np.arange(k % 7) for k in range(30)]
    alone = []
    for prompt in prompts:
        heard = Heard()
        engine.submit(request(heard, prompt, scored=True, top=2))
        assert heard.done.wait(20)
        alone.append(heard)
    together = [Heard() for _ in prompts]
    engine.submit(
        *(
            request(heard, prompt, scored=True, top=2)
            for heard, prompt in zip(together, prompts, strict=True)
        )
    )
    for before, after in zip(alone, together, strict=True):
        assert after.done.wait(20)
        assert [t.id for t in before.tokens[0]] == [t.id for t in after.tokens[0]]
        ours, theirs = ([t.nats for t in heard.prompt] for heard in (before, after))
        np.testing.assert_allclose(np.array(ours, float), np.array(theirs, float), atol=1e-5)
    assert max(lm.rows) == 30


def test_prompts_are_scored_as_read(lm: Watched, engine: Engine) -> None:
    ids = np.arange(5000) % V
    for top in (0, 3):
        heard = Heard()
        engine.submit(request(heard, ids, tokens=0, scored=True, top=top))
        assert heard.done.wait(20)
        (expected,) = lm.lm.logprobs([ids])
        np.testing.assert_allclose([t.nats or 0 for t in heard.prompt], expected, atol=1e-4)
        assert all(len(token.top) == top for token in heard.prompt)
        assert heard.reasons == {0: "length"}


def test_a_cancelled_request_leaves(lm: Watched, engine: Engine) -> None:
    heard, other = Heard(), Heard()
    one = request(heard, np.array([1]), tokens=10**9)
    engine.submit(one)
    assert heard.first.wait(20)
    one.cancelled = True
    engine.submit(request(other, np.array([2])))
    assert other.done.wait(20)
    assert lm.rows[-1] == 1
    assert engine.live == 0


def test_a_listener_can_end_a_text(engine: Engine) -> None:
    heard = Heard(stop_after=3)
    engine.submit(request(heard, np.array([1]), choices=2))
    assert heard.done.wait(20)
    assert heard.reasons == {0: "stop", 1: "stop"}
    assert {len(tokens) for tokens in heard.tokens.values()} == {3}


def test_too_many_are_refused(lm: Watched) -> None:
    lm.go.clear()
    engine = make_engine(lm, waiting=200)
    first, second = Heard(), Heard()
    engine.submit(request(first, np.array([1]), choices=100))
    for _ in range(200):  # until it has been taken in
        if not engine.waiting:
            break
        threading.Event().wait(0.05)
    engine.submit(request(second, np.array([1]), choices=150))
    with pytest.raises(BusyError):
        engine.submit(request(Heard(), np.array([1]), choices=51))
    lm.go.set()
    assert first.done.wait(20)
    assert second.done.wait(20)
    engine.close()


def test_an_error_is_told_and_others_go_on(
    lm: Watched, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    lm.fails = True
    heard = Heard()
    engine.submit(request(heard, np.array([1])))
    assert heard.done.wait(20)
    assert isinstance(heard.error, MemoryError)
    assert "the model has failed" in caplog.text
    lm.fails = False
    after = Heard()
    engine.submit(request(after, np.array([1])))
    assert after.done.wait(20)
    assert after.error is None


def test_a_long_prompt_does_not_hold_up_others(lm: Watched, engine: Engine) -> None:
    long, short = Heard(), Heard()
    engine.submit(request(long, np.arange(400_000) % V, scored=True, top=1))
    engine.submit(request(short, np.array([1]), tokens=3))
    assert short.done.wait(20)
    assert not long.reasons
    assert len(long.prompt) < 400_000


def test_who_has_gone_does_not_wait(lm: Watched) -> None:
    lm.go.clear()
    engine = make_engine(lm, waiting=10)
    first, gone, last = Heard(), Heard(), Heard()
    engine.submit(request(first, np.array([1]), choices=128))
    for _ in range(200):
        if not engine.waiting:
            break
        threading.Event().wait(0.05)
    one = request(gone, np.array([1]), choices=10)
    engine.submit(one)
    one.cancelled = True
    assert engine.waiting == 0
    engine.submit(request(last, np.array([1]), choices=10))
    lm.go.set()
    assert last.done.wait(20)
    assert not gone.reasons
    engine.close()


def test_closing_tells_those_who_wait(lm: Watched) -> None:
    engine = make_engine(lm)
    heard = Heard()
    engine.submit(request(heard, np.array([1]), tokens=10**9))
    assert heard.first.wait(20)
    engine.close()
    assert heard.done.wait(20)
    assert "stopping" in str(heard.error)


def test_the_most_probable_come_first() -> None:
    nats = np.log(np.array([[0.1, 0.6, 0.3], [0.5, 0.2, 0.3]]))
    assert [[id for id, _ in row] for row in most_probable(nats, 2)] == [[1, 2], [0, 2]]
    assert [[id for id, _ in row] for row in most_probable(nats, 1)] == [[1], [0]]
    assert [[id for id, _ in row] for row in most_probable(nats, 9)] == [[1, 2, 0], [0, 2, 1]]
