"""The agreement experiment: what is learned, what is judged, and how."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from cli_support import write_model

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.lab import agreement
from charlm.lab.agreement import (
    CONDITIONS,
    LENGTHS,
    Agreement,
    draw_test,
    grade,
    train_and_evaluate,
)
from charlm.lab.clauses import Item, Lexicon, draw_items, draw_text
from charlm.models import model_file, model_parts
from charlm.models.kneser_ney import estimate
from charlm.models.unigram_cache import UnigramCacheLM
from charlm.text import tokenizer

WORDS = Lexicon()
TEXT = "".join(f"{line}\n" for line in draw_text(Random(3), WORDS, 400, set()))


def everything(text: str) -> bool:
    return True


@pytest.fixture(scope="module")
def small() -> Agreement:
    return train_and_evaluate(seed=4, runs=1, steps=2, sentences=4, lines=600)


def test_learned_and_judged_sentences_differ() -> None:
    rng = Random(2)
    test = draw_test(rng, WORDS, 40, everything)
    judged = {item.text() for lists in test.values() for items in lists for item in items}
    learned = list(draw_text(rng, WORDS, 3000, agreement.reserved(test)))
    assert len(learned) == 3000
    assert not judged & set(learned)
    begun = {line[: re.search(" (was|were) ", line).start()] for line in learned}  # type: ignore
    for lists in test.values():
        for items in lists[2:]:
            assert not begun & {item.beginning for item in items}
    assert len(begun & {item.beginning for item in test[CONDITIONS[0]][0]}) > 9
    assert set(draw_text(Random(5), WORDS, 3000, set())) & {
        item.text() for item in draw_items(Random(6), WORDS, 0, False, 40, everything)
    }  # by chance they would not


# Judging --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [3, 5])
def test_beyond_its_window_an_n_gram_model_guesses(order: int) -> None:
    text = "".join(f"{line}\n" for line in draw_text(Random(3), WORDS, 4000, set()))
    tokens = tokenizer.build(TokenizerConfig(level="word", split="unicode"), [text])
    lm = estimate(tokens.encode(text), tokens.vocab_size, tokens.eos, order, lines=True)
    test = draw_test(Random(8), WORDS, 30, lambda text: not (tokens.encode(text) == 1).any())
    shares = [float(np.mean(grade(lm, tokens, items))) for items in test[CONDITIONS[0]]]
    assert shares[0] > 0.9
    assert shares[1:] == [0.5] * 20  # exactly: the same beginning for singular and plural


def test_verbs_are_judged_as_whole_words(tmp_path: Path) -> None:
    """For a model of characters too: P(" was" and a boundary) against P(" were" and a boundary)."""
    file = model_file.read(write_model(tmp_path / "m.safetensors", text=TEXT))
    lm, tokens = model_file.build_causal(file), file.tokenizer
    item = Item("The cat, which slept,", "full", 0)
    starts = np.flatnonzero(tokens.starts_word())

    def probability(verb: str) -> float:
        ids = tokens.encode(f"{item.beginning} {verb}")
        nats, state = lm.read(lm.start(1), ids[None])
        own = nats[0, -len(verb) - 1 :].sum()
        return float(np.exp(own) * np.exp(lm.predict(state)[0, starts]).sum())

    right = probability("was") > probability("were")
    assert grade(lm, tokens, [item]) == [float(right)]
    assert grade(lm, tokens, [Item(item.beginning, "full", 1)]) == [float(not right)]


# The experiment -------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_numbers(small: Agreement) -> None:
    again = train_and_evaluate(seed=4, runs=1, steps=2, sentences=4, lines=600)
    assert json.dumps(again.as_dict()) == json.dumps(small.as_dict())
    models = ["3-gram", "5-gram", "9-gram", "13-gram", "RNN", "GRU", "LSTM"]
    assert [one.model for one in small.curves] == models


def test_longer_n_grams_are_sparser(small: Agreement) -> None:
    assert [one.order for one in small.sparsity] == [3, 5, 9, 13]
    assert [one.sees_across for one in small.sparsity] == [0, 0, 4, 8]
    kinds = [one.ngrams for one in small.sparsity]
    assert kinds == sorted(kinds)
    for short, long in pairwise(small.sparsity):
        assert all(a <= b for a, b in zip(short.unseen, long.unseen, strict=True))
    assert small.sparsity[0].unseen[5] < 0.5 < small.sparsity[-1].unseen[5]


def test_contexts_are_counted_within_lines() -> None:
    """Against every place of a text, looked at one by one."""
    lines = ["The cat was full.", "The cats were full.", "The cat was wet."]
    text = "".join(f"{line}\n" for line in lines)
    tokens = tokenizer.build(TokenizerConfig(level="word", split="unicode"), [text])
    test = {"x": [[Item("The cat", "full", 0), Item("The dog", "full", 0)], *[[]] * 20]}
    found = agreement.sparsity_of(3, tokens.encode(text), tokens, test)
    words = [["", *re.findall(r"\w+|[.]", line), ""] for line in lines]
    expected = {tuple(line[max(0, k - 2) : k + 1]) for line in words for k in range(1, len(line))}
    assert found.ngrams == len(expected)
    assert found.unseen[0] == 0.5


def test_two_panels(small: Agreement) -> None:
    without, with_them = small.panels()
    assert list(without.lines[0].x) == list(LENGTHS)
    assert list(with_them.lines[0].x) == list(LENGTHS[3:])
    assert without.levels == [("chance", 50)]
    assert small.curves[0].means(CONDITIONS[1], range(3)) == []
    assert len(small.curves[0].means(CONDITIONS[1], range(3, 21))) == 1


def test_models_are_judged_with_their_parts(tmp_path: Path) -> None:
    file = model_file.read(write_model(tmp_path / "m.safetensors", "char", TEXT))
    config = {"weights": [[1.0]], "parts": [{"family": "recurrent", "config": file.config}]}
    tensors = {f"0.{name}": tensor for name, tensor in file.tensors.items()}
    mixed = model_file.ModelFile("mixture", config, file.tokenizer, tensors)
    model_file.write(tmp_path / "mixed.safetensors", mixed)
    found = agreement.evaluate_models([str(tmp_path / "mixed.safetensors")], sentences=2)
    assert [one.model for one in found.curves] == ["mixed", "its network"]
    assert found.curves[0].accuracy[CONDITIONS[0]] == found.curves[1].accuracy[CONDITIONS[0]]
    assert found.runs == 0
    assert found.left_out == ()
    cached = model_parts.with_cache(
        mixed, UnigramCacheLM(model_file.build_causal(mixed), 0, 0.1, 9)
    )
    model_file.write(tmp_path / "cached.safetensors", cached)
    found = agreement.evaluate_models([str(tmp_path / "cached.safetensors")], sentences=2)
    assert [one.model for one in found.curves] == ["cached", "its network"]


def test_a_model_that_knows_too_little_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.safetensors", "word")
    with pytest.raises(CharlmError, match="m does not know the word 'The'"):
        agreement.evaluate_models([str(model)])
    model = write_model(
        tmp_path / "n.safetensors", "word", "The cat was full\nthe cats were full\n"
    )
    with pytest.raises(CharlmError, match=r"n knows too few .* unknown: dog dogs, bird birds"):
        agreement.evaluate_models([str(model)])
