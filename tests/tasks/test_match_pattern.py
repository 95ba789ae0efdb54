"""Lines that match a regular expression."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from toys import TEXTS, pair_of, recurrent_lm

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.tasks.match_pattern import MatchPattern
from charlm.tasks.sample import sample
from charlm.text.tokenizer import build

pytest.importorskip("regex")


@pytest.mark.parametrize("level", TEXTS)
@pytest.mark.parametrize("pattern", [".*", "[a-e]+( [a-e]+)?", "(hat|the|a).{2,12}", "|ab?c|the"])
@pytest.mark.parametrize("options", [{}, {"temperature": 0.3, "top_p": 0.9, "no_repeat": 6}])
def test_every_line_matches(level: str, pattern: str, options: dict[str, Any]) -> None:
    lm, tokenizer = pair_of(level)
    if level == "word":
        pattern = pattern.replace("a-e", "a-t")  # of words that there are
    elif level == "char":
        pattern = pattern.replace("hat", "had").replace("the", "he")  # of characters
    limits: dict[str, Any] = {"num_samples": 3, "lines": 2, "max_tokens": 60}
    for one in sample(lm, tokenizer, match=pattern, **limits, **options):
        *lines, last = one.text.split("\n")
        for line in [*lines, last] if one.ended == "lines" else lines:
            assert re.fullmatch(pattern, line)
    assert drawn_lines(lm, tokenizer, pattern) > 0


def drawn_lines(lm: Any, tokenizer: Any, pattern: str) -> int:
    """How many of some samples of one line are closed, all of which match."""
    drawn = sample(lm, tokenizer, match=pattern, num_samples=8, max_tokens=300, seed=1)
    closed = [one.text for one in drawn if one.ended == "lines"]
    assert all(re.fullmatch(pattern, text) for text in closed)
    return len(closed)


@pytest.mark.parametrize("level", TEXTS)
def test_what_allows_everything_changes_nothing(level: str) -> None:
    lm, tokenizer = pair_of(level)
    free = sample(lm, tokenizer, num_samples=5, max_tokens=50, seed=3)
    matched = sample(lm, tokenizer, num_samples=5, max_tokens=50, seed=3, match="(?s).*")
    if level in ("char", "word"):
        assert matched == free
        return
    for one in matched:  # bytes need not be characters, and with a pattern they are
        assert "�" not in one.text.encode("utf-8", "replace").decode() or one.ended != "lines"


def test_dead_ends_are_told() -> None:
    lm, tokenizer = pair_of("char")
    with pytest.raises(CharlmError, match=r"stuck after 'ab': .* `match` allows"):
        sample(lm, tokenizer, match="abX")
    with pytest.raises(CharlmError, match="stuck at the beginning of a line"):
        sample(lm, tokenizer, match="X")
    with pytest.raises(CharlmError, match="`prompt` begins nothing that `match` allows: 'b'"):
        sample(lm, tokenizer, match="a+", prompt="b")


def test_one_dead_end_does_not_lose_the_others() -> None:
    lm, tokenizer = pair_of("char")
    drawn = sample(lm, tokenizer, match="a|bX", num_samples=40)
    assert {(one.text, one.ended) for one in drawn} == {("a", "lines"), ("b", "stuck")}


def test_guards_end_a_line_that_cannot_go_on() -> None:
    lm, tokenizer = pair_of("char")
    (one,) = sample(lm, tokenizer, match="(ab)+X?", no_repeat=3, max_tokens=50)
    assert one.ended in ("stuck", "lines")
    (one,) = sample(lm, tokenizer, match="(ab){9}", no_repeat=3, max_tokens=50)
    assert (one.text, one.ended) == ("ababa", "stuck")


def test_quotes_may_open_and_close() -> None:
    tokenizer = build(TokenizerConfig("word", split="unicode"), ['"no" said the cats\' cat.\n'])
    lm = recurrent_lm("gru", tokenizer.vocab_size, eos=tokenizer.eos)
    for pattern in ('"no" said cat\\.', "the cats' cat", 'said "cat"\\.'):
        drawn = sample(lm, tokenizer, match=pattern, max_tokens=20)[0]
        assert re.fullmatch(pattern, drawn.text), drawn


@pytest.mark.parametrize(
    ("pattern", "named"),
    [(r"\u732bc", "猫c"), (r"\xe9a", "éa"), (r"\U0001f600b", "😀b"), ("é", "é")],
)
def test_characters_that_a_pattern_names(pattern: str, named: str) -> None:
    assert MatchPattern(pattern).named == set(named)


def test_bad_patterns() -> None:
    for pattern in ("(", "[a", "*", "(?P<n>a)(?P=m)", "a{2,1}", "(?au)a", "(?V0V1)a"):
        with pytest.raises(CharlmError, match="`match` is not a regular expression"):
            MatchPattern(pattern)
    with pytest.raises(CharlmError, match="line break"):
        MatchPattern("a\nb")


def test_patterns_that_take_for_ever_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        def fullmatch(self, line: str, *, partial: bool, timeout: float) -> None:
            raise TimeoutError

    constraint = MatchPattern("a+")
    monkeypatch.setattr(constraint, "pattern", Slow())
    with pytest.raises(CharlmError, match=r"`match` takes more than 2 s .* 3 characters"):
        constraint.may_end("aaa")


def test_the_module_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(
        CharlmError, match=r'`match` needs regex: pip install "charlm\[constrain\]"'
    ):
        MatchPattern("a")
