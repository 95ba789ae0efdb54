"""A choice's text comes in pieces that stay, and ends before a stop string."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from charlm.serve.choice_text import ChoiceText
from charlm.text.char_tokenizer import CharTokenizer
from charlm.text.word_tokenizer import WordTokenizer

CHARS = CharTokenizer.train(["ab \n"])
NOTHING = np.zeros(0, np.int64)


@given(st.text("ab ", max_size=30), st.lists(st.text("ab ", min_size=1, max_size=4), max_size=3))
def test_stop_strings_are_never_shown(text: str, stops: list[str]) -> None:
    choice = ChoiceText(CHARS, NOTHING, stops, spaced=False)
    shown = ""
    for id in CHARS.encode(text).tolist():
        goes_on = choice.add(id)
        shown += choice.take()
        assert text.startswith(shown)
        if not goes_on:
            break
    choice.close(ended=False)
    shown += choice.take()
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    if ends:  # cut before the stop string that was complete first, or one that begins before it
        assert choice.stopped
        seen = text[: min(ends)]
        assert shown == seen[: min(p for stop in stops if (p := seen.find(stop)) >= 0)]
        assert len(shown) >= min(places)
    else:
        assert shown == text


def test_words_are_spaced() -> None:
    words = WordTokenizer.train(["the cat , sat '\n"])
    choice = ChoiceText(words, words.encode("the"), [], spaced=False)
    for id in words.encode("cat , sat").tolist():
        choice.add(id)
    choice.add(words.eos)
    choice.close(ended=True)
    assert choice.take() == " cat, sat"
    spaced = ChoiceText(words, words.encode("the"), [], spaced=True)
    spaced.add(int(words.encode("cat")[0]))
    spaced.close(ended=False)
    assert spaced.take() == "cat"
