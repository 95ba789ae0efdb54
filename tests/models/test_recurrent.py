"""Recurrent networks in NumPy: layers by hand, chunks, and tensors that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
from toys import EOS, random_tensors, recurrent_lm, variety

from charlm.config import NetworkConfig
from charlm.errors import CharlmError
from charlm.models import arithmetic, padding, recurrent
from charlm.models.recurrent import RecurrentLM

Tensors = dict[str, npt.NDArray[np.float32]]


def test_dense_and_projection_by_hand() -> None:
    lm = recurrent_lm("gru", dense=2, tied=True, seed=9)
    w = random_tensors(lm.config, seed=9)
    state = lm.advance(lm.start(1), np.array([4]))
    u = state.layers[-1][0][0]
    for k in range(2):
        u = np.tanh(w[f"dense.{k}.weight"] @ u + w[f"dense.{k}.bias"])
    z = w["embedding.weight"] @ (w["projection.weight"] @ u) + w["output.bias"]
    np.testing.assert_allclose(lm.predict(state)[0], z - np.log(np.exp(z).sum()), atol=1e-5)


def test_residual_layers_by_hand() -> None:
    lm = recurrent_lm("rnn", layers=3, residual=True, seed=5)
    w = random_tensors(lm.config, seed=5)
    ids, total = (3, 1, 4), np.zeros(7)
    h = [np.zeros(7)] * 3
    for token in ids:
        read, total = w["embedding.weight"][token], np.zeros(7)
        for k in range(3):
            a = w[f"rnn.{k}.weight_ih"] @ read + w[f"rnn.{k}.bias_ih"] + w[f"rnn.{k}.bias_hh"]
            h[k] = np.tanh(a + w[f"rnn.{k}.weight_hh"] @ h[k])
            total = total + h[k]
            read = total
    z = w["output.weight"] @ total + w["output.bias"]
    _, state = lm.read(lm.empty(1), np.array([ids]))
    np.testing.assert_allclose(lm.predict(state)[0], z - np.log(np.exp(z).sum()), atol=1e-5)


def test_start_follows_eos_from_the_initial_state() -> None:
    lm = recurrent_lm("lstm", learned_start=True, layers=2)
    state = lm.advance(lm.stack.initial, np.array([EOS]))
    np.testing.assert_array_equal(lm.predict(lm.start(2))[1], lm.predict(state)[0])


@pytest.mark.parametrize(
    ("room", "name"),
    [
        (recurrent, "TABLE_BYTES"),
        (padding, "MAX_ENTRIES"),
        (arithmetic, "MAX_ROWS_ONE_BY_ONE"),
        (padding, "MAX_BATCH"),
    ],
)
def test_no_limit_changes_the_numbers(
    room: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    seqs = [rng.integers(11, size=n) for n in (0, 3, 70, 1, 33, 70, 2)]
    expected = {key: lm.logprobs(seqs) for key, lm in variety().items()}
    monkeypatch.setattr(room, name, 1)
    for key, lm in variety().items():
        for a, b in zip(expected[key], lm.logprobs(seqs), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_intermediate_results_stay_small() -> None:
    lm = recurrent_lm("lstm", 5000, hidden=32)
    seen: list[int] = []
    logits = lm.head.logits

    def watch(top: arithmetic.Array) -> arithmetic.Array:
        z = logits(top)
        seen.append(z.nbytes)
        return z

    lm.head.logits = watch  # type: ignore[method-assign, assignment]
    lm.logprobs([np.zeros(9000, np.int64)])
    assert max(seen) <= 32 << 20
    assert sum(seen) >= 9000 * 5000 * 4


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.pop("output.bias"), "'output.bias' is missing"),
        (lambda t: t.update(more=np.zeros(1, np.float32)), "'more' does not belong"),
        (lambda t: t.update({"output.bias": np.zeros(3, np.float32)}), r"float32 \(3,\), not"),
        (lambda t: t.update({"output.bias": np.zeros(11)}), "is float64"),
    ],
)
def test_tensors_must_fit_the_configuration(change: Callable[[Tensors], None], words: str) -> None:
    config = NetworkConfig(11, embed=6, hidden=7)
    tensors = random_tensors(config)
    change(tensors)
    with pytest.raises(CharlmError, match=words):
        RecurrentLM(config, tensors, EOS)
