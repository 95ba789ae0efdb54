"""The most probable endings of a sentence, by beam search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import require
from ..lm import CausalLM, Ids, S
from ..measures import LN10
from ..text.tokenizer import Tokenizer
from .beam_search import Path, search
from .prompt import continuation, encode_prompt


@dataclass(frozen=True)
class Completion:
    """A continuation of a text to the end of its sentence."""

    text: str  # what follows the prompt
    full_text: str
    logprob: float  # of what follows, including <EOS> if it was reached; nats
    tokens: int
    finished: bool  # whether <EOS> was reached

    @property
    def log10prob(self) -> float:
        """Log-probability to base ten."""
        return self.logprob / LN10

    def as_dict(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "full_text": self.full_text,
            "logprob": self.logprob,
            "tokens": self.tokens,
            "finished": self.finished,
        }


def complete(
    lm: CausalLM[S],
    tokenizer: Tokenizer,
    prompt: str,
    *,
    beam: int = 8,
    num: int = 3,
    length_penalty: float = 0.0,
    max_tokens: int = 200,
    min_length: int = 1,
    allow_unk: bool = False,
) -> list[Completion]:
    """The most probable endings of the sentence that `prompt` begins, best first.

    Of at least `min_length` tokens, besides <EOS>. Raises CharlmError for settings out of range.
    """
    require(beam >= 1, f"`beam` must be at least 1, not {beam}")
    require(num >= 1, f"`num` must be at least 1, not {num}")
    require(max_tokens >= 1, f"`max_tokens` must be at least 1, not {max_tokens}")
    require(
        0 <= min_length <= max_tokens,
        f"`min_length` must be from 0 to `max_tokens`, {max_tokens}, not {min_length}",
    )
    require(0 <= length_penalty <= 4, f"`length_penalty` must be from 0 to 4, not {length_penalty}")
    ids, spaced = encode_prompt(tokenizer, prompt)
    _, state = lm.read(lm.start(1), ids[None])
    unk = [] if allow_unk or tokenizer.unk is None else [tokenizer.unk]
    paths = search(
        lm,
        state,
        beam=max(beam, num),
        max_tokens=max_tokens,
        eos=tokenizer.eos,
        banned=unk,
        length_penalty=length_penalty,
        num=num,
        banned_first=np.flatnonzero(~tokenizer.starts_word() & spaced).tolist(),
        min_tokens=min_length,
    )
    return [_ending(tokenizer, prompt, ids, spaced, path) for path in paths]


def _ending(tokenizer: Tokenizer, prompt: str, ids: Ids, spaced: bool, path: Path) -> Completion:
    ids_N = np.array(path.ids[:-1] if path.finished else path.ids, np.int64)
    text = continuation(tokenizer, ids, ids_N)
    text = text.removeprefix(" ") if spaced else text
    return Completion(text, prompt + text, path.nats, len(path.ids), path.finished)
