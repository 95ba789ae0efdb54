"""The model in an exported page against charlm's: every cell, level, direction and family."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from model_page import ModelPage
from toys import TEXTS, pair_of, recurrent_lm, small_model_file, tokenizer_of

from charlm.config import CELLS, TokenizerConfig
from charlm.models import families, hashed_ngram, model_file, model_parts, other_words
from charlm.models.activations import network_in, overview
from charlm.models.family import FAMILIES, add_prefix
from charlm.models.hashed_ngram import HashedNgramLM
from charlm.models.kneser_ney import estimate
from charlm.models.log_linear import LogLinearLM
from charlm.models.mixture import MixtureLM
from charlm.models.model_file import ModelFile
from charlm.models.ngram import NgramLM, Order
from charlm.models.other_words import OtherWordsLM
from charlm.models.unigram_cache import UnigramCacheLM
from charlm.text.tokenizer import build

Opened = Callable[[ModelFile], ModelPage]

NEAR = 2e-3  # nats
LINES = ["abc de, fgh", "", "  gé猫a😀 _", "hgf ed,cb"]
WORDS = [
    "the cat sat",
    "The dog's mat -- (slept) U.S.A. 3.14",
    "",
    " don't  naïve\x1f猫咪, ' mat '",
]
OPTIONS: list[dict[str, Any]] = [
    {"layers": 2},
    {"layers": 3, "residual": True},
    {"dense": 2, "learned_start": True},
    {"tied": True, "learned_start": True, "layers": 2},
    {},
]


def check(page: ModelPage, lines: list[str]) -> None:
    """Scores line by line and, of a causal model, in a stream."""
    pseudo = page.model.lm.pseudo
    for context in ("sentence",) if pseudo else ("sentence", "stream"):
        found = page.ask("/v1/score", sentences=lines, tokens=True, context=context)["scores"]
        for theirs, ours in zip(
            found, page.model.score(lines, tokens=True, context=context), strict=True
        ):
            expected = ours.as_dict()
            tokens = expected.pop("token_scores")
            assert [one["token"] for one in theirs["token_scores"]] == [t["token"] for t in tokens]
            nats = [one["logprob"] for one in theirs.pop("token_scores")]
            assert nats == pytest.approx([t["logprob"] for t in tokens], abs=NEAR)
            expected.pop("pseudo", None)
            assert theirs.pop("text") == expected.pop("text")
            assert theirs == pytest.approx(expected, rel=2e-3, abs=NEAR)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_cells(opened: Opened, cell: str, bidirectional: bool) -> None:
    options = OPTIONS[CELLS.index(cell)]
    check(opened(small_model_file(cell=cell, bidirectional=bidirectional, **options)), LINES)


@pytest.mark.parametrize("tokenizer", ["byte", "unigram", "bpe", "unicode", "lower"])
def test_levels(opened: Opened, tokenizer: str) -> None:
    sub, text = TokenizerConfig("subword", vocab_size=300), TEXTS["subword"]
    config = {
        "byte": TokenizerConfig("byte"),
        "unigram": sub,
        "bpe": replace(sub, algorithm="bpe"),
        "unicode": TokenizerConfig("word", split="unicode"),
        "lower": TokenizerConfig("word", lower=True, min_count=2),
    }[tokenizer]
    tokens = build(config, [text + "".join(f"{line}\n" for line in WORDS[:2])])
    lm = recurrent_lm("gru", tokens.vocab_size, eos=tokens.eos)
    network = ModelFile("recurrent", lm.config.as_dict(), tokens, dict(lm.tensors))
    check(opened(network), [*WORDS, "cats, naïve, ▁sat\u2028on 猫 there"])


def ngram(order: int = 3, lines: bool = True) -> ModelFile:
    tokenizer = tokenizer_of("word")
    ids = tokenizer.encode("the cat sat\nthe mat sat on the mat\nthe mat slept on it\n" * 3)
    lm = estimate(ids, tokenizer.vocab_size, tokenizer.eos, order, lines=lines)
    return ModelFile("ngram", lm.config(), tokenizer, lm.tensors())


def without_interpolation() -> ModelFile:
    """As in an ARPA file of other tools: nothing sums to what is left, and n-grams are missing."""
    contents = ngram()
    lm = model_file.build(contents)
    assert isinstance(lm, NgramLM)
    first, *others = lm.orders
    odd = [Order(o.keys, o.nats - 0.3, o.backoff + np.float32(0.2)) for o in others]
    odd[0] = Order(odd[0].keys[1:], odd[0].nats[1:], odd[0].backoff[1:])
    odd[1] = Order(odd[1].keys[:0], odd[1].nats[:0], odd[1].backoff[:0])
    other = NgramLM([first, *odd], lm.vocab_size, lm.eos, lines=True)
    return replace(contents, tensors=other.tensors())


def hashed() -> ModelFile:
    contents = ngram()
    lm = model_file.build(contents)
    assert isinstance(lm, NgramLM)
    table = HashedNgramLM.of(lm)
    return replace(contents, family=hashed_ngram.FAMILY.name, tensors=table.tensors())


def mixed(kind: str) -> ModelFile:
    lm, tokenizer = pair_of("word")
    parts = [ModelFile("recurrent", lm.config.as_dict(), tokenizer, dict(lm.tensors)), ngram()]
    built = [model_file.build_causal(one) for one in parts]
    if kind == "log-linear":
        return model_parts.combination(LogLinearLM(built, [0.7, 0.6]), parts, {})
    by_context = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]])
    return model_parts.combination(MixtureLM(built, by_context), parts, {})


def cached() -> ModelFile:
    inner = mixed("linear")
    lm = model_file.build_causal(inner)
    return model_parts.with_cache(inner, UnigramCacheLM(lm, lm.eos, 0.3, window=4))


def with_other_words() -> ModelFile:
    inner = ngram()
    lm = model_file.build_causal(inner)
    tokenizer = build(TokenizerConfig("word"), ["the cat sat on a dog\n"])
    known = {tokenizer_of("word").token(k): k for k in range(lm.vocab_size)}
    ids = np.array([known.get(tokenizer.token(k), 1) for k in range(tokenizer.vocab_size)])
    share = np.where(ids == 1, -np.log((ids == 1).sum()), 0.0)
    other = OtherWordsLM(lm, tokenizer.eos, 1, ids, share)
    tensors = {**other.tensors(), **add_prefix("0.", inner.tensors)}
    config = other_words.file_config(other, inner.family, inner.config)
    return ModelFile(other_words.FAMILY.name, config, tokenizer, tensors)


MADE: dict[str, Callable[[], ModelFile]] = {
    "trigram": ngram,
    "unigram": partial(ngram, 1),
    "across lines": partial(ngram, 4, lines=False),
    "arpa": without_interpolation,
    "hashed": hashed,
    "mixture": partial(mixed, "linear"),
    "log-linear": partial(mixed, "log-linear"),
    "cache": cached,
    "other words": with_other_words,
}


@pytest.mark.parametrize("made", MADE)
def test_families(opened: Opened, made: str) -> None:
    page = opened(MADE[made]())
    check(page, ["the cat sat on the mat", "", "the mat slept dog on", "the the the"])
    found = page.ask("/v1/next", prompt="the cat ", top_k=5)
    ours = page.model.next_tokens("the cat ", top_k=5)
    assert found["entropy"] == pytest.approx(ours.entropy, abs=NEAR)
    assert found["next"][0]["logprob"] == pytest.approx(ours.tokens[0].logprob, abs=NEAR)


def test_every_family_is_tried() -> None:
    own = {f.name for module in vars(families).values() if (f := getattr(module, "FAMILY", None))}
    assert own | {"recurrent"} <= {make().family for make in MADE.values()} | {"recurrent"}
    assert own <= FAMILIES.keys()


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(
    ("level", "text"),
    [("char", "a_c de"), ("char", "a__ _e"), ("word", "the ___ sat"), ("word", "_ c_ sat on _")],
)
def test_blanks(opened: Opened, level: str, text: str, bidirectional: bool) -> None:
    page = opened(small_model_file(level, bidirectional=bidirectional))
    found = page.ask("/v1/fill", text=text, top_k=4)["found"]
    expected = [one.as_dict() for one in page.model.fill(text, top_k=4)]
    for theirs, ours in zip(found, expected, strict=True):
        assert theirs.pop("logprob") == pytest.approx(ours.pop("logprob"), abs=10 * NEAR)
        assert theirs.pop("probability") == pytest.approx(ours.pop("probability"), abs=1e-2)
    best = [{"text": one["text"]} for one in expected]
    assert best[0]["text"] in [one["text"] for one in found]


def test_what_does_not_fit_a_blank(opened: Opened) -> None:
    page = opened(small_model_file("word"))
    for word in ("x_x", "x-_", "(_"):
        expected = f"no word in the vocabulary fits {word}"
        assert page.ask("/v1/fill", text=f"the {word}", top_k=1) == expected
    assert "line break" in page.ask("/v1/fill", text="the\n_", top_k=1)


@pytest.mark.parametrize("cell", ["lstm", "lstm-peephole", "gru"])
def test_the_network_at_work(opened: Opened, cell: str) -> None:
    pytest.importorskip("fastapi")
    from charlm.serve import inside
    from charlm.serve.schemas import InfluenceRequest, InsideRequest, UnitRequest
    from charlm.serve.served import Served

    page = opened(small_model_file(cell=cell, layers=2))
    served = Served("tale", page.model, 1)
    network = network_in(page.model.lm)
    assert network is not None
    card = page.driver.execute_async_script(
        "const done = arguments[0]; charlm.get('/v1/models').then((found) => done(found.data[0]))"
    )
    assert card["network"] == overview(page.model.lm)
    for place in card["network"]["places"]:
        theirs = page.ask("/v1/inside", text="abc, de", place=place)
        ours = inside._inside(served, network, InsideRequest(text="abc, de", place=place))
        assert (theirs["tokens"], theirs["units"]) == (ours["tokens"], ours["units"])
        assert shades(theirs) == pytest.approx(shades(ours), abs=1)
        layer, what = place.split(":")
        asked = f"{layer}:2:{what}"
        theirs = page.ask("/v1/unit", text="abc\n", unit=asked)
        ours = inside._unit(served, network, UnitRequest(text="abc\n", unit=asked))
        assert theirs["values"] == pytest.approx(ours["values"], abs=2e-3)
    text = "abc de, fgh " * 14
    for token in (0, 5, 160):
        theirs = page.ask("/v1/influence", text=text, token=token)
        ours = inside._influence(served, network, InfluenceRequest(text=text, token=token))
        assert theirs["tokens"] == ours["tokens"]
        assert theirs["bits"] == pytest.approx(ours["bits"], abs=1e-3)
    served.close()


def shades(answer: dict[str, Any]) -> list[int]:
    return list(map(int, np.frombuffer(base64.b64decode(answer["values"]), np.int8)))
