"""Sampled texts: frequencies, seeds, prompts, and settings out of range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from toys import TEXTS, pair_of, recurrent_lm, tokenizer_of

from charlm.errors import CharlmError
from charlm.lm import CausalLM, Nats
from charlm.models.kneser_ney import estimate
from charlm.models.spelling import log_of_spelling
from charlm.tasks import sample as room
from charlm.tasks.sample import sample
from charlm.tasks.sampling_filters import (
    apply_temperature,
    apply_top_k,
    apply_top_p,
)
from charlm.tasks.score import score
from charlm.text.tokenizer import Tokenizer
from charlm.text.word_tokenizer import WordTokenizer


@pytest.fixture(params=TEXTS)
def pair(request: pytest.FixtureRequest) -> tuple[CausalLM[Any], Tokenizer]:
    return pair_of(request.param)


@pytest.fixture
def chars() -> tuple[CausalLM[Any], Tokenizer]:
    return pair_of("char", "lstm", 0.7)


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


def test_samples_are_told_of_batch_by_batch(
    chars: tuple[CausalLM[Any], Tokenizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_BATCH", 2)
    told: list[int] = []
    drawn: list[int] = []
    real = room.draw_batch

    def draw_batch(*args: Any) -> Any:
        drawn.append(len(told))
        return real(*args)

    monkeypatch.setattr(room, "draw_batch", draw_batch)
    found = sample(
        *chars, num_samples=5, max_tokens=9, on_sample=lambda one: told.append(one.tokens)
    )
    assert drawn == [0, 2, 4]
    assert told == [one.tokens for one in found]


def test_logprob_is_the_models_own(chars: tuple[CausalLM[Any], Tokenizer]) -> None:
    lm, tokenizer = chars
    drawn = sample(
        lm, tokenizer, num_samples=20, temperature=0.7, top_k=8, top_p=0.9, max_tokens=500
    )
    for one in drawn:
        (scored,) = score(lm, tokenizer, [one.text])
        assert one.tokens == scored.measures.tokens == len(one.ids)
        assert tokenizer.decode(np.array(one.ids)).removesuffix("\n") == one.text
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


def test_draws_are_the_same_however_many_are_taken_at_a_time(
    chars: tuple[CausalLM[Any], Tokenizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a text may be much longer than that."""
    options: dict[str, Any] = {"num_samples": 3, "lines": 90, "max_tokens": 90, "prompt": "ab"}
    expected = sample(*chars, **options)
    assert {one.tokens for one in expected} == {90}
    monkeypatch.setattr(room, "DRAWS_AT_ONCE", 8)
    assert sample(*chars, **options) == expected


def test_only_the_first_token_must_begin_a_word() -> None:
    """After "the " a subword model begins a word, which then may go on."""
    lm, tokenizer = pair_of("subword")
    (one,) = sample(lm, tokenizer, prompt="the ", max_tokens=60, lines=60, seed=1)
    ids = tokenizer.encode("the " + one.text)
    begins = tokenizer.starts_word()[ids[len(tokenizer.encode("the")) :]]
    assert begins[0]
    assert not begins.all()
    assert not one.text.startswith(" ")


def test_the_least_settings_and_the_most(chars: tuple[CausalLM[Any], Tokenizer]) -> None:
    (one,) = sample(*chars, num_samples=1, max_tokens=1)
    assert one.tokens == 1
    with pytest.raises(CharlmError, match="from 1 to 100,000, not 100001"):
        sample(*chars, num_samples=100_001)
    with pytest.raises(CharlmError, match=r"^`no_copy` needs the `training_text`$"):
        sample(*chars, no_copy=3)
    with pytest.raises(CharlmError, match=r"^`allow_unk` and `words` exclude each other"):
        sample(*chars, allow_unk=True, words=["a"])


def test_its_json() -> None:
    one = room.Sample("b c", 3, -4.5, "a ", "stuck")
    assert one.as_dict() == {
        "text": "b c",
        "tokens": 3,
        "logprob": -4.5,
        "prompt": "a ",
        "ended": "stuck",
    }


def test_texts_end_stuck_where_nothing_is_allowed(
    chars: tuple[CausalLM[Any], Tokenizer],
) -> None:
    lm, tokenizer = chars
    ends = [
        one.ended
        for one in sample(lm, tokenizer, num_samples=20, no_repeat=1, max_tokens=200, lines=200)
    ]
    assert set(ends) == {"stuck"}
    assert sample(lm, tokenizer, max_tokens=2, lines=9)[0].ended == "max_tokens"


