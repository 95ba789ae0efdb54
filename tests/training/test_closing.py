"""What follows a network's last step."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from trainings import SMALL

import charlm
from charlm.config import NetworkConfig
from charlm.models import model_file, model_parts
from charlm.runs.baseline import MAX_COMPARED_TOKENS, MAX_MIXED_TOKENS, SECONDS_PER_TOKEN
from charlm.training.closing import MAX_NORMALISED, SECONDS_PER_PROBABILITY, Closing
from charlm.training.run import resume, train

BOTH = SMALL | {"plain": False}
FINE = {name: BOTH[name] for name in BOTH if name not in ("hidden", "embed")}


def test_by_default_the_model_is_both_and_never_worse_than_either(letters: Path) -> None:
    done = train(letters, steps=20, out=letters.parent / "both", **BOTH)
    assert done.network is not None
    assert done.baseline is not None
    ngram = done.baseline.measures.bits_per_char
    assert done.best["bits_per_char"] <= min(ngram, done.network["bits_per_char"]) + 1e-9
    contents = model_file.read(done.model)
    lm = model_file.build(model_parts.part(contents, 1))
    assert lm.order == done.baseline.order == 10
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


@pytest.mark.parametrize("level", ["byte", "subword", "word"])
def test_every_level_is_mixed(level: str, elsewhere: Path) -> None:
    words = np.random.default_rng(0).choice(["apple", "pear", "salad", "and", "the"], (400, 5))
    Path("t.txt").write_text("\n".join(" ".join(line) for line in words) + "\n", "utf-8")
    how: dict[str, Any] = {"vocab_size": 300} if level == "subword" else {}
    done = train("t.txt", level=level, steps=4, out="run", **how, **BOTH)
    assert model_file.read(done.model).family in ("mixture", "log-linear")
    assert charlm.load("run").score("the pear").logprob < 0
    tuned = train("t.txt", init_from="run", steps=3, out="tuned", **FINE)
    assert tuned.network is not None  # it started from the network in the mixture


def test_ctrl_c_leaves_the_network_and_resuming_mixes(
    letters: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("charlm.training.closing.count_text", stop)
        done = train(letters, steps=6, out="run", **BOTH)
    assert done.interrupted
    assert done.network is None
    assert model_file.read(done.model).family == "recurrent"
    again = resume("run")
    assert not again.interrupted
    assert model_file.read(again.model).family in ("mixture", "log-linear")


def test_counting_takes_a_small_part_of_the_time() -> None:
    assert Closing.within(math.inf, mixed=True, cache=False).max_tokens == MAX_MIXED_TOKENS
    assert Closing.within(math.inf, mixed=False, cache=False).max_tokens == MAX_COMPARED_TOKENS
    one = Closing.within(60, mixed=True, cache=False)
    assert one.max_tokens * SECONDS_PER_TOKEN == pytest.approx(6)
    assert Closing.within(-1, mixed=True, cache=False).max_tokens == 0


def test_without_time_to_count_the_network_is_left_alone(letters: Path, elsewhere: Path) -> None:
    done = train(letters, minutes=0.001, out="run", **BOTH)
    assert done.network is None
    assert done.baseline is None
    assert model_file.read(done.model).family == "recurrent"


@pytest.mark.parametrize(
    ("record", "level", "expected"),
    [
        ({"plain": False, "cache": True, "ngram_tokens": 5}, "char", (True, True, 5)),
        ({"plain": True, "cache": False, "ngram_tokens": 0}, "word", (False, False, 0)),
        ({"with_ngram": True}, "word", (True, True, MAX_MIXED_TOKENS)),  # of version 0.2
        ({"with_ngram": True}, "char", (True, False, MAX_MIXED_TOKENS)),
        ({"with_ngram": False}, "word", (False, False, MAX_COMPARED_TOKENS)),
        ({}, "word", (False, False, MAX_COMPARED_TOKENS)),
    ],
)
def test_a_resumed_run_closes_as_it_would_have(
    record: dict[str, Any], level: str, expected: tuple[bool, bool, int]
) -> None:
    closing = Closing.recorded(record, level)
    assert (closing.mixed, closing.cache, closing.max_tokens) == expected
    assert Closing.recorded(closing.as_record(), level) == closing


def test_its_time_is_reserved() -> None:
    network = NetworkConfig(vocab_size=50, embed=10, hidden=100)
    weights = 50 * 10 + 400 * 10 + 400 * 100 + 50 * 100
    text: Any = SimpleNamespace(train=range(1_000_000), valid=range(100_000))
    mixed, beside = (Closing.within(60, mixed=how, cache=False) for how in (True, False))
    assert beside.seconds(network, text, 50_000, "cpu") == pytest.approx(
        SECONDS_PER_TOKEN * 1_050_000
    )
    counting = SECONDS_PER_TOKEN * 1_050_000
    scoring = 2 * weights * 50_000 / 1e11
    fixed = 1.5 + counting + SECONDS_PER_PROBABILITY * 50 * 50_000
    assert mixed.seconds(network, text, 50_000, "cpu") == pytest.approx(fixed + scoring)
    assert mixed.seconds(network, text, 50_000, "cuda") == pytest.approx(fixed)
    long: Any = SimpleNamespace(train=range(1_000_000), valid=range(400_000))
    twice = (
        2 * SECONDS_PER_PROBABILITY * 50 * 400_000
    )  # 20 M probabilities, more than are fitted to
    assert mixed.seconds(network, long, 400_000, "cuda") == pytest.approx(
        1.5 + SECONDS_PER_TOKEN * 1_400_000 + twice
    )
    large = replace(network, vocab_size=MAX_NORMALISED + 1)
    assert mixed.seconds(large, text, 50_000, "cuda") == pytest.approx(1.5 + counting)
    both = replace(network, bidirectional=True)
    assert mixed.seconds(both, text, 50_000, "cpu") == 0
