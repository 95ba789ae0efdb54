"""What every use of a model begins with."""

from __future__ import annotations

from typing import Any

from ..lm import CausalLM, LanguageModel, State, causal
from ..runs import describe
from ..text.tokenizer import Tokenizer


class Loaded:
    """A language model with its tokenizer."""

    def __init__(self, lm: LanguageModel, tokenizer: Tokenizer, info: dict[str, Any]) -> None:
        self.lm = lm
        self.tokenizer = tokenizer
        self._info = info

    def __repr__(self) -> str:
        return f"<charlm.Model {describe.summary(self._info)}>"

    @property
    def causal(self) -> CausalLM[State]:
        """The model as a `charlm.lm.CausalLM`, which predicts the next token.

        Raises CharlmError for a bidirectional model.
        """
        return causal(self.lm)

    @property
    def info(self) -> dict[str, Any]:
        """The model's family, size and training: the object of `charlm info --json`."""
        return self._info
