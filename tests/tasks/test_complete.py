"""Completions and their probabilities."""

from __future__ import annotations

from typing import Any

import pytest
from toys import TEXTS, pair_of, tokenizer_of

from charlm.errors import CharlmError
from charlm.models.kneser_ney import estimate
from charlm.tasks.complete import complete
from charlm.tasks.next_tokens import next_tokens
from charlm.tasks.score import score


@pytest.mark.parametrize("level", ["char", "word", "byte", "subword"])
def test_log_probabilities_are_those_of_score(level: str) -> None:
    lm, tokenizer = pair_of(level)
    for one in complete(lm, tokenizer, "the cat", beam=4, num=3, max_tokens=6):
        assert one.full_text == "the cat" + one.text
        if one.finished and tokenizer.encode(one.full_text).size == one.tokens - 1 + len(
            tokenizer.encode("the cat")
        ):
            whole = score(lm, tokenizer, [one.full_text])[0].logprob
            begun = score(lm, tokenizer, ["the cat"], eos=False)[0].logprob
            assert one.logprob == pytest.approx(whole - begun, abs=1e-3)
        if tokenizer.unk is not None:
            assert "<UNK>" not in one.text


def test_settings_out_of_range_are_refused() -> None:
    lm, tokenizer = pair_of("char")
    wrong: list[dict[str, Any]] = [
        {"beam": 0},
        {"num": 0},
        {"max_tokens": 0},
        {"min_length": -1},
        {"min_length": 7, "max_tokens": 6},
        {"length_penalty": -1.0},
    ]
    for how in wrong:
        with pytest.raises(CharlmError):
            complete(lm, tokenizer, "a", **how)
    with pytest.raises(CharlmError):
        next_tokens(lm, tokenizer, "a", top_k=0)


@pytest.mark.parametrize("level", TEXTS)
@pytest.mark.parametrize("least", [0, 1, 4])
def test_endings_are_not_too_short(level: str, least: int) -> None:
    lm, tokenizer = pair_of(level)
    found = complete(lm, tokenizer, "the cat", num=6, max_tokens=9, min_length=least)
    assert found
    assert min(one.tokens - one.finished for one in found) >= least
    shorter = complete(lm, tokenizer, "the cat", num=6, max_tokens=9, min_length=0)
    assert shorter[0].logprob >= found[0].logprob


def test_an_ending_is_not_empty_by_default() -> None:
    tokenizer = tokenizer_of("word")
    text = tokenizer.encode("the cat sat .\nthe cat sat on the mat .\n" * 9)
    lm = estimate(text, tokenizer.vocab_size, tokenizer.eos, 3, lines=True)
    assert complete(lm, tokenizer, "the cat sat .", min_length=0)[0].text == ""
    assert all(one.text for one in complete(lm, tokenizer, "the cat sat ."))
