"""Text written while it is sampled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import TEXTS, pair_of, tokenizer_of

from charlm.lm import Nats
from charlm.models.causal import CausalModel
from charlm.tasks.sample import sample


@pytest.mark.parametrize("level", TEXTS)
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    prompt=st.sampled_from(["", "the cat", "a\nthe", "' the", "the ", " "]),
)
def test_streamed_pieces_are_the_text(level: str, seed: int, prompt: str) -> None:
    lm, tokenizer = pair_of(level)
    pieces: list[str] = []
    options: dict[str, Any] = {"prompt": prompt, "seed": seed, "max_tokens": 400, "lines": 4}
    (one,) = sample(lm, tokenizer, on_text=pieces.append, **options)
    assert "".join(pieces) == one.text
    assert all(pieces)
    assert sample(lm, tokenizer, **options) == [one]


def test_characters_are_streamed_whole() -> None:
    tokenizer = tokenizer_of("byte")

    class Writes猫(CausalModel[Any]):
        """Certain to write 猫 over and over."""

        vocab_size = 257
        eos = 256

        def start(self, batch: int) -> Any:
            return np.zeros(batch, np.int64)

        empty = start

        def predict(self, state: Any) -> Nats:
            nats = np.full((len(state), 257), -np.inf)
            nats[np.arange(len(state)), np.frombuffer("猫".encode(), np.uint8)[state % 3]] = 0
            return nats

        def advance(self, state: Any, ids_B: Any) -> Any:
            return state + 1

        def read(self, state: Any, ids_BT: Any) -> tuple[Nats, Any]:
            return np.zeros(ids_BT.shape), state + ids_BT.shape[1]

        def logprobs(self, seqs: Any) -> list[Nats]:
            raise NotImplementedError

    pieces: list[str] = []
    (one,) = sample(Writes猫(), tokenizer, max_tokens=3 * 200, on_text=pieces.append)
    assert pieces == ["猫"] * 200
    assert one.text == "猫" * 200
    assert one.logprob == 0
