"""Completion by beam search, and the next token."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_support import Cli, on_terminal, write_model
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import pair_of, recurrent_lm

from charlm.errors import CharlmError
from charlm.lm import CausalLM
from charlm.tasks.beam_search import search
from charlm.tasks.complete import complete
from charlm.tasks.next_tokens import next_tokens
from charlm.tasks.score import score

EOS = 0


def exhaustive(lm: CausalLM[Any], state: Any, most: int, penalty: float) -> tuple[int, ...]:
    """The best path that ends in <EOS> within `most` tokens, by trying all."""
    found: list[tuple[float, tuple[int, ...]]] = []
    for n in range(most):
        for body in itertools.product(range(1, lm.vocab_size), repeat=n):
            ids = (*body, EOS)
            nats, _ = lm.read(state, np.array(ids)[None])
            found.append((-float(nats.sum(dtype=np.float64)) / len(ids) ** penalty, ids))
    return min(found)[1]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 500), penalty=st.sampled_from([0.0, 0.6, 1.0]))
def test_a_wide_beam_is_exhaustive_search(seed: int, penalty: float) -> None:
    lm = recurrent_lm("gru", 4, seed=seed, scale=1.0)
    state = lm.advance(lm.start(1), np.array([seed % 4]))
    best = search(lm, state, beam=4**4, max_tokens=4, eos=EOS, length_penalty=penalty)[0]
    assert best.ids == exhaustive(lm, state, 4, penalty)
    assert best.finished


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 500), beam=st.integers(1, 6))
def test_never_less_probable_than_greedy(seed: int, beam: int) -> None:
    lm = recurrent_lm("lstm", 9, seed=seed, scale=1.0)
    state = lm.start(1)
    greedy = search(lm, state, beam=1, max_tokens=12, eos=EOS)[0]
    found = search(lm, state, beam=beam, max_tokens=12, eos=EOS, num=3)
    if greedy.finished:
        assert found[0].finished
        assert found[0].nats >= greedy.nats - 1e-9
    ranked = [path.nats for path in found if path.finished]
    assert ranked == sorted(ranked, reverse=True)
    assert len({path.ids for path in found}) == len(found)


@pytest.mark.parametrize("level", ["char", "word", "byte", "subword"])
def test_log_probabilities_are_those_of_score(level: str) -> None:
    lm, tokenizer = pair_of(level)
    for one in complete(lm, tokenizer, "the cat", beam=4, num=3, max_tokens=6):
        assert one.full_text == "the cat" + one.text
        if one.finished and tokenizer.encode(one.full_text).size == one.tokens - 1 + len(
            tokenizer.encode("the cat")
        ):
            whole = score(lm, tokenizer, [one.full_text])[0].logprob
            begun = score(lm, tokenizer, ["the cat"], eos=False)[0].logprob
            assert one.logprob == pytest.approx(whole - begun, abs=1e-3)
        if tokenizer.unk is not None:
            assert "<UNK>" not in one.text


def test_settings_out_of_range_are_refused() -> None:
    lm, tokenizer = pair_of("char")
    wrong: list[dict[str, Any]] = [
        {"beam": 0},
        {"num": 0},
        {"max_tokens": 0},
        {"length_penalty": -1.0},
    ]
    for how in wrong:
        with pytest.raises(CharlmError):
            complete(lm, tokenizer, "a", **how)
    with pytest.raises(CharlmError):
        next_tokens(lm, tokenizer, "a", top_k=0)


def test_next_is_the_model_s_distribution() -> None:
    lm, tokenizer = pair_of("char")
    found, entropy = next_tokens(lm, tokenizer, "the c", top_k=tokenizer.vocab_size)
    assert sum(one.probability for one in found) == pytest.approx(1, abs=1e-5)
    expected = -sum(one.probability * math.log2(one.probability) for one in found)
    assert entropy == pytest.approx(expected, abs=1e-5)
    own = score(lm, tokenizer, ["the c" + found[3].token], eos=False)[0].logprob
    before = score(lm, tokenizer, ["the c"], eos=False)[0].logprob
    if len(found[3].token) == 1:
        assert found[3].logprob == pytest.approx(own - before, abs=1e-4)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(write_model(tmp_path / "model.safetensors"), capsys, monkeypatch)


def test_commands(cli: Cli) -> None:
    found = json.loads(cli("complete", "the cats", "--max-tokens", "12", "--json").out)
    assert 1 <= len(found) <= 3
    assert all(one["full_text"].startswith("the cats") for one in found)
    shown = cli("complete", "the cats", "--max-tokens", "12")
    assert shown.code == 0
    assert "the cats" in shown.out
    chart = cli("next", "the c", "--top-k", "4")
    assert len(chart.out.splitlines()) == 5
    assert "entropy" in chart.out
    record = json.loads(cli("next", "the c", "--top-k", "4", "--json").out)
    assert len(record["next"]) == 4
    assert "beam" in cli.fails("complete", "a", "--beam", "0")


def test_next_fits_a_terminal(cli: Cli) -> None:
    assert cli.model is not None
    for columns in (80, 40):
        written = on_terminal(cli.model, "next", "the c", columns=columns)
        assert "█" in written
        lines = written.splitlines()
        assert all(len(line) <= columns for line in lines[:15])
