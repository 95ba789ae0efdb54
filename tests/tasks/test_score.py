"""Scores of sentences: totals, tokens and their ranks, contexts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import SCORE_KEYS, TEXTS, WORD_KEYS, pair_of, small_model_file

from charlm.errors import CharlmError
from charlm.lm import CausalLM, is_pseudo
from charlm.measures import Measures
from charlm.models import padding
from charlm.models.model_file import build
from charlm.tasks import score as room
from charlm.tasks.measure import measure_ids
from charlm.tasks.score import score
from charlm.text.tokenizer import Tokenizer

levels = pytest.mark.parametrize("level", TEXTS)
sentences = st.lists(st.text("abc dé☃ ,'the", max_size=30), max_size=8)


def total_by_stepping(lm: CausalLM[Any], tokenizer: Tokenizer, text: str) -> float:
    """The sum of log P of a text's tokens, one after the other."""
    state, total = lm.start(1), 0.0
    for token in tokenizer.encode(text):
        total += float(lm.predict(state)[0, token])
        state = lm.advance(state, np.array([token]))
    return total


@levels
@settings(max_examples=15, deadline=None)
@given(texts=sentences, eos=st.booleans(), words=st.booleans())
def test_totals(level: str, texts: list[str], eos: bool, words: bool) -> None:
    lm, tokenizer = pair_of(level)
    plain = score(lm, tokenizer, texts, eos=eos)
    detailed = score(lm, tokenizer, texts, eos=eos, tokens=True, words=words)
    assert [one.text for one in plain] == texts
    for text, one, more in zip(texts, plain, detailed, strict=True):
        line = text + "\n" if eos else text
        ids = tokenizer.encode(line)
        expected = total_by_stepping(lm, tokenizer, line)
        assert one.logprob == pytest.approx(expected, abs=1e-3)
        assert more.logprob == pytest.approx(expected, abs=1e-3)
        assert one.measures.tokens == len(ids)
        assert one.measures.chars == len(line)
        assert one.measures.bytes == len(line.encode())
        unknown = 0 if tokenizer.unk is None else int((ids == tokenizer.unk).sum())
        assert one.measures.oov == unknown
        assert more.token_scores is not None
        assert [t.token for t in more.token_scores] == [tokenizer.token(int(i)) for i in ids]
        assert sum(t.logprob for t in more.token_scores) == pytest.approx(more.logprob, abs=1e-9)
        assert one.token_scores is None
        assert (more.word_scores is not None) == words


@levels
def test_ranks(level: str) -> None:
    lm, tokenizer = pair_of(level)
    text = "the cat sat, abc"
    (one,) = score(lm, tokenizer, [text], tokens=True)
    assert one.token_scores is not None
    state = lm.start(1)
    for token, found in zip(tokenizer.encode(text + "\n"), one.token_scores, strict=True):
        nats = lm.predict(state)[0].tolist()
        order = sorted(range(len(nats)), key=lambda i: (-nats[i], i))
        assert found.rank == order.index(int(token)) + 1
        assert found.logprob == pytest.approx(nats[token], abs=1e-5)
        assert found.surprisal == pytest.approx(-found.logprob / math.log(2))
        state = lm.advance(state, np.array([token]))


def test_ties_are_ranked_by_id() -> None:
    predicted = np.log([[0.25, 0.25, 0.3, 0.2]] * 4)
    assert room.rank(predicted, np.arange(4)).tolist() == [2, 3, 1, 4]


@levels
@pytest.mark.parametrize("eos", [True, False])
def test_a_stream_remembers(level: str, eos: bool) -> None:
    lm, tokenizer = pair_of(level)
    texts = ["the cat", "", "sat on", "abc"]
    alone = score(lm, tokenizer, texts, eos=eos)
    stream = score(lm, tokenizer, texts, eos=eos, context="stream")
    detailed = score(lm, tokenizer, texts, eos=eos, context="stream", tokens=True, words=True)
    assert stream[0].logprob == pytest.approx(alone[0].logprob, abs=1e-4)
    assert stream[2].logprob != pytest.approx(alone[2].logprob, abs=1e-4)
    read = ""
    for text, one, more in zip(texts, stream, detailed, strict=True):
        before = total_by_stepping(lm, tokenizer, read)
        line = text + "\n" if eos else text
        expected = total_by_stepping(lm, tokenizer, read + line) - before
        assert one.logprob == pytest.approx(expected, abs=1e-3)
        assert more.logprob == pytest.approx(expected, abs=1e-3)
        read += text + "\n"


def test_many_sentences_are_scored_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    lm, tokenizer = pair_of("char")
    texts = ["abc" * (n % 7) for n in range(200)]
    expected = score(lm, tokenizer, texts, tokens=True)
    monkeypatch.setattr(padding, "MAX_ENTRIES", 1)
    for one, other in zip(score(lm, tokenizer, texts, tokens=True), expected, strict=True):
        assert one.text == other.text
        assert one.logprob == pytest.approx(other.logprob, abs=1e-4)


