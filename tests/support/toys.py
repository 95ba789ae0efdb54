"""Small models for the tests: random weights, of any configuration."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from charlm.config import CELLS, NetworkConfig, TokenizerConfig
from charlm.models.model_file import ModelFile
from charlm.models.recurrent import RecurrentLM
from charlm.text.tokenizer import Tokenizer, build

EOS = 0
TEXTS = {
    "char": "abc de, fgh\n",
    "word": "the cat sat , on the ' mat ' and ( slept ) .\n",
    "byte": "",
    "subword": "the cats, naïve, sat on the mat. 猫 was there\n" * 20,
}


SCORE_KEYS = [  # of a score as JSON, before those of its tokens and words
    "text",
    "tokens",
    "chars",
    "bytes",
    "oov",
    "logprob",
    "log10prob",
    "perplexity",
    "perplexity_excluding_oov",
    "nats_per_char",
    "bits_per_char",
    "bits_per_byte",
    "logprob_spelled",
    "bits_per_char_spelled",
]
WORD_KEYS = ["word", "logprob", "surprisal", "start", "end", "oov", "entropy", "entropy_reduction"]


def random_tensors(
    config: NetworkConfig, seed: int = 0, scale: float = 0.4
) -> dict[str, npt.NDArray[np.float32]]:
    if config.cell == "rnn-relu":
        scale /= 2  # its memory must not grow without bound
    rng = np.random.default_rng(seed)
    return {
        name: (scale * rng.standard_normal(shape)).astype(np.float32)
        for name, shape in config.shapes().items()
    }


def recurrent_lm(
    cell: str = "lstm",
    vocab_size: int = 11,
    *,
    embed: int = 6,
    hidden: int = 7,
    seed: int = 0,
    scale: float = 0.4,
    eos: int = EOS,
    **options: Any,
) -> RecurrentLM:
    """A network that nobody trained."""
    config = NetworkConfig(vocab_size, cell=cell, embed=embed, hidden=hidden, **options)
    return RecurrentLM(config, random_tensors(config, seed, scale), eos)


def variety() -> dict[str, RecurrentLM]:
    """Every cell, and every option of a network at least once."""
    options: dict[str, dict[str, Any]] = {
        "plain": {},
        "deep": {"layers": 3},
        "residual": {"layers": 3, "residual": True},
        "dense, learned start": {"dense": 2, "learned_start": True, "layers": 2},
        "tied, projected": {"tied": True},
        "tied, square": {"tied": True, "embed": 7, "learned_start": True},
    }
    return {
        f"{cell} {name}": recurrent_lm(cell, seed=k, **some)
        for cell in CELLS
        for k, (name, some) in enumerate(options.items())
    }


@cache
def tokenizer_of(level: str) -> Tokenizer:
    """A small tokenizer of any level."""
    size = 300 if level == "subword" else 0
    return build(TokenizerConfig(level=level, vocab_size=size), [TEXTS[level]])


@cache
def pair_of(level: str, cell: str = "gru", scale: float = 0.4) -> tuple[RecurrentLM, Tokenizer]:
    """A tokenizer, and a network for its tokens."""
    tokenizer = tokenizer_of(level)
    return recurrent_lm(cell, tokenizer.vocab_size, eos=tokenizer.eos, scale=scale), tokenizer


def small_model_file(level: str = "char", **options: Any) -> ModelFile:
    """A network of four units, as a file holds it."""
    tokenizer = tokenizer_of(level)
    config = NetworkConfig(tokenizer.vocab_size, embed=3, hidden=4, **options)
    best = {"bits_per_char": 1.75, "perplexity": 3.5, "perplexity_excluding_oov": 3.5, "oov": 0}
    training = {"corpus": "tale.txt", "sha256": "0" * 64, "best": best}
    return ModelFile("recurrent", config.as_dict(), tokenizer, random_tensors(config), training)
