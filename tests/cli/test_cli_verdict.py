"""The last words of a training: how good it is, and what would help most."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from charlm.cli.verdict import verdict
from charlm.measures import Measures
from charlm.runs.events import Baseline, Outcome, Plan


def said(
    bits: float = 2.0,
    ngram: float | None = 2.5,
    train_bits: float | None = 2.0,
    best_step: int = 100,
    oov: int = 0,
    level: str = "char",
    chars: int = 100_000,
    counted: int = 900,
    network: float | None = None,
    *,
    steps: int = 100,
    interrupted: bool = False,
    ended_early: bool = False,
    bidirectional: bool = False,
    softmax_sample: int = 0,
) -> str:
    """The verdict on a run of 100 steps over 1,000 validation tokens of one character each."""
    measures = Measures(-bits * math.log(2) * 1000, 1000, 1000, 1000, oov, 0.0)
    base = None
    if ngram is not None:
        theirs = Measures(-ngram * math.log(2) * 1000, 1000, 1000, 1000)
        base = Baseline(6, counted, 900, theirs, [])
    outcome = Outcome(
        run=Path("run"),
        model=Path("run/model.safetensors"),
        best=measures.as_dict(),
        best_step=best_step,
        seconds=1.0,
        steps=steps,
        planned_steps=100,
        tokens_per_second=1.0,
        interrupted=interrupted,
        ended_early=ended_early,
        network=None
        if network is None
        else Measures(-network * math.log(2) * 1000, 1000, 1000, 1000).as_dict(),
        guessing_bits_per_char=6.0,
        baseline=base,
        train_nats=None if train_bits is None else train_bits * math.log(2),
    )
    plan: Any = SimpleNamespace(
        corpus=SimpleNamespace(
            tokenizer=SimpleNamespace(level=level), train_text=SimpleNamespace(chars=chars)
        ),
        network=SimpleNamespace(bidirectional=bidirectional),
        config=SimpleNamespace(softmax_sample=softmax_sample),
    )
    return " ".join(verdict(outcome, cast(Plan, plan)))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Guessing takes 6.00 bits/char, the 6-gram model of the same text 2.500: "
             "this network takes 20% fewer."),
        ({"bits": 2.5}, "2.500: as many as this network."),
        ({"bits": 3.0}, "2.500: fewer than this network. So use the n-gram model (charlm ngram), "
                        "or both together (without --plain)."),
        ({"ngram": None}, "Guessing takes 6.00 bits/char, this network 2.000. "),
        ({"ngram": None, "interrupted": True}, "this network 2.000; the n-gram model is counted "
                                               "when the run is finished (--resume)."),
        ({"network": 2.2, "ngram": 2.0}, "and both mixed no fewer than the n-grams alone, 2.000."),
        ({"network": 2.2, "bits": 2.49}, "mixed hardly fewer than the n-grams alone, 2.490."),
        ({"network": 2.2}, "2.500, the network 2.200, and both mixed, which is the model, 2.000."),
        ({"counted": 500}, "the 6-gram model of the same text's first 500 tokens 2.500"),
    ],
)  # fmt: skip
def test_beside_the_baselines(given: dict[str, Any], words: str) -> None:
    assert words in said(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "to train longer (--minutes)."),
        ({"train_bits": None}, "to train longer (--minutes)."),
        ({"train_bits": 1.5}, "more text. On the text it has seen it is much better (1.50 bits a "
                              "token, 2.00 on the rest): it overfits."),
        ({"best_step": 40}, "more text. After step 40 it overfits; what it learned since is not "
                            "kept."),
        ({"ended_early": True}, "more text. More passes over this one would only overfit, so "
                                "training ended early."),
        ({"oov": 70}, "more text, or its lines in random order, since 7% of the characters of the "
                      "validation text are not in the rest."),
        ({"chars": 900}, "more text. This is little to learn a language from."),
        ({"best_step": 1, "steps": 2}, "to train longer (--minutes)."),
        ({"bidirectional": True}, "to train longer (--minutes)."),
        ({"oov": 120, "level": "word"}, "another level (--level char or subword), since 12% of "
                                        "the words are unknown to this one."),
    ],
)  # fmt: skip
def test_what_would_help_most(given: dict[str, Any], words: str) -> None:
    assert said(**given).endswith(f"What would help most: {words}")


@pytest.mark.parametrize("given", [{"bits": 6.2, "ngram": None}, {"bits": 2.0, "network": 7.0}])
def test_worse_than_guessing(given: dict[str, Any]) -> None:
    words = said(**given)
    assert "The network is worse than guessing: training went wrong" in words
    assert words.endswith("What would help most: a lower --lr.")
    assert "worse than guessing" not in said(bidirectional=True, **given)
    assert "worse than guessing" not in said(bits=6.1, ngram=None)
    assert said(softmax_sample=3, **given).endswith("a lower --lr, or a larger --softmax-sample.")


def test_pseudo_bits_are_not_compared() -> None:
    assert said(bidirectional=True).startswith("What would help most")
