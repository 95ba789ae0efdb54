"""A plug-in for `llm`: every model in runs/ is charlm/NAME there, the latest is charlm/latest.

    llm -m charlm/latest "The cat"
    llm -m charlm/latest "The cat" -o temperature 0.8 -o max_tokens 100

The prompt is continued, and what came before in a conversation is not read. The response's JSON
(`llm logs --json`) has log P of the text, in nats, and with `-o logprobs 1` that of each token.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import llm
import numpy as np
from pydantic import Field

from ..model.model import Model, load
from ..runs.run_directory import RUNS
from ..tasks.prompt import encode_prompt
from ..tasks.sample import Sample

PREFIX = "charlm/"


@llm.hookimpl  # type: ignore[untyped-decorator]
def register_models(register: Any) -> None:
    """Tell `llm` of the models."""
    runs = sorted(path.parent.name for path in RUNS.glob("*/model.safetensors"))
    for name in dict.fromkeys(["latest", *runs]):
        register(Continuing(name))


@lru_cache(maxsize=1)
def _loaded(name: str) -> Model:
    return load(None if name == "latest" else RUNS / name)


class Continuing(llm.Model):  # type: ignore[misc]
    """A model that continues its prompt."""

    can_stream = True
    supports_conversation = False

    class Options(llm.Options):  # type: ignore[misc]
        """What can be set with -o."""

        temperature: float = Field(1.0, ge=0, description="Below 1 is more careful, 0 greedy.")
        max_tokens: int = Field(1000, ge=1, description="Most tokens of a text.")
        lines: int = Field(1, ge=1, description="Lines, each ended by <EOS>.")
        top_k: int = Field(0, ge=0, description="Only the k most probable tokens; 0: all.")
        top_p: float = Field(1.0, gt=0, le=1, description="Only tokens of total probability p.")
        seed: int = Field(0, ge=0, description="The same seed gives the same text.")
        logprobs: bool = Field(False, description="Keep each token's log-probability.")

    def __init__(self, name: str) -> None:
        self.name, self.model_id = name, f"{PREFIX}{name}"

    def execute(
        self, prompt: Any, stream: bool, response: Any, conversation: Any = None
    ) -> Iterator[str]:
        """The text, in pieces as they are written."""
        model, options = _loaded(self.name), prompt.options.model_dump()
        keep = options.pop("logprobs")
        pieces: queue.SimpleQueue[str | Sample | Exception] = queue.SimpleQueue()

        def write() -> None:
            try:
                (one,) = model.sample(prompt=prompt.prompt, on_text=pieces.put, **options)
                pieces.put(one)
            except Exception as error:  # told where the text was to be read
                pieces.put(error)

        threading.Thread(target=write, daemon=True).start()
        while isinstance(piece := pieces.get(), str):
            yield piece
        if isinstance(piece, Exception):
            raise llm.ModelError(str(piece)) from piece
        found = {"logprob": piece.logprob, "tokens": piece.tokens, "ended": piece.ended}
        if keep:
            found["token_scores"] = _scores(model, piece)
        response.response_json = found
        response.set_usage(output=piece.tokens)


def _scores(model: Model, one: Sample) -> list[dict[str, Any]]:
    """The tokens of a text that was written, with their log-probabilities, nats."""
    lm, (before, _) = model.causal, encode_prompt(model.tokenizer, one.prompt)
    _, state = lm.read(lm.start(1), before[None])
    nats_1T, _ = lm.read(state, np.array([one.ids], np.int64))
    names = map(model.tokenizer.token, one.ids)
    return [
        {"token": name, "logprob": float(nats)}
        for name, nats in zip(names, nats_1T[0], strict=True)
    ]
