"""Describe a model in a line of text: for `charlm info`, reports and `repr`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..display.readable import amount, count, fixed
from ..models.family import short
from ..models.model_file import parameter_noun
from .run_directory import RunDirectory


def summary(about: Mapping[str, Any]) -> str:
    """A model in one line: where it is, family, size, level and validation result.

    about: from `model_file.describe`; empty for a model without a file.
    """
    if not about:
        return "made in memory"
    file = Path(about["path"])
    path = file.parent if file == RunDirectory(file.parent).model else file
    text = (
        f"{path}: {short(about['family'], about['config'])}, "
        f"{amount(about['parameters'])} {parameter_noun(about)}, "
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


def settings(values: Mapping[str, Any]) -> str:
    """Settings on one line, except those that are off: name value · name value."""
    return " · ".join(f"{key.replace('_', ' ')} {_short(v)}" for key, v in values.items() if v)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
