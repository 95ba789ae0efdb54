"""The measures of many sentences, each on its own; common beginnings are read once."""

from __future__ import annotations

from collections.abc import Sequence

from ..lm import CausalLM, S
from ..measures import Measures
from ..text.tokenizer import Tokenizer
from .measure import measure
from .score import encode_line
from .shared_prefixes import shared_logprobs


def measure_lines(
    lm: CausalLM[S], tokenizer: Tokenizer, sentences: Sequence[str]
) -> list[Measures]:
    """The measures of every sentence, <EOS> included. Raises CharlmError for a line break."""
    seqs = [encode_line(tokenizer, sentence) for sentence in sentences]
    parts = zip(sentences, seqs, shared_logprobs(lm, seqs), strict=True)
    return [measure(text + "\n", ids, nats, tokenizer) for text, ids, nats in parts]
