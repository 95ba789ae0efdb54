"""What has been read once is not computed again."""

from __future__ import annotations

import numpy as np
import pytest
from toys import recurrent_lm

from charlm.lm import Nats
from charlm.models import remembering
from charlm.models.recurrent import RecurrentState
from charlm.models.remembering import RememberingLM
from charlm.tasks.score import step_through


def test_only_what_is_new_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = recurrent_lm("gru")
    computed: list[int] = []
    predict = inner.predict

    def counted(state: RecurrentState) -> Nats:
        computed.append(1)
        return predict(state)

    monkeypatch.setattr(inner, "predict", counted)
    lm, starts = RememberingLM(inner), np.ones(11, bool)
    text = np.array([1, 2, 3, 4, 5, 6])
    step_through(lm, [text[:5]], starts, words=False)
    assert len(computed) == 5
    (trace,) = step_through(lm, [text], starts, words=False)
    assert len(computed) == 6
    np.testing.assert_allclose(trace.nats, inner.logprobs([text])[0], atol=1e-6)


def test_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MAX_TEXTS", 3)
    lm = RememberingLM(recurrent_lm("gru"))
    lm.read(lm.start(1), np.arange(9)[None])
    assert len(lm._states) == len(lm._predicted) == 3


def test_long_texts_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MAX_TOKENS", 5)
    lm = RememberingLM(recurrent_lm("gru"))
    ids = np.arange(20) % 11
    nats, state = lm.read(lm.start(1), ids[None])
    np.testing.assert_allclose(nats[0], lm.lm.logprobs([ids])[0], atol=1e-6)
    lm.predict(lm.advance(state, np.array([1])))
    assert not lm._states
    assert not lm._predicted