@pytest.mark.parametrize(("level", "most"), [("char", 160), ("byte", 160), ("word", 40)])
def test_a_preview_is_a_short_sample(level: str, most: int) -> None:
    lm, tokenizer = pair_of(level)
    for seed in range(5):
        whole = sample(lm, tokenizer, max_tokens=most, lines=3, temperature=0.8, seed=seed)[0]
        assert room.preview(lm, tokenizer, seed) == whole.text
    texts = [room.preview(lm, tokenizer, seed) for seed in range(40)]
    assert any(text.count("\n") == 2 for text in texts)


def test_unk_is_never_drawn_unless_allowed(chars: tuple[CausalLM[Any], Tokenizer]) -> None:
    lm, tokenizer = chars
    assert first_tokens_unk(lm, tokenizer, False) == 0
    assert first_tokens_unk(lm, tokenizer, True) > 0


def first_tokens_unk(lm: CausalLM[Any], tokenizer: Tokenizer, allow_unk: bool) -> int:
    drawn = sample(lm, tokenizer, num_samples=500, max_tokens=3, allow_unk=allow_unk)
    return sum("<UNK>" in one.text for one in drawn)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("temperature", -1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("top_k", -1),
        ("top_p", 0),
        ("top_p", 2),
        ("min_p", -0.1),
        ("min_p", float("nan")),
        ("min_p", 1.5),
        ("typical", 0),
        ("typical", 1.5),
        ("num_samples", 0),
        ("max_tokens", 0),
        ("lines", 0),
        ("seed", -1),
    ],
)
def test_settings_out_of_range(
    chars: tuple[CausalLM[Any], Tokenizer], option: str, value: float
) -> None:
    with pytest.raises(CharlmError, match=f"^(`{option}`|{option}) must"):
        sample(*chars, **{option: value})  # type: ignore[arg-type]


# ── new words ────────────────────────────────────────────────────────────────────────────────


def words_and_ngrams() -> tuple[CausalLM[Any], Tokenizer]:
    """An n-gram model of words, half of which it does not know."""
    text = "the cat sat on a mat\nthe dog ran on the grass\nthe cow stood on a hill\n" * 3
    tokenizer = WordTokenizer.train([text + "a few words that are rare\n"], min_count=4)
    ids = tokenizer.encode(text)
    return estimate(ids, tokenizer.vocab_size, tokenizer.eos, 2, lines=True), tokenizer


def test_new_words_are_spelled_where_the_model_has_none() -> None:
    lm, tokenizer = words_and_ngrams()
    options: dict[str, Any] = {"num_samples": 70, "seed": 4}
    drawn = sample(lm, tokenizer, allow_new_words=True, **options)
    plain = sample(lm, tokenizer, allow_unk=True, **options)
    new = set()
    for one, before in zip(drawn, plain, strict=True):
        words, known = one.text.split(), before.text.split()
        assert len(words) == len(known)
        assert [w for w, k in zip(words, known, strict=True) if k != "<UNK>"] == [
            k for k in known if k != "<UNK>"
        ]
        unknown = tokenizer.unknown(one.text)
        new |= set(unknown)
        assert len(unknown) == known.count("<UNK>")
        spelling = log_of_spelling(tokenizer, one.text)
        assert one.logprob == pytest.approx(before.logprob + spelling, abs=1e-4)
    assert len(new) > 20
    assert sample(lm, tokenizer, allow_new_words=True, **options) == drawn


def test_new_words_are_streamed() -> None:
    lm, tokenizer = words_and_ngrams()
    for seed in range(20):
        pieces: list[str] = []
        (one,) = sample(lm, tokenizer, allow_new_words=True, seed=seed, on_text=pieces.append)
        assert "".join(pieces) == one.text
        assert "<UNK>" not in one.text


def test_new_words_keep_to_the_guards_and_to_word_models() -> None:
    lm, tokenizer = words_and_ngrams()
    (one,) = sample(lm, tokenizer, allow_new_words=True, no_repeat=2, lines=40, seed=3)
    assert one.text
    with pytest.raises(CharlmError, match=r"^`allow_new_words` is for word models"):
        sample(*pair_of("char"), allow_new_words=True)
    for options in ({"words": ["a"]}, {"match": "a"}):
        with pytest.raises(CharlmError, match=r"^`allow_new_words` excludes `words` and `match`"):
            sample(lm, tokenizer, allow_new_words=True, **options)
