"""Networks drawn over a text: the numbers are those of the model."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from toys import pair_of, random_tensors, recurrent_lm, tokenizer_of

from charlm.config import CELLS, NetworkConfig
from charlm.display.diagram import Diagram
from charlm.errors import CharlmError
from charlm.models.activations import activations
from charlm.models.bidirectional import BidirectionalLM
from charlm.models.kneser_ney import estimate
from charlm.tasks.draw import MAX_STEPS, draw, follow

TEXT = "the cat ate the bee"


def texts_in(found: Diagram) -> list[str]:
    root = ET.fromstring(found.svg("x", alone=True))
    return [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_the_parts_of_a_step_make_the_next_state(cell: str, residual: bool) -> None:
    lm = recurrent_lm(cell, layers=2, residual=residual)
    ids = np.random.default_rng(1).integers(0, 11, 9)
    passage = follow(lm.stack, lm.start(1), ids)
    ((_, known),) = activations(lm, ids)
    for k, layer in enumerate(passage.layers):
        np.testing.assert_allclose(layer["s"], known[k, "h"], atol=1e-6)
        np.testing.assert_allclose(layer["s before"][1:], layer["s"][:-1])
        if cell == "gru":
            z = layer["z"]
            s = (1 - z) * layer["n"] + z * layer["s before"]
        elif cell in ("lstm", "lstm-peephole"):
            c = layer["f"] * layer["c before"] + layer["i"] * layer["g"]
            np.testing.assert_allclose(layer["c"], c, atol=1e-6)
            s = layer["o"] * np.tanh(layer["c"])
        else:
            assert set(layer) == {"x", "s before", "s"}
            continue
        np.testing.assert_allclose(layer["s"], s, atol=1e-6)


@pytest.mark.parametrize("level", ["char", "word", "subword"])
def test_what_is_read_and_what_is_answered_are_named(level: str) -> None:
    lm, tokenizer = pair_of(level)
    found = draw(lm, tokenizer, TEXT)
    ids = tokenizer.encode(TEXT)[:MAX_STEPS]
    assert len(found.tokens) == len(found.cells) == len(ids)
    shown = texts_in(found.network)
    assert shown[:3] == ["x", "s", "ŷ"]
    best = lm.read_all(lm.start(1), ids[None])[0][0, 1:].argmax(1).tolist()  # after every token
    names = ["</s>" if k == tokenizer.eos else tokenizer.token(k).replace("▁", " ") for k in best]
    assert [one.replace("␣", " ").strip() for one in shown[4::2]][: len(best)] == [
        one.strip() for one in names
    ]


def test_layers_and_dense_layers_have_rows_of_their_own() -> None:
    tokenizer = tokenizer_of("char")
    lm = recurrent_lm("lstm", tokenizer.vocab_size, eos=tokenizer.eos, layers=2, dense=1)
    assert texts_in(draw(lm, tokenizer, TEXT).network)[:5] == ["x", "s 1", "s 2", "u", "ŷ"]


def test_both_directions_are_drawn_together() -> None:
    tokenizer = tokenizer_of("char")
    config = NetworkConfig(tokenizer.vocab_size, embed=3, hidden=4, bidirectional=True)
    lm = BidirectionalLM(config, random_tensors(config), tokenizer.eos)
    found = draw(lm, tokenizer, "the cat")
    shown = texts_in(found.network)
    assert shown[:4] == ["x", "s→", "s←", "ŷ"]
    best = lm.predict(tokenizer.encode("the cat")).argmax(1)
    assert [one.replace("␣", " ").strip() for one in shown[5::2]] == [
        "</s>" if k == tokenizer.eos else tokenizer.token(int(k)).strip() for k in best
    ]
    assert found.cells == ()


def test_what_cannot_be_drawn_says_so() -> None:
    lm, tokenizer = pair_of("char")
    with pytest.raises(CharlmError, match="some text to read"):
        draw(lm, tokenizer, "")
    grams = estimate(np.arange(99) % 11, 11, 0, 2, lines=True)
    with pytest.raises(CharlmError, match="no recurrent network"):
        draw(grams, tokenizer, "the")
