"""What differs is marked, and what is far from it cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.display.difference import common_ends, marked


@pytest.mark.parametrize(
    ("text", "other", "shown"),
    [
        ("the cat is here", "the cat are here", "the cat [is] here"),
        ("the cat", "the cat sat", "the cat []"),
        ("a b c", "x b c", "[a] b c"),
        ("same", "same", "same"),
        ("one", "two", "[one]"),
        ("春眠不覺曉", "春眠不知曉", "春眠不[覺]曉"),
    ],
)
def test_marked(text: str, other: str, shown: str) -> None:
    assert marked(text, other) == shown


def test_long_texts_are_cut_around_the_difference() -> None:
    words = [f"w{k}" for k in range(100)]
    text = " ".join([*words, "is", *words])
    found = marked(text, text.replace(" is ", " are "), 20)
    assert found == "… w95 w96 w97 w98 w99 [is] w0 w1 w2 w3 w4 w5 …"
    assert len(marked("word " * 1000, "other " * 1000, 20)) < 100


@given(st.lists(st.integers(0, 2), max_size=9), st.lists(st.integers(0, 2), max_size=9))
def test_common_ends(one: list[int], other: list[int]) -> None:
    first, last = common_ends(one, other)
    assert one[:first] == other[:first]
    assert last == 0 or one[-last:] == other[-last:]
    assert first + last <= min(len(one), len(other))
    middle, there = one[first : len(one) - last], other[first : len(other) - last]
    if middle and there:
        assert middle[0] != there[0]
        assert middle[-1] != there[-1]
