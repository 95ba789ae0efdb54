"""Sampling: the filters as pure functions, and the texts drawn with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from toys import TEXTS, pair_of, recurrent_lm, tokenizer_of

from charlm.errors import CharlmError
from charlm.lm import CausalLM, Nats
from charlm.models.causal import CausalModel
from charlm.tasks.sample import sample
from charlm.tasks.sampling_filters import (
    apply_temperature,
    apply_top_k,
    apply_top_p,
    draw,
    normalise,
)
from charlm.tasks.score import score
from charlm.text.tokenizer import Tokenizer


@pytest.fixture(params=TEXTS)
def pair(request: pytest.FixtureRequest) -> tuple[CausalLM[Any], Tokenizer]:
    return pair_of(request.param)


@pytest.fixture
def chars() -> tuple[CausalLM[Any], Tokenizer]:
    return pair_of("char", "lstm", 0.7)


# Filters --------------------------------------------------------------------------------------


@st.composite
def distributions(draw: st.DrawFn) -> Nats:
    """(B, V) normalised, with ties and impossible tokens among them."""
    V = draw(st.integers(1, 12))
    row = st.lists(st.sampled_from([0.0, 0.1, 1.0, 1.0, 2.5, 7.0]), min_size=V, max_size=V)
    weights = np.array(draw(st.lists(row, min_size=1, max_size=4)))
    weights[:, draw(st.integers(0, V - 1))] += 0.5
    with np.errstate(divide="ignore"):
        return normalise(np.log(weights))


def mass(nats: Nats) -> Nats:
    return np.asarray(np.exp(nats).sum(axis=-1))


@given(distributions(), st.sampled_from([0.0, 1e-300, 1e-3, 0.5, 1.0, 3.0, 1e300]))
def test_temperature(nats: Nats, temperature: float) -> None:
    hotter = apply_temperature(nats, temperature)
    np.testing.assert_allclose(mass(hotter), 1)
    assert (np.isneginf(hotter) >= np.isneginf(nats)).all()
    if temperature == 0:
        np.testing.assert_array_equal(hotter.argmax(axis=1), nats.argmax(axis=1))
        assert ((hotter == 0).sum(axis=1) == 1).all()
    elif temperature > 1e-100:
        p = np.exp(nats - nats.max(axis=1, keepdims=True)) ** (1 / temperature)
        np.testing.assert_allclose(np.exp(hotter), p / p.sum(axis=1, keepdims=True), atol=1e-12)


@given(distributions(), st.integers(0, 14))
def test_top_k_keeps_the_k_most_probable(nats: Nats, k: int) -> None:
    V = nats.shape[1]
    kept = apply_top_k(nats, k)
    np.testing.assert_allclose(mass(kept), 1)
    for before, after in zip(nats, kept, strict=True):
        possible = np.flatnonzero(~np.isneginf(after))
        expected = sorted(range(V), key=lambda i: (-before[i], i))[: k or V]
        assert set(possible) == {i for i in expected if np.isfinite(before[i])}
        ratios = after[possible] - before[possible]
        np.testing.assert_allclose(ratios, ratios[0], atol=1e-12)


@given(distributions(), st.floats(0.01, 1))
def test_top_p_keeps_the_smallest_set_with_the_mass(nats: Nats, p: float) -> None:
    kept = apply_top_p(nats, p)
    np.testing.assert_allclose(mass(kept), 1)
    for before, after in zip(nats, kept, strict=True):
        order = sorted(range(len(before)), key=lambda i: (-before[i], i))
        probabilities = np.exp(before[order])
        sums = probabilities.cumsum()
        assume(np.abs(sums - p).min() > 1e-9)  # where rounding decides, either is right
        possible = {i for i in order if np.isfinite(before[i])}
        count = 1 + int((sums < p).sum()) if p < 1 else len(order)
        assert {i for i in order if np.isfinite(after[i])} == set(order[:count]) & possible


@given(distributions(), st.integers(0, 1 << 30))
def test_draw_never_takes_the_impossible(nats: Nats, seed: int) -> None:
    for u in (0.0, np.nextafter(1, 0), np.random.default_rng(seed).random()):
        ids = draw(nats, np.full(len(nats), u))
        assert np.isfinite(nats[np.arange(len(nats)), ids]).all()


def test_draw_follows_the_distribution() -> None:
    p = np.array([0.5, 0.0, 0.2, 0.25, 0.05])
    n = 200_000
    with np.errstate(divide="ignore"):
        nats = np.broadcast_to(np.log(p), (n, 5))
    ids = draw(nats, np.random.default_rng(0).random(n))
    np.testing.assert_allclose(np.bincount(ids, minlength=5) / n, p, atol=4e-3)


# Texts ----------------------------------------------------------------------------------------


def first_tokens(lm: CausalLM[Any], tokenizer: Tokenizer, n: int, **options: Any) -> Nats:
    """Frequencies of the first token drawn after "a"."""
    drawn = sample(lm, tokenizer, prompt="a", num_samples=n, max_tokens=1, seed=5, **options)
    ids = [tokenizer.encode(one.text)[0] if one.text else tokenizer.eos for one in drawn]
    return np.bincount(ids, minlength=tokenizer.vocab_size) / n


@pytest.mark.parametrize("options", [{}, {"temperature": 0.5, "top_k": 5}, {"top_p": 0.7}])
def test_frequencies_are_the_filtered_probabilities(
    chars: tuple[CausalLM[Any], Tokenizer], options: dict[str, Any]
) -> None:
    lm, tokenizer = chars
    _, state = lm.read(lm.start(1), tokenizer.encode("a")[None])
    nats: Nats = lm.predict(state).astype(np.float64)
    nats[:, 1] = -np.inf
    nats = apply_temperature(nats, options.get("temperature", 1.0))
    nats = apply_top_p(apply_top_k(nats, options.get("top_k", 0)), options.get("top_p", 1.0))
    expected = np.exp(nats)[0]
    found = first_tokens(lm, tokenizer, 20_000, **options)
    np.testing.assert_allclose(found, expected, atol=0.015)
    assert (found[expected == 0] == 0).all()


def test_temperature_zero_is_greedy(chars: tuple[CausalLM[Any], Tokenizer]) -> None:
    lm, tokenizer = chars
    one, two = (
        sample(lm, tokenizer, temperature=0, seed=seed, max_tokens=30, lines=30)[0]
        for seed in (1, 2)
    )
    assert one.text == two.text
    state, ids = lm.start(1), []
    for _ in range(30):
        nats = lm.predict(state)[0].copy()
        nats[1] = -np.inf
        ids.append(int(nats.argmax()))
        state = lm.advance(state, np.array(ids[-1:]))
    assert one.text == tokenizer.decode(ids)


def test_same_seed_same_text_whatever_the_number(pair: tuple[CausalLM[Any], Tokenizer]) -> None:
    lm, tokenizer = pair
    options: dict[str, Any] = {"max_tokens": 40, "lines": 2, "seed": 7}
    many = sample(lm, tokenizer, num_samples=70, **options)
    assert many == sample(lm, tokenizer, num_samples=70, **options)
    for n in (1, 5, 66):
        few = sample(lm, tokenizer, num_samples=n, **options)
        assert [one.text for one in few] == [one.text for one in many[:n]]
    assert len({one.text for one in many}) > 30
    other = sample(lm, tokenizer, num_samples=70, **{**options, "seed": 8})
    assert [one.text for one in other] != [one.text for one in many]


def test_logprob_is_the_models_own(chars: tuple[CausalLM[Any], Tokenizer]) -> None:
    lm, tokenizer = chars
    drawn = sample(
        lm, tokenizer, num_samples=20, temperature=0.7, top_k=8, top_p=0.9, max_tokens=500
    )
    for one in drawn:
        (scored,) = score(lm, tokenizer, [one.text])
        assert one.tokens == scored.measures.tokens
        assert one.logprob == pytest.approx(scored.logprob, abs=1e-3)


def test_lines_and_max_tokens(pair: tuple[CausalLM[Any], Tokenizer]) -> None:
    lm, tokenizer = pair
    for one in sample(lm, tokenizer, num_samples=40, lines=3, max_tokens=60):
        closed = int((np.array(tokenizer.encode(one.text)) == tokenizer.eos).sum())
        if tokenizer.level != "word":  # a line may be empty, and byte 10 is a line break too
            assert one.tokens == 60 or closed == 2 or tokenizer.level == "byte"
        assert one.tokens <= 60
    (one,) = sample(lm, tokenizer, max_tokens=1, lines=5)
    assert one.tokens == 1


def test_prompt(pair: tuple[CausalLM[Any], Tokenizer]) -> None:
    lm, tokenizer = pair
    prompt = "the cat" if tokenizer.level != "char" else "abc d"
    ids = tokenizer.encode(prompt)
    (one,) = sample(lm, tokenizer, prompt=prompt, max_tokens=20, seed=3)
    assert one.full_text == prompt + one.text
    _, state = lm.read(lm.start(1), ids[None])
    best = lm.predict(state)[0].copy()
    if tokenizer.unk is not None:
        best[tokenizer.unk] = -np.inf
    (greedy,) = sample(lm, tokenizer, prompt=prompt, max_tokens=1, temperature=0)
    whole = tokenizer.decode([*ids.tolist(), int(best.argmax())])
    assert greedy.full_text == (prompt if best.argmax() == tokenizer.eos else whole)


def test_words_after_a_prompt_are_spaced() -> None:
    tokenizer = tokenizer_of("word")
    lm = recurrent_lm("gru", tokenizer.vocab_size, seed=1)
    texts = [s.text for s in sample(lm, tokenizer, prompt="the", num_samples=60, max_tokens=1)]
    assert " cat" in texts
    assert "," in texts


@pytest.mark.parametrize("level", TEXTS)
def test_a_space_after_the_prompt_asks_for_a_new_word(level: str) -> None:
    lm, tokenizer = pair_of(level)
    drawn = sample(lm, tokenizer, prompt="the ", num_samples=60, max_tokens=2, lines=2)
    if level in ("word", "subword"):
        bare = tokenizer.encode("the")
        for one in drawn:
            whole = tokenizer.encode(one.full_text).tolist()
            assert whole[: len(bare)] == bare.tolist()
            assert not one.text.startswith("  ")
    else:
        assert tokenizer.encode("the ").size == 4
    assert len({one.text for one in drawn}) > 10


def test_unknown_characters_in_the_prompt(chars: tuple[CausalLM[Any], Tokenizer]) -> None:
    lm, tokenizer = chars
    (one,) = sample(lm, tokenizer, prompt="a☃b", max_tokens=10, seed=1)
    assert one.full_text == "a☃b" + one.text


def test_unk_is_never_drawn_unless_allowed(chars: tuple[CausalLM[Any], Tokenizer]) -> None:
    lm, tokenizer = chars
    assert first_tokens_unk(lm, tokenizer, False) == 0
    assert first_tokens_unk(lm, tokenizer, True) > 0


def first_tokens_unk(lm: CausalLM[Any], tokenizer: Tokenizer, allow_unk: bool) -> int:
    drawn = sample(lm, tokenizer, num_samples=500, max_tokens=3, allow_unk=allow_unk)
    return sum("<UNK>" in one.text for one in drawn)


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


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("temperature", -1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("top_k", -1),
        ("top_p", 0),
        ("top_p", 2),
        ("num_samples", 0),
        ("max_tokens", 0),
        ("lines", 0),
        ("seed", -1),
    ],
)
def test_settings_out_of_range(
    chars: tuple[CausalLM[Any], Tokenizer], option: str, value: float
) -> None:
    with pytest.raises(CharlmError, match=option.replace("_", "-")):
        sample(*chars, **{option: value})  # type: ignore[arg-type]
