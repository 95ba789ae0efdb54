"""`charlm fill`, and what other commands say to a bidirectional model."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import TEXT, Cli, write_model
from toys import random_tensors

from charlm.config import NetworkConfig, TokenizerConfig
from charlm.models import model_file
from charlm.text import tokenizer
from charlm.text.tokenizer import Tokenizer

LETTERS = "abcdefg"


def tokens_of(level: str = "char", text: str = LETTERS, **settings: str) -> Tokenizer:
    return tokenizer.build(TokenizerConfig(level=level, **settings), [text])  # type: ignore[arg-type]


@pytest.fixture
def left(tmp_path: Path) -> Path:
    return write_model(tmp_path / "left.safetensors")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    tokens = tokens_of(text=TEXT)
    config = NetworkConfig(tokens.vocab_size, embed=8, hidden=12, bidirectional=True)
    contents = model_file.ModelFile("recurrent", config.as_dict(), tokens, random_tensors(config))
    model_file.write(tmp_path / "both.safetensors", contents)
    return tmp_path / "both.safetensors"


def test_fill_prints_and_compares(cli: Cli, left: Path) -> None:
    import json

    alone = cli("fill", "the app_e", "-k", "3")
    assert alone.code == 0
    assert len(alone.out.splitlines()) == 4
    found = json.loads(cli("fill", "the app_e", "--json").out)
    assert len(found) == 5
    assert found[0].keys() == {"text", "tokens", "logprob", "probability"}
    compared = cli("fill", "the app_e", "--compare", left)
    for words in ("both sides", "completed lines", "the text before the blanks"):
        assert words in compared.out
    data = json.loads(cli("fill", "the app_e", "--compare", left, "--json").out)
    assert data.keys() == {"found", "compared", "left_only"}


@pytest.mark.parametrize(
    "args",
    [
        ["sample"],
        ["complete", "the"],
        ["next", "the"],
        ["eval", __file__],
        ["score", "--words", "the apple"],
        ["score", "--context", "stream", "the apple"],
        ["score", "--device", "cpu", "the apple"],
        ["fill", "no blank"],
        ["fill", "a_", "--left-only"],
    ],
)
def test_what_both_sides_cannot_do_is_one_line(cli: Cli, args: list[str]) -> None:
    assert cli.fails(*args)


def test_scores_are_labelled_pseudo(cli: Cli) -> None:
    import json

    shown = cli("score", "the apple", "the pear")
    assert "pseudo-log P" in shown.out
    assert "pseudo-log-probabilities" in shown.err
    record = json.loads(cli("score", "--tokens", "--json", "the apple").out)[0]
    assert record["pseudo"] is True
    total = sum(token["logprob"] for token in record["token_scores"])
    assert total == pytest.approx(record["logprob"], abs=1e-4)
    assert "bidirectional LSTM" in cli("info").out
