"""Texts that neither repeat themselves nor copy others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import TEXTS, pair_of

from charlm.errors import CharlmError
from charlm.lm import Ids
from charlm.tasks import seen_ngrams
from charlm.tasks.sample import draw_batch, generator_of, sample
from charlm.tasks.sampling_filters import Filters
from charlm.tasks.score import score
from charlm.tasks.seen_ngrams import Guard, NoCopy, NoRepeat
from charlm.tasks.token_choice import Chooser

tokens = st.integers(0, 2)
texts = st.integers(1, 12).flatmap(
    lambda T: st.lists(st.lists(tokens, min_size=T, max_size=T), min_size=1, max_size=3)
)


def followers(text: Sequence[int], context: Sequence[int]) -> set[int]:
    """What follows `context` in a text, by the definition."""
    n = len(context)
    return {text[i + n] for i in range(len(text) - n) if list(text[i : i + n]) == list(context)}


def ngrams(ids: Sequence[int], n: int) -> list[tuple[int, ...]]:
    return [tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)]


@given(texts, st.integers(1, 4))
def test_no_repeat_forbids_what_followed_before(rows: list[list[int]], n: int) -> None:
    for row, ids in zip(rows, NoRepeat(n).forbidden(np.array(rows)), strict=True):
        assert set(ids.tolist()) == (followers(row, row[-n:]) if len(row) >= n else set())


@given(texts, st.lists(tokens, max_size=30), st.integers(1, 4))
def test_no_copy_forbids_what_follows_in_the_text(
    rows: list[list[int]], text: list[int], n: int
) -> None:
    guard = NoCopy(n, np.array(text, np.uint8))
    for row, ids in zip(rows, guard.forbidden(np.array(rows)), strict=True):
        assert set(ids.tolist()) == (followers(text, row[-n:]) if len(row) >= n else set())


def test_no_copy_is_exact_whatever_the_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    def same(ids: Ids, n: int) -> Any:
        return np.zeros((*ids.shape[:-1], max(0, ids.shape[-1] - n + 1)), np.uint64)

    monkeypatch.setattr(seen_ngrams, "_hashes", same)
    test_no_copy_forbids_what_follows_in_the_text()


def test_hashes_of_a_long_text_hardly_collide() -> None:
    text = np.random.default_rng(0).integers(0, 50, 200_000)
    guard = NoCopy(5, text)
    distinct = len({tuple(row) for row in np.lib.stride_tricks.sliding_window_view(text[:-1], 5)})
    assert len(np.unique(guard.keys >> np.uint64(32))) > 0.999 * distinct


@pytest.mark.parametrize("guard", ["no_repeat", "no_copy"])
def test_bounds(guard: str) -> None:
    lm, tokenizer = pair_of("char")
    ids = tokenizer.encode("abc")
    with pytest.raises(CharlmError, match=f"`{guard}`"):
        sample(lm, tokenizer, training_text=ids, **{guard: -1})  # type: ignore[arg-type]
    with pytest.raises(CharlmError, match="`training_text`"):
        sample(lm, tokenizer, no_copy=3)


# Samples ------------------------------------------------------------------------------------------


def drawn(level: str, *guards: Guard) -> list[list[int]]:
    """Texts as tokens, the prompt among them."""
    lm, tokenizer = pair_of(level)
    prompt = tokenizer.encode("the cat")
    _, state = lm.read(lm.start(1), prompt[None])
    generators = [generator_of(1, number) for number in range(5)]
    chooser = Chooser(Filters(temperature=0.3), guards=guards)
    state = state.take(np.zeros(5, np.intp))
    found = draw_batch(lm, state, prompt, generators, chooser, max_tokens=60, lines=60)
    assert all(why in ("max_tokens", "stuck") for _, _, why in found)
    return [[*prompt.tolist(), *ids.tolist()] for ids, _, _ in found]


@pytest.mark.parametrize("level", TEXTS)
@pytest.mark.parametrize("n", [1, 3])
def test_samples_do_not_repeat_themselves(level: str, n: int) -> None:
    def repetitions(texts: list[list[int]]) -> int:
        return sum(len(grams) - len(set(grams)) for ids in texts if (grams := ngrams(ids, n + 1)))

    assert repetitions(drawn(level)) > 0 or level in ("byte", "subword")
    assert repetitions(drawn(level, NoRepeat(n))) == 0


@pytest.mark.parametrize("level", TEXTS)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_samples_copy_no_text(level: str, n: int) -> None:
    written = drawn(level)
    _, tokenizer = pair_of(level)
    prompt = len(tokenizer.encode("the cat"))
    text = np.concatenate([np.array(ids) for ids in written])
    forbidden = set(ngrams(text.tolist(), n + 1))
    for ids in drawn(level, NoCopy(n, text)):
        assert not forbidden & set(ngrams(ids[max(0, prompt - n) :], n + 1))


def test_a_text_ends_where_nothing_is_left() -> None:
    lm, tokenizer = pair_of("char")
    kinds = range(tokenizer.vocab_size)
    everything = np.array([(i, j) for i in kinds for j in kinds]).ravel()
    pieces: list[str] = []
    options: dict[str, Any] = {"no_copy": 1, "training_text": everything}
    (one,) = sample(lm, tokenizer, seed=4, on_text=pieces.append, **options)
    assert (one.tokens, one.ended) == (1, "stuck")
    assert "".join(pieces) == one.text == one.text.strip("\n")
    many = sample(lm, tokenizer, seed=4, num_samples=5, **options)
    assert many[0] == one
    assert {other.ended for other in many} <= {"stuck", "lines"}
    (prompted,) = sample(lm, tokenizer, prompt="a", **options)
    assert (prompted.text, prompted.tokens, prompted.logprob) == ("", 0, 0.0)


def test_logprob_stays_the_model_s_own() -> None:
    lm, tokenizer = pair_of("char", "lstm", 0.7)
    for one in sample(lm, tokenizer, num_samples=10, no_repeat=2, min_p=0.1, max_tokens=500):
        if one.ended == "lines":
            (scored,) = score(lm, tokenizer, [one.text])
            assert one.logprob == pytest.approx(scored.logprob, abs=1e-3)
