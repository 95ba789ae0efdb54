"""The families of models that charlm knows: a new one is a file of its own and a line here.

Importing this module registers them.
"""

from __future__ import annotations

from ..config import CELL_SHAPES, NetworkConfig
from ..display.readable import count
from ..lm import LanguageModel
from ..system.tensor_file import Tensors
from . import hashed_ngram, log_linear, mixture, ngram, other_words, unigram_cache
from .bidirectional import BidirectionalLM
from .family import Config, Family, register
from .recurrent import RecurrentLM


def build_network(config: Config, tensors: Tensors, eos: int) -> LanguageModel:
    """A recurrent network, left to right or bidirectional."""
    network = NetworkConfig.from_dict(config)
    return (BidirectionalLM if network.bidirectional else RecurrentLM)(network, tensors, eos)


def architecture(config: Config) -> str:
    """Such as: LSTM 1 × 512."""
    network = NetworkConfig.from_dict(config)
    kind = "bidirectional " if network.bidirectional else ""
    kind += "residual " if network.residual and network.layers > 1 else ""
    return f"{kind}{CELL_SHAPES[network.cell].label} {network.layers} × {network.hidden}"


def describe_network(config: Config) -> str:
    """Such as: LSTM 1 × 512 · embedding 64 · dropout output 0.1."""
    network = NetworkConfig.from_dict(config)
    parts = [architecture(config), f"embedding {network.embed}{' (tied)' if network.tied else ''}"]
    if network.dense:
        parts.append(count(network.dense, "dense layer"))
    if network.learned_start:
        parts.append("learned start")
    rates = {
        "input": network.dropout_input,
        "between": network.dropout_between,
        "output": network.dropout_output,
    }
    if any(rates.values()):
        parts.append("dropout " + ", ".join(f"{k} {rate:g}" for k, rate in rates.items() if rate))
    return " · ".join(parts)


register(Family("recurrent", build_network, describe_network, architecture, numbers="parameters"))
register(ngram.FAMILY)
register(hashed_ngram.FAMILY)
register(mixture.FAMILY)
register(log_linear.FAMILY)
register(unigram_cache.FAMILY)
register(other_words.FAMILY)