def test_unknown_characters_count_as_oov() -> None:
    lm, tokenizer = pair_of("char")
    (one,) = score(lm, tokenizer, ["a☃b☃"], tokens=True)
    m = one.measures
    assert (m.tokens, m.chars, m.bytes, m.oov) == (5, 5, 9, 2)
    assert one.token_scores is not None
    unknown = [t.logprob for t in one.token_scores if t.token == "<UNK>"]
    assert m.oov_logprob == pytest.approx(sum(unknown), abs=1e-6)
    assert m.perplexity_excluding_oov == pytest.approx(
        math.exp(-(m.logprob - sum(unknown)) / 3), rel=1e-6
    )


def test_an_empty_sentence_is_its_end() -> None:
    lm, tokenizer = pair_of("char")
    (one,) = score(lm, tokenizer, [""], tokens=True, words=True)
    assert one.measures.tokens == one.measures.chars == 1
    assert one.token_scores is not None
    assert [t.token for t in one.token_scores] == ["</s>"]
    (none,) = score(lm, tokenizer, [""], eos=False, tokens=True, words=True)
    assert none.measures == Measures(0.0, 0, 0, 0)
    assert none.token_scores == ()
    assert none.word_scores == ()
    assert score(lm, tokenizer, [], context="stream", words=True) == []


@pytest.mark.parametrize(
    ("level", "known", "written"), [("char", "abc", "☃"), ("word", "the ", "snowman")]
)
def test_unknown_tokens_know_what_stands_in_their_place(
    level: str, known: str, written: str
) -> None:
    lm, tokenizer = pair_of(level)
    (one,) = score(lm, tokenizer, [f"{known}{written}"], tokens=True)
    assert one.token_scores is not None
    unknown = [t for t in one.token_scores if t.token == "<UNK>"]
    assert [t.written for t in unknown] == [written]
    assert [t.written for t in one.token_scores if t.token != "<UNK>"] == [""] * (
        len(one.token_scores) - 1
    )
    assert f'&lt;UNK&gt; · rank {unknown[0].rank:,}"' in one._repr_html_()


def test_bytes_that_are_no_text() -> None:
    lm, tokenizer = pair_of("byte")
    (one,) = score(lm, tokenizer, [b"a\xff\xfe".decode("utf-8", "surrogateescape")])
    assert (one.measures.tokens, one.measures.chars, one.measures.bytes) == (4, 4, 4)


@pytest.mark.parametrize(
    ("texts", "options", "words"),
    [(["a\nb"], {}, "line break"), (["a"], {"context": "page"}, "sentence | stream")],
)
def test_refusals(texts: list[str], options: dict[str, Any], words: str) -> None:
    with pytest.raises(CharlmError, match=words.replace("|", r"\|")):
        score(*pair_of("char"), texts, **options)


def test_json_keys() -> None:
    (one,) = score(*pair_of("char"), ["abc de"], tokens=True, words=True)
    record = one.as_dict()
    assert list(record) == [*SCORE_KEYS, "token_scores", "word_scores"]
    assert list(record["token_scores"][0]) == ["token", "logprob", "surprisal", "rank"]
    assert list(record["word_scores"][0]) == WORD_KEYS


def test_a_model_of_both_sides_gives_pseudo_log_probabilities() -> None:
    contents = small_model_file(bidirectional=True)
    lm, tokenizer = build(contents), contents.tokenizer
    assert is_pseudo(lm)
    texts = ["abc de", "", "d"]
    for text, one in zip(texts, score(lm, tokenizer, texts, tokens=True), strict=True):
        assert one.as_dict()["pseudo"] is True
        ids = room.encode_line(tokenizer, text)
        predicted = np.concatenate(list(lm.predictions(ids)))
        assert one.token_scores
        assert [t.logprob for t in one.token_scores] == predicted[np.arange(len(ids)), ids].tolist()
        best = (predicted > predicted[np.arange(len(ids)), ids][:, None]).sum(axis=1) + 1
        assert [t.rank for t in one.token_scores] == best.tolist()
        assert one.logprob == pytest.approx(sum(t.logprob for t in one.token_scores), abs=1e-5)
    for options in ({"context": "stream"}, {"words": True}):
        with pytest.raises(
            CharlmError,
            match=r"^this model is bidirectional: it scores sentences on their own",
        ):
            score(lm, tokenizer, ["abc"], **options)
    (usual,) = score(*pair_of("char"), ["abc"])
    assert "pseudo" not in usual.as_dict()


def test_sums_are_in_double_precision() -> None:
    nats = np.array([-(2.0**24), -1, -1, -(2.0**24), -1], np.float32)
    found = measure_ids(np.array([2, 2, 1, 1, 1]), nats, 1)
    assert (found.logprob, found.oov_logprob, found.oov) == (-(2.0**25) - 3, -(2.0**24) - 2, 3)
    assert measure_ids(np.array([2, 2, 1, 1, 1]), nats, None).oov == 0
