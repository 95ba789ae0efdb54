"""Lines that match a regular expression."""

from __future__ import annotations

import re
import sys
from typing import Any

import pytest
from toys import TEXTS, pair_of

from charlm.errors import CharlmError
from charlm.tasks.match_pattern import MatchPattern
from charlm.tasks.sample import sample

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
        assert last.isprintable() or one.ended == "max_tokens" or level in ("byte", "subword")


@pytest.mark.parametrize("level", TEXTS)
def test_what_allows_everything_changes_nothing(level: str) -> None:
    lm, tokenizer = pair_of(level)
    free = sample(lm, tokenizer, num_samples=5, max_tokens=50, seed=3)
    matched = sample(lm, tokenizer, num_samples=5, max_tokens=50, seed=3, match="(?s).*")
    if level in ("char", "word"):  # bytes need not be characters
        assert matched == free


def test_dead_ends_are_told() -> None:
    lm, tokenizer = pair_of("char")
    with pytest.raises(CharlmError, match=r"stuck after 'ab': .* `match` allows"):
        sample(lm, tokenizer, match="abX")
    with pytest.raises(CharlmError, match="stuck at the beginning of a line"):
        sample(lm, tokenizer, match="X")
    with pytest.raises(CharlmError, match="`prompt` begins nothing that `match` allows: 'b'"):
        sample(lm, tokenizer, match="a+", prompt="b")


def test_bad_patterns() -> None:
    for pattern in ("(", "[a", "*", "(?P<n>a)(?P=m)", "a{2,1}"):
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
