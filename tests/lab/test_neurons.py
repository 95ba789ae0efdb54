"""Activations, their correlation with properties of a text, and the units that follow them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_support import write_model
from toys import random_tensors, recurrent_lm

from charlm.config import NetworkConfig, TokenizerConfig
from charlm.errors import CharlmError
from charlm.lab import neurons
from charlm.lab.neurons import Unit, correlate, find, subject
from charlm.models import model_file
from charlm.models.activations import activations
from charlm.models.kneser_ney import estimate
from charlm.text import tokenizer


@pytest.fixture
def model(elsewhere: Path) -> Path:
    """A model of the text, in the working directory."""
    return write_model(Path("m.safetensors"), text=TEXT)


TEXT = (
    'He said "come in" to Tom.\n"No," said <script>alert(1)</script> & went.\nThat was all.\n' * 6
)


def planted(path: Path, text: str = TEXT) -> Path:
    """A character RNN whose unit 3 is 1 from “ to before ”, −1 elsewhere; the others are weak."""
    tokens = tokenizer.build(TokenizerConfig(level="char"), [text])
    config = NetworkConfig(tokens.vocab_size, cell="rnn", embed=2, hidden=6)
    tensors = {name: 0.02 * array for name, array in random_tensors(config, 1).items()}
    opening, closing = (int(tokens.encode(mark)[0]) for mark in "“”")
    tensors["embedding.weight"][:] = 0
    tensors["embedding.weight"][opening, 0] = 1
    tensors["embedding.weight"][closing, 1] = 1
    tensors["rnn.0.weight_ih"][3] = 20, -20
    tensors["rnn.0.weight_hh"][3] = 0
    tensors["rnn.0.weight_hh"][3, 3] = 4
    tensors["rnn.0.bias_ih"][:] = 0
    tensors["rnn.0.bias_hh"][:] = 0
    model_file.write(path, model_file.ModelFile("recurrent", config.as_dict(), tokens, tensors))
    return path


def test_correlation_is_numpy_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neurons, "TOKENS_AT_ONCE", 7)
    monkeypatch.setattr(neurons, "TOKENS_SHOWN", 10)
    lm = recurrent_lm("lstm")
    rng = np.random.default_rng(2)
    ids, p = rng.integers(0, 11, 40), rng.normal(size=(40, 3))
    r, kept = correlate(lm, ids, p)
    parts = [found for _, found in activations(lm, ids)]
    for place, found in r.items():
        a = np.concatenate([part[place] for part in parts]).astype(np.float64)
        for k in range(3):
            for j in range(7):
                assert found[k, j] == pytest.approx(np.corrcoef(p[:, k], a[:, j])[0, 1], abs=1e-6)
        np.testing.assert_array_equal(kept[place], a[:10].astype(np.float32))


def test_a_planted_unit_is_found_first(tmp_path: Path) -> None:
    text = "He said “come in” to Tom.\n“No,” said Ann, and “oh”.\nThat was all.\n" * 5
    found = find(subject(planted(tmp_path / "m.safetensors", text)), text, top=2)
    quotes = next(one for one in found.tracked if one.name == "inside quotes")
    (best, r), (_, second) = quotes.units
    assert best == Unit(0, 3, "h")
    assert r > 0.98 > abs(second)
    assert quotes.chance < 0.9
    assert quotes.marks is not None
    assert sum(quotes.marks) == 5 * sum(map(len, ("“come in", "“No,", "“oh")))
    again = find(subject(tmp_path / "m.safetensors"), text, unit="0:3")
    assert again.chosen == best
    assert dict(again.tracked[0].units)[best] == pytest.approx(r)
    assert len(again.as_dict()["unit"]["values"]) == len(text)


def test_what_does_not_vary_is_left_out(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.safetensors", "word")
    found = find(subject(model), "the apple and the salad\nthe pear\n")
    assert set(found.left_out) == {
        "inside quotes",
        "position in word",
        "end of word",
        "capital letter",
    }
    assert found.spaced()[:2] == ["the ", "apple "]
    nothing = find(subject(write_model(tmp_path / "c.safetensors")), "aaa", unit="0:1:f")
    assert {one.name for one in nothing.tracked} == {
        "position in line",
        "position in word",
        "end of word",
    }


def test_errors_say_what_is_there(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.safetensors")
    for unit, wrong in (
        ("3", "should be layer:unit"),
        ("1:0", "layer 1 is not there: the network has 1 layer, counted from 0"),
        ("0:12", "units are 0 to 11, not 12"),
        ("0:1:z", "lstm has h, c, i, f, o, not 'z'"),
    ):
        with pytest.raises(CharlmError, match=wrong):
            find(subject(model), TEXT, unit=unit)
    with pytest.raises(CharlmError, match="fewer than three tokens"):
        find(subject(model), "a")


def test_of_a_mixture_the_network_is_looked_at(model: Path) -> None:
    contents = model_file.read("m.safetensors")
    mixed = {f"0.{name}": tensor for name, tensor in contents.tensors.items()}
    config = {"weights": [[1.0]], "parts": [{"family": "recurrent", "config": contents.config}]}
    both = model_file.ModelFile("mixture", config, contents.tokenizer, mixed)
    model_file.write("x.safetensors", both)
    assert (
        find(subject("x.safetensors"), TEXT).tracked == find(subject("m.safetensors"), TEXT).tracked
    )


def test_a_network_is_found_behind_n_grams(model: Path) -> None:
    """In a mixture that begins with an n-gram model, and within a cache over it."""
    contents = model_file.read("m.safetensors")
    lm = estimate(contents.tokenizer.encode(TEXT), contents.tokenizer.vocab_size, 0, 2, lines=False)
    grams = model_file.ModelFile("ngram", lm.config(), contents.tokenizer, lm.tensors())
    parts = [grams, contents]
    tensors = {f"{k}.{n}": t for k, one in enumerate(parts) for n, t in one.tensors.items()}
    config = {
        "weights": [[0.5, 0.5]],
        "parts": [{"family": one.family, "config": one.config} for one in parts],
    }
    both = model_file.ModelFile("mixture", config, contents.tokenizer, tensors)
    cached = model_file.ModelFile(
        "recent",
        {"window": 9, "share": 0.1, "part": {"family": both.family, "config": both.config}},
        contents.tokenizer,
        {f"0.{name}": tensor for name, tensor in both.tensors.items()},
    )
    expected = find(subject("m.safetensors"), TEXT).tracked
    for made in (both, cached):
        model_file.write("x.safetensors", made)
        assert find(subject("x.safetensors"), TEXT).tracked == expected
