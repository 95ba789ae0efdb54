"""The sentences of the agreement experiment."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from charlm.lab.clauses import VERBS, Lexicon, draw_items, draw_text

WORDS = Lexicon()
NOUNS = {
    form: number
    for noun in (*WORDS.animals, *WORDS.people, *WORDS.things)
    for number, form in enumerate(noun)
}


def everything(text: str) -> bool:
    return True


@pytest.mark.parametrize("attractors", [False, True])
@pytest.mark.parametrize("length", [0, 1, 3, 7, 20])
def test_sentences_are_as_said(length: int, attractors: bool) -> None:
    items = draw_items(Random(1), WORDS, length, attractors, 20, everything)
    assert len(items) == (0 if attractors and length < 3 else 20)
    assert [item.number for item in items] == [0, 1] * (len(items) // 2)
    for item in items:
        the, subject, *clause = item.beginning.replace(",", "").split()
        assert the == "The"
        assert NOUNS[subject] == item.number
        assert clause[:1] in ([], ["which"], ["who"])
        assert len(clause[1:]) == length
        others = [NOUNS[word] for word in clause if word in NOUNS]
        assert bool(others) == attractors
        assert set(others) <= {1 - item.number}
        assert f" {VERBS[item.number]} " in item.text()
        assert item.text(right=False) == item.text().replace(
            f" {VERBS[item.number]} ", f" {VERBS[1 - item.number]} "
        )


def test_nouns_to_learn_from_do_not_tell_the_number() -> None:
    same = [
        NOUNS[word] == NOUNS[line.split()[1].strip(",")]
        for line in draw_text(Random(7), WORDS, 2000, set())
        for word in line.replace(",", "").split()[2:]
        if word in NOUNS
    ]
    assert np.mean(same) == pytest.approx(0.5, abs=0.03)


def test_an_unknown_word_is_left_out() -> None:
    words, left_out = WORDS.known(lambda text: "geese" not in text and "noon" not in text)
    assert left_out == ("goose geese", "before noon")
    assert ("goose", "geese") not in words.animals
    assert words.sufficient
    assert not WORDS.known(lambda text: "The" in text)[0].sufficient


def test_words_that_make_no_clause_of_a_length_make_no_sentence() -> None:
    words, _ = WORDS.known(lambda text: text not in ("slept", "waited", "sang", "ran"))
    assert draw_items(Random(1), words, 1, False, 4, everything) == []
    assert len(draw_items(Random(1), words, 2, False, 4, everything)) == 4
