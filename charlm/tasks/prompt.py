"""Encode a prompt, and decode what follows it."""

from __future__ import annotations

import numpy as np

from ..lm import Ids
from ..text.tokenizer import Tokenizer


def encode_prompt(tokenizer: Tokenizer, prompt: str) -> tuple[Ids, bool]:
    """The prompt's tokens, and whether it ends in a space that belongs to the next token."""
    spaced = tokenizer.level in ("word", "subword") and prompt.endswith(" ")
    return tokenizer.encode(prompt.rstrip(" ") if spaced else prompt), spaced


def continuation(tokenizer: Tokenizer, prompt_ids: Ids, ids: Ids) -> str:
    """The text of `ids` when it follows `prompt_ids`: with the space between words, for example."""
    before = tokenizer.decode(prompt_ids)
    whole = tokenizer.decode(np.concatenate([prompt_ids, ids]))
    return whole[len(before) :] if whole.startswith(before) else tokenizer.decode(ids)
