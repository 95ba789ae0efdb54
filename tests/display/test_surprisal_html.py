"""A score as a notebook shows it: every token on the colour of its surprisal."""

from __future__ import annotations

import pytest
from browser import Reader
from toys import TEXTS, pair_of

from charlm.display.html_page import number, shade
from charlm.measures import Measures
from charlm.tasks.score import SentenceScore, TokenScore, score

HOSTILE = "<script>alert(1)</script> & \"x\" 'y' </p><img src=x onerror=alert(2)>"


def scored(level: str, sentence: str, detail: str) -> SentenceScore:
    lm, tokenizer = pair_of(level)
    tokens, words = detail == "tokens", detail == "words"
    return score(lm, tokenizer, [sentence], tokens=tokens, words=words)[0]


def read(one: SentenceScore) -> Reader:
    return Reader(one._repr_html_())


@pytest.mark.parametrize("level", ["char", "word", "byte", "subword"])
@pytest.mark.parametrize("detail", ["tokens", "words", "none"])
def test_the_text_is_shown_as_it_is(level: str, detail: str) -> None:
    sentence = TEXTS[level].partition("\n")[0] or "the cat sat"
    one = scored(level, sentence, detail)
    page = read(one)
    assert page.shown.replace("↵", "").strip().startswith(sentence)
    assert f"perplexity {number(one.perplexity)}" in page.shown
    if detail == "tokens":
        assert page.tags["span"] == one.measures.tokens
        assert all("bits · rank" in value for name, value in page.attributes if name == "title")
    if detail == "none":
        assert page.tags["span"] == 0


@pytest.mark.parametrize("level", ["char", "word", "byte", "subword"])
@pytest.mark.parametrize("detail", ["tokens", "words", "none"])
def test_no_text_acts_as_markup(level: str, detail: str) -> None:
    page = read(scored(level, HOSTILE, detail))
    assert set(page.tags) <= {"div", "p", "span"}
    assert {name for name, _ in page.attributes} <= {"style", "dir", "title"}
    assert all("alert" not in value for name, value in page.attributes if name == "style")


def test_hostile_names_of_tokens() -> None:
    scores = (TokenScore(HOSTILE, -1.0, 1), TokenScore("\x1b[2J\ud800", -9.0, 7))
    page = read(SentenceScore(HOSTILE, Measures(-10.0, 2, 5, 5), scores))
    assert page.tags == {"div": 1, "p": 2, "span": 2}
    assert HOSTILE in page.shown
    assert "\x1b" not in page.shown


def test_subwords_are_shown_as_they_stand_in_the_text() -> None:
    scores = (TokenScore("▁the", -1.0, 1), TokenScore("0x3C", -9.0, 7), TokenScore("</s>", 0.0, 1))
    one = SentenceScore("the<", Measures(-10.0, 3, 5, 5), scores, level="subword")
    assert Reader(one.html(shade)).shown == " the<↵"


def test_the_numbers_of_a_score() -> None:
    one = SentenceScore("the cat", Measures(-10.0, 3, 8, 8, oov=1))
    assert one.perplexity == one.measures.perplexity
    assert one.bits_per_char == one.measures.bits_per_char
    assert "log P −10.00 nats · perplexity" in Reader(one._repr_html_()).shown
    assert "pseudo" not in one._repr_html_()
    assert "1 OOV" in one._repr_html_()
    pseudo = SentenceScore("the cat", Measures(-10.0, 3, 8, 8), pseudo=True)
    assert "pseudo-perplexity" in pseudo._repr_html_()
