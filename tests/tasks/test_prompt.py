"""Prompts: their tokens, and the text that follows them."""

from __future__ import annotations

import numpy as np
import pytest
from toys import TEXTS, tokenizer_of

from charlm.tasks.prompt import continuation, encode_prompt


@pytest.mark.parametrize("level", TEXTS)
@pytest.mark.parametrize("prompt", ["", "the cat", "the cat sat\nthe"])
def test_prompt_and_continuation_are_the_text(level: str, prompt: str) -> None:
    tokenizer = tokenizer_of(level)
    ids, spaced = encode_prompt(tokenizer, prompt)
    assert not spaced
    more = tokenizer.encode("cat")
    whole = tokenizer.decode(np.concatenate([ids, more]))
    assert tokenizer.decode(ids) + continuation(tokenizer, ids, more) == whole


@pytest.mark.parametrize("level", TEXTS)
def test_a_space_at_the_end_belongs_to_the_next_word(level: str) -> None:
    tokenizer = tokenizer_of(level)
    ids, spaced = encode_prompt(tokenizer, "the ")
    assert spaced == (level in ("word", "subword"))
    assert ids.tolist() == tokenizer.encode("the" if spaced else "the ").tolist()
