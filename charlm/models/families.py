"""The families of models that charlm knows: a new one is a file of its own and a line here.

Importing this module registers them.
"""

from __future__ import annotations

from ..config import CELL_SHAPES, NetworkConfig
from ..display.readable import count
from ..lm import LanguageModel
from ..system.tensor_file import Tensors
from . import log_linear, mixture, ngram, unigram_cache
from .bidirectional import BidirectionalLM
from .family import Config, Family, register
from .recurrent import RecurrentLM


def build_network(config: Config, tensors: Tensors, eos: int) -> LanguageModel:
    """A recurrent network, left to right or bidirectional."""
    network = NetworkConfig.from_dict(config)
    return (BidirectionalLM if network.bidirectional else RecurrentLM)(network, tensors, eos)


def architecture(config: Config) -> str:
    """Such as: LSTM 1 × 512."""
    cell = CELL_SHAPES[config["cell"]].label
    kind = "bidirectional " if config.get("bidirectional") else ""
    kind += "residual " if config.get("residual") and config["layers"] > 1 else ""
    return f"{kind}{cell} {config['layers']} × {config['hidden']}"


def describe_network(config: Config) -> str:
    """Such as: LSTM 1 × 512 · embedding 64 · dropout output 0.1."""
    parts = [
        architecture(config),
        f"embedding {config['embed']}{' (tied)' if config['tied'] else ''}",
    ]
    if config["dense"]:
        parts.append(count(config["dense"], "dense layer"))
    if config["learned_start"]:
        parts.append("learned start")
    rates = {place: config[f"dropout_{place}"] for place in ("input", "between", "output")}
    if any(rates.values()):
        parts.append("dropout " + ", ".join(f"{k} {rate:g}" for k, rate in rates.items() if rate))
    return " · ".join(parts)


register(Family("recurrent", build_network, describe_network, architecture, numbers="parameters"))
register(ngram.FAMILY)
register(mixture.FAMILY)
register(log_linear.FAMILY)
register(unigram_cache.FAMILY)
