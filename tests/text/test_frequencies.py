"""Word frequencies, counted by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.text.frequencies import Frequencies, bare


def test_laplace_frequencies_per_million() -> None:
    frequency = Frequencies.of_text(["The cat, the CAT; the ", "d", "og!\n", "— 'the' end"])
    # the 4, cat 2, dog 1, end 1: eight words of four types
    assert frequency.total == 8
    assert frequency("The") == pytest.approx(math.log10(5 / 12 * 1e6))
    assert frequency("dog.") == pytest.approx(math.log10(2 / 12 * 1e6))
    assert frequency("zebra") == pytest.approx(math.log10(1 / 12 * 1e6))


def test_words_that_are_not_known_by_name_count_among_all() -> None:
    assert Frequencies([("a", 3)], others=5)("a") == pytest.approx(math.log10(4 / 9 * 1e6))


def test_punctuation_and_texts_without_words_have_no_frequency() -> None:
    assert math.isnan(Frequencies([("a", 1)])("…"))
    assert math.isnan(Frequencies([])("a"))


@pytest.mark.parametrize(
    ("word", "key"),
    [("Don't!", "don't"), ("“Ça”", "ça"), ("e.g.", "e.g"), ("3.5%", "3.5"), ("--", "")],
)
def test_bare(word: str, key: str) -> None:
    assert bare(word) == key


@given(st.lists(st.sampled_from(["a", "B", "b,", "cat", "."]), max_size=30), st.integers(1, 9))
def test_chunks_may_be_cut_anywhere(words: list[str], size: int) -> None:
    text = " ".join(words)
    whole = Frequencies.of_text([text])
    cut = Frequencies.of_text([text[i : i + size] for i in range(0, len(text), size)])
    assert (cut.counts, cut.total) == (whole.counts, whole.total)
