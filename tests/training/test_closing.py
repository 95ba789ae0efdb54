"""What follows a network's last step."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from trainings import SMALL

import charlm
from charlm.config import NetworkConfig
from charlm.models import model_file, model_parts
from charlm.runs.baseline import MAX_NGRAM_TOKENS
from charlm.training.closing import Closing
from charlm.training.run import train

BOTH = SMALL | {"plain": False}


def test_by_default_the_model_is_both_and_never_worse_than_either(letters: Path) -> None:
    done = train(letters, steps=20, out=letters.parent / "both", **BOTH)
    assert done.network is not None
    assert done.baseline is not None
    ngram = done.baseline.measures.bits_per_char
    assert done.best["bits_per_char"] <= min(ngram, done.network["bits_per_char"]) + 1e-9
    contents = model_file.read(done.model)
    lm = model_file.build(model_parts.part(contents, 1))
    assert lm.order == done.baseline.order == 6
    plain = train(letters, steps=20, out=letters.parent / "plain", **SMALL)
    assert plain.network is None
    assert plain.best == done.network  # the same network
    assert plain.baseline is not None
    assert plain.baseline.measures.logprob == pytest.approx(
        done.baseline.measures.logprob, rel=1e-3
    )
    networks = [model_parts.part(model_file.read(one.model), 0) for one in (done, plain)]
    for name, tensor in networks[0].tensors.items():
        np.testing.assert_array_equal(tensor, networks[1].tensors[name])


def test_a_cache_is_put_over_the_mixture(elsewhere: Path) -> None:
    rng = np.random.default_rng(0)
    topics = [rng.choice(200, 3, replace=False) for _ in range(200)]
    lines = [f"w{rng.choice(topic)}" for topic in topics for _ in range(20)]
    Path("t.txt").write_text("\n".join(lines) + "\n", "utf-8")
    done = train("t.txt", level="word", steps=5, cache=True, out="run", **BOTH)
    assert model_file.read(done.model).family == "recent"
    assert charlm.load("run").score("w3").logprob < 0


def test_counting_takes_a_small_part_of_the_time() -> None:
    assert Closing.within(math.inf, mixed=True, cache=False).max_tokens == MAX_NGRAM_TOKENS
    one = Closing.within(60, mixed=True, cache=False)
    assert one.max_tokens * 5e-6 == pytest.approx(6)
    assert Closing.within(-1, mixed=True, cache=False).max_tokens == 1


def test_its_time_is_reserved() -> None:
    network = NetworkConfig(vocab_size=50)
    both = NetworkConfig(vocab_size=50, bidirectional=True)

    class Text:
        train = np.zeros(1_000_000, np.uint8)
        valid = np.zeros(100_000, np.uint8)

    text: object = Text()
    mixed, beside = (Closing.within(60, mixed=how, cache=False) for how in (True, False))
    assert beside.seconds(network, text, 50_000) == pytest.approx(5.25)  # type: ignore[arg-type]
    assert mixed.seconds(network, text, 50_000) > 6.7  # type: ignore[arg-type]
    assert mixed.seconds(both, text, 50_000) == 0  # type: ignore[arg-type]
