"""What a model is, in words: for `charlm info`, reports and `repr`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..display.readable import amount, count, fixed
from .model_file import FILE_NAME, counted

CELL_NAMES = {
    "rnn": "RNN (tanh)",
    "rnn-relu": "RNN (relu)",
    "lstm": "LSTM",
    "lstm-peephole": "LSTM with peepholes",
    "gru": "GRU",
}


def summary(about: Mapping[str, Any]) -> str:
    """A model in one line: where it is, family, size, level and validation result.

    about: as of `model_file.describe`; an empty one says nothing.
    """
    if not about:
        return "made in memory"
    file = Path(about["path"])
    place = file.parent if file.name == FILE_NAME else file
    text = (
        f"{place}: {architecture(about['family'], about['config'])}, "
        f"{amount(about['parameters'])} {counted(about)}, "
        f"{about['level']} level, {count(about['vocab_size'], 'token')}"
    )
    best = about["training"].get("best") or {}
    if about["config"].get("bidirectional"):
        key, result = "perplexity", "pseudo-perplexity {}"
    else:
        key, result = "bits_per_char", "{} bits/char"
    if key not in best:
        return text
    return f"{text}; {result.format(fixed(best[key], 2))} on validation text"


def architecture(family: str, config: Mapping[str, Any]) -> str:
    """A few words, such as: LSTM 1 × 512, or: 5-gram model."""
    if family == "ngram":
        return f"{config['order']}-gram model"
    if family == "mixture":
        parts = (architecture(part["family"], part["config"]) for part in config["parts"])
        return f"mixture of {' and '.join(parts)}"
    if family == "recent":
        inner = architecture(config["part"]["family"], config["part"]["config"])
        return f"{inner}, with a cache"
    if family != "recurrent":
        return family
    both = "bidirectional " if config.get("bidirectional") else ""
    cell = CELL_NAMES.get(config["cell"], config["cell"])
    return f"{both}{cell} {config['layers']} × {config['hidden']}"


def network(family: str, config: Mapping[str, Any]) -> str:
    """A line with every setting that matters, such as: LSTM 1 × 512 · embedding 512."""
    if family == "ngram":
        reach = "within lines" if config["lines"] else "across lines"
        return f"{architecture(family, config)}, {reach}"
    if family == "mixture":
        inside = (network(part["family"], part["config"]) for part in config["parts"])
        return f"mixture of {' and '.join(inside)}"
    if family == "recent":
        inner = network(config["part"]["family"], config["part"]["config"])
        return f"{inner}, with a cache of {config['window']:,} tokens"
    if family != "recurrent":
        return f"{family} · {settings(config)}"
    parts = [
        architecture(family, config),
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


def settings(values: Mapping[str, Any]) -> str:
    """Settings on one line, without those that are off: name value · name value."""
    return " · ".join(f"{key.replace('_', ' ')} {_short(v)}" for key, v in values.items() if v)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
