"""The distribution of the next token."""

from __future__ import annotations

import math

import pytest
from toys import pair_of

from charlm.tasks.next_tokens import next_tokens
from charlm.tasks.score import score


def test_next_is_the_model_s_distribution() -> None:
    lm, tokenizer = pair_of("char")
    found, entropy = next_tokens(lm, tokenizer, "the c", top_k=tokenizer.vocab_size)
    assert sum(one.probability for one in found) == pytest.approx(1, abs=1e-5)
    expected = -sum(one.probability * math.log2(one.probability) for one in found)
    assert entropy == pytest.approx(expected, abs=1e-5)
    own = score(lm, tokenizer, ["the c" + found[3].token], eos=False)[0].logprob
    before = score(lm, tokenizer, ["the c"], eos=False)[0].logprob
    if len(found[3].token) == 1:
        assert found[3].logprob == pytest.approx(own - before, abs=1e-4)
