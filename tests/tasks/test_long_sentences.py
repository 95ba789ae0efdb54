"""Sentences too long to hold their tokens are scored piece by piece, with the same numbers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import TEXTS, pair_of, small_model_file

from charlm.errors import CharlmError
from charlm.models import model_file
from charlm.tasks import long_sentences
from charlm.tasks.score import score

SENTENCES = st.lists(st.text("abc dé☃ ,'the", max_size=60), min_size=1, max_size=4)


@pytest.mark.parametrize("context", ["sentence", "stream"])
@pytest.mark.parametrize("level", TEXTS)
@settings(max_examples=10, deadline=None)
@given(texts=SENTENCES, eos=st.booleans())
def test_the_same_numbers(level: str, context: str, texts: list[str], eos: bool) -> None:
    lm, tokenizer = pair_of(level)
    whole = score(lm, tokenizer, texts, eos=eos, context=context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_sentences, "LONG", 1)
        patch.setattr(long_sentences, "PIECE", 5)
        pieces = score(lm, tokenizer, texts, eos=eos, context=context)
    for one, other in zip(whole, pieces, strict=True):
        assert other.text == one.text
        assert other.level == one.level
        ours, theirs = other.measures.as_dict(), one.measures.as_dict()
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-4, nan_ok=True)


def test_what_a_long_sentence_cannot_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_sentences, "LONG", 8)
    lm, tokenizer = pair_of("char")
    score(lm, tokenizer, ["abc de", "abc"], tokens=True)
    with pytest.raises(
        CharlmError,
        match=r"^a sentence has 12 characters: its tokens and words are too many to score one by "
        r"one, and for a bidirectional model they are too many at a time\. Score it as a whole, "
        r"with another model, or cut it into lines$",
    ):
        score(lm, tokenizer, ["abc", "abc deabc de"], tokens=True)
    with pytest.raises(CharlmError, match="12 characters: its tokens"):
        score(lm, tokenizer, ["abc", "abc deabc de"], words=True)
    both = model_file.build(small_model_file(bidirectional=True))
    with pytest.raises(CharlmError, match="bidirectional"):
        score(both, tokenizer, ["abc deabc de"])
    with pytest.raises(CharlmError, match="line break"):
        score(lm, tokenizer, ["abc de\nabc de"])


def test_from_where_a_sentence_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_sentences, "LONG", 8)
    assert [long_sentences.is_long("a" * n) for n in (7, 8, 9)] == [False, True, True]
    (one,) = score(*pair_of("char"), ["abcdeabc☃"])
    assert (one.pseudo, one.measures.oov) == (False, 1)
