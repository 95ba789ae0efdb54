"""Constraints on lines, for every kind of token."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from toys import TEXTS, pair_of, recurrent_lm, tokenizer_of

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.lm import Nats
from charlm.models.causal import CausalModel
from charlm.tasks.constraints import COMPLETIONS, Constrained, _completions, _pending
from charlm.tasks.sample import draw_batch, generator_of, sample
from charlm.tasks.sampling_filters import Filters
from charlm.tasks.token_choice import Chooser
from charlm.text.tokenizer import build


class Lines:
    """Allows some lines and what begins them."""

    name = "lines"

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        self.named = frozenset("".join(lines))

    def may_grow(self, before: str, line: str) -> bool:
        return any(one.startswith(line) for one in self.lines)

    def may_end(self, line: str) -> bool:
        return line in self.lines


class Uniform(CausalModel[Any]):
    """All tokens equally probable."""

    def __init__(self, vocab_size: int, eos: int) -> None:
        self.vocab_size, self.eos = vocab_size, eos

    def empty(self, batch: int) -> Any:
        return np.zeros(batch, np.int64)

    start = empty

    def predict(self, state: Any) -> Nats:
        return np.full((len(state), self.vocab_size), -np.log(self.vocab_size))

    def advance(self, state: Any, ids_B: Any) -> Any:
        return state


def write(level: str, lines: tuple[str, ...], prompt: str = "", **options: Any) -> set[str]:
    """What is sampled under such a constraint, by a model that knows nothing."""
    tokenizer = tokenizer_of(level)
    lm = Uniform(tokenizer.vocab_size, tokenizer.eos)
    ids = tokenizer.encode(prompt)
    chooser = Chooser(
        Filters(**options), constraint=Constrained([Lines(*lines)], tokenizer, prompt)
    )
    generators = [generator_of(2, number) for number in range(4)]
    found = draw_batch(lm, lm.start(4), ids, generators, chooser, 60, 2)
    assert all(why == "lines" for _, _, why in found)
    return {
        line for drawn, _, _ in found for line in (prompt + tokenizer.decode(drawn)).split("\n")
    }


@pytest.mark.parametrize("level", TEXTS)
def test_lines_are_those_allowed(level: str) -> None:
    lines = ("abc de", "abc fgh,") if level == "char" else ("the cat sat", "the mat, (slept).")
    assert {""} < write(level, lines) <= {*lines, ""}
    assert {""} < write(level, lines, top_k=3) <= {*lines, ""}


@pytest.mark.parametrize("level", ["char", "byte"])
def test_the_prompt_is_part_of_its_line(level: str) -> None:
    lines = ("abc de", "abc fgh,")
    assert {""} < write(level, lines, prompt="abc") <= {*lines, ""}
    begun = write(level, ("abc de", "c"), prompt="whatever\nabc d")
    assert {"whatever", "abc de", ""} <= begun <= {"whatever", "abc de", "c", ""}
    with pytest.raises(CharlmError, match="`prompt` begins nothing that `lines` allows: 'abd'"):
        write(level, lines, prompt="abd")


@pytest.mark.parametrize("level", ["byte", "subword"])
@pytest.mark.parametrize("line", ["naïve", "猫", "😀 é"])
def test_characters_of_several_bytes(level: str, line: str) -> None:
    """A byte is drawn only if it begins, or goes on with, a character that is allowed."""
    assert write(level, (line,)) == {line, ""}


def test_pending_characters() -> None:
    for char in ("é", "猫", "😀", "\U0010ffff", "\u0800", "\U00010000"):
        data = char.encode()
        for k in range(1, len(data)):
            text = "a" + data[:k].decode("utf-8", "surrogateescape")
            pending = _pending(text)
            assert pending == text[1:]
            assert char in set(_completions(pending, [char, "a", "ü"]))
            few = list(_completions(pending, []))
            assert 0 < len(few) <= COMPLETIONS
            assert all(one.encode()[:k] == data[:k] for one in few)
    assert _pending("aé") == ""
    for broken in (b"\xff", b"\x80", b"\xc3a", b"\xc3\xc3", b"\xc0"):
        text = broken.decode("utf-8", "surrogateescape")
        assert _pending(text) is None


def test_a_word_must_be_able_to_go_on() -> None:
    """Where "The" is a word of its own, "There" must not begin with it."""
    tokenizer = build(TokenizerConfig("word"), ["T The There is There is\n"])
    lm = recurrent_lm("gru", tokenizer.vocab_size, eos=tokenizer.eos)
    texts = {one.text for one in sample(lm, tokenizer, num_samples=40, match="(There|T) is")}
    assert texts == {"There is", "T is"}


def test_streamed_pieces_are_never_taken_back() -> None:
    for level in TEXTS:
        lm, tokenizer = pair_of(level)
        for seed in range(2):
            pieces: list[str] = []
            options: dict[str, Any] = {"match": "[a-z ,]{3,9}", "seed": seed, "lines": 3}
            if level == "word":
                options["match"] = "[a-z ,']{3,60}"
            (one,) = sample(lm, tokenizer, on_text=pieces.append, max_tokens=300, **options)
            assert "".join(pieces) == one.text
            assert sample(lm, tokenizer, max_tokens=300, **options) == [one]
            many = sample(lm, tokenizer, num_samples=4, max_tokens=300, **options)
            assert many[0].text == one.text
