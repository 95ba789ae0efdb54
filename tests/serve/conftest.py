"""What the tests of the server share: models of every level, served."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_support import TEXT, write_model
from server import Client, serving
from toys import random_tensors

from charlm.config import NetworkConfig, TokenizerConfig
from charlm.models import model_file
from charlm.text import tokenizer

SUBWORDS = "the cats, naïve, sat on the mat. 猫 was there\n" * 20


def write_bidirectional(path: Path) -> Path:
    """A model file with random weights, of a network that reads in both directions."""
    tokens = tokenizer.build(TokenizerConfig(level="word"), [TEXT])
    config = NetworkConfig(tokens.vocab_size, embed=8, hidden=12, bidirectional=True)
    file = model_file.ModelFile(
        "recurrent", config.as_dict(), tokens, random_tensors(config), {"version": "0.1.0"}
    )
    model_file.write(path, file)
    return path


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Of a server with models called char, word, byte, subword and both."""
    folder = tmp_path_factory.mktemp("served")
    paths = [
        write_model(folder / "char.safetensors"),
        write_model(folder / "word.safetensors", "word"),
        write_model(folder / "byte.safetensors", "byte"),
        write_model(folder / "subword.safetensors", "subword", SUBWORDS),
        write_bidirectional(folder / "both.safetensors"),
    ]
    with serving(paths) as found:
        yield found
