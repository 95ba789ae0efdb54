"""A tokenizer and the initial state as JSON, for programs that run an exported network."""

from __future__ import annotations

import json
from typing import Any

from ..config import NetworkConfig
from ..models.model_file import ModelFile

KIND = "charlm tokenizer"
VERSION = 1


def tokenizer_json(network: ModelFile) -> bytes:
    """What docs/export.md describes: tokens by id, what the level needs, the initial state."""
    tokenizer = network.tokenizer
    about: dict[str, Any] = {
        "kind": KIND,
        "version": VERSION,
        "level": tokenizer.level,
        "eos": tokenizer.eos,
        "unk": tokenizer.unk,
        "tokens": [tokenizer.token(k) for k in range(tokenizer.vocab_size)],
        "tokenizer": tokenizer.as_dict(),
        "initial_state": _initial_state(network),
    }
    return json.dumps(about, ensure_ascii=False, indent=1).encode()


def _initial_state(network: ModelFile) -> dict[str, list[list[float]]] | None:
    """The learned state before any token, (L, H) for h and perhaps c; None: zeros."""
    config = NetworkConfig.from_dict(network.config)
    if not config.learned_start or config.bidirectional:
        return None
    return {
        memory[0]: [network.tensors[f"rnn.{k}.{memory}"].tolist() for k in range(config.layers)]
        for memory in config.cell_shape.memory
    }


def is_ours(head: bytes) -> bool:
    """Whether a file that begins so is one of these."""
    return f'"kind": "{KIND}"'.encode() in head[:80]
