"""Any text as tokens and back."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import tokenizer_of

from charlm.compression.tokens import join, split
from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.text.tokenizer import Tokenizer, build

STORY = "The cat's mat, which (so they say) was red: 3.14 m. “Don’t!”\nO'er the hills\n\n"
TOKENIZERS = {level: tokenizer_of(level) for level in ("char", "word", "byte", "subword")} | {
    f"{split}{', lower' if lower else ''}": build(
        TokenizerConfig(level="word", split=split, lower=lower), [STORY * 3]
    )
    for split in ("whitespace", "unicode")
    for lower in (False, True)
}
BYTES = st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape"))
TEXTS = st.text(max_size=60).filter(lambda text: text.isprintable() or text.isascii())
ODD = st.text("ab \n\t\r.,\u3000\x00\x01é猫\x85\udce9'", max_size=40)
STORIES = st.lists(st.sampled_from([*STORY.split(" "), "  ", "\t"]), max_size=30).map(" ".join)

tokenizer = pytest.mark.parametrize("tokenizer", TOKENIZERS.values(), ids=TOKENIZERS.keys())


@tokenizer
@given(text=st.one_of(BYTES, TEXTS, ODD, STORIES))
def test_nothing_is_lost(tokenizer: Tokenizer, text: str) -> None:
    found = split(tokenizer, text)
    if found is None:  # which is allowed where lower case is another number of words
        assert getattr(tokenizer, "lower", False)
        return
    ids, side = found
    assert join(tokenizer, ids, side) == text


@pytest.mark.parametrize("name", ["unicode", "unicode, lower", "whitespace"])
def test_of_words_the_side_is_short_where_spacing_is_regular(name: str) -> None:
    text = STORY.lower() * 20
    found = split(TOKENIZERS[name], text)
    assert found is not None
    ids, side = found
    if name == "unicode, lower":
        assert not (ids == TOKENIZERS[name].unk).any()
        assert len(side) < len(STORY)


def test_what_is_unknown_is_spelled() -> None:
    found = split(TOKENIZERS["char"], "abcXdé")
    assert found is not None
    ids, side = found
    assert (ids == 1).tolist() == [False, False, False, True, False, True]
    assert side.decode() == "1,1\nXé"
    with pytest.raises(CharlmError, match="more spellings"):
        join(TOKENIZERS["char"], np.append(ids, 1), side)


@given(text=STORIES, ids=st.lists(st.integers(0, 20), max_size=20))
def test_tokens_of_another_text(text: str, ids: list[int]) -> None:
    """Which come of a model that computes otherwise: an error of charlm's, or another text."""
    one = TOKENIZERS["unicode"]
    found = split(one, text)
    assert found is not None
    known = np.array(ids, np.int64) % one.vocab_size
    with suppress(CharlmError):
        join(one, known, found[1])
    for side in (b"", b"1\nx", b"1,1\n2a", b"1,1,1\n2ab"):
        with suppress(CharlmError):
            join(one, known, side)


@pytest.mark.parametrize("side", [b"1,x\nab", b"\xff", b"1"])
def test_sides_that_are_none(side: bytes) -> None:
    with pytest.raises(CharlmError):
        join(TOKENIZERS["char"], np.array([1, 1]), side)
