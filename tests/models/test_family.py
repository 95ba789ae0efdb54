"""A model family made outside the package: once registered, it is used like any other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from cli_support import TEXT, Cli
from test_laws import LAWS

import charlm
from charlm.config import TokenizerConfig
from charlm.lm import Ids, LanguageModel, Nats
from charlm.models import family
from charlm.models.causal import CausalModel
from charlm.models.family import Config, Family, register
from charlm.models.logspace import log_softmax
from charlm.models.model_file import ModelFile, read, write
from charlm.system.tensor_file import Tensors
from charlm.text.tokenizer import build


@dataclass(frozen=True)
class LastToken:
    """The last token of each of B texts."""

    ids_B: Ids

    def take(self, rows: Ids) -> Self:
        return type(self)(self.ids_B[rows])

    def joined(self, other: Self) -> Self:
        return type(self)(np.concatenate([self.ids_B, other.ids_B]))


class BigramTable(CausalModel[LastToken]):
    """P(next | last) from a table, (V + 1, V); the last row is for texts before any token."""

    def __init__(self, nats: Nats, eos: int) -> None:
        self.nats, self.vocab_size, self.eos = nats, nats.shape[1], eos

    def empty(self, batch: int) -> LastToken:
        return LastToken(np.full(batch, self.vocab_size))

    def predict(self, state: LastToken) -> Nats:
        return self.nats[state.ids_B].astype(np.float64)

    def advance(self, state: LastToken, ids_B: Ids) -> LastToken:
        return LastToken(np.asarray(ids_B))


def build_table(config: Config, tensors: Tensors, eos: int) -> LanguageModel:
    return BigramTable(tensors["nats"], eos)


def describe_table(config: Config) -> str:
    return f"table of {config['made_of']} bigrams"


@pytest.fixture
def registered() -> Iterator[None]:
    register(Family("table", build_table, describe_table, numbers="log-probabilities"))
    yield
    del family.FAMILIES["table"]


@pytest.fixture
def model(tmp_path: Path, registered: None) -> Path:
    """A model file of the family: add-one smoothed bigrams of TEXT."""
    tokenizer = build(TokenizerConfig("char"), [TEXT])
    ids = tokenizer.encode(TEXT).astype(np.int64)
    counts = np.ones((tokenizer.vocab_size + 1, tokenizer.vocab_size))
    np.add.at(counts, (ids[:-1], ids[1:]), 1)
    nats = np.log(counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    path = tmp_path / "table.safetensors"
    write(path, ModelFile("table", {"made_of": len(ids) - 1}, tokenizer, {"nats": nats}))
    return path


def test_it_is_saved_loaded_and_used(model: Path, tmp_path: Path) -> None:
    used = charlm.load(model)
    likely, odd = used.score(["the apple", "eth lpape"], tokens=True, words=True)
    assert likely.logprob > odd.logprob
    assert sum(t.logprob for t in likely.token_scores or ()) == pytest.approx(likely.logprob)
    written = used.sample(num_samples=3, max_tokens=20, seed=1)
    assert all(one.text for one in written)
    assert used.evaluate(TEXT).perplexity < used.tokenizer.vocab_size
    again = tmp_path / "again.safetensors"
    write(again, read(model))
    assert again.read_bytes() == model.read_bytes()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_it_obeys_the_laws(law: Callable[..., None]) -> None:
    table = np.random.default_rng(0).standard_normal((12, 11))
    law(lm=BigramTable(log_softmax(table), eos=0))


def test_the_command_line_knows_it(
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cli = Cli(model, capsys, monkeypatch)
    text = tmp_path / "text.txt"
    text.write_text(TEXT, "utf-8")
    shown = cli("info").out
    assert "table of 209 bigrams" in shown
    assert "log-probabilities" in shown
    assert json.loads(cli("score", "the cats", "--json").out)[0]["tokens"] == 9
    assert cli("sample", "--seed", "1", "--max-tokens", "10").out
    assert json.loads(cli("eval", text, "--json").out)["tokens"] == len(TEXT)
    assert cli("next", "the ").code == 0


def test_unregistered_it_is_one_line(model: Path) -> None:
    own = family.FAMILIES.pop("table")
    try:
        with pytest.raises(charlm.CharlmError, match="unknown model family 'table'"):
            charlm.load(model)
    finally:
        family.FAMILIES["table"] = own
