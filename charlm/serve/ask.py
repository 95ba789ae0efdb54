"""What can be asked of a model besides completions: its tokens, scores, next tokens, blanks."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request

from ..display.readable import valid_unicode
from ..models.activations import overview
from ..runs import describe
from ..tasks.fill import BLANK, Filled
from .api_errors import ApiError
from .schemas import (
    ERRORS,
    MAX_ASKED,
    CompletionRequest,
    DetokenizeRequest,
    FillRequest,
    NextRequest,
    ScoreRequest,
    TokenizeRequest,
    WordsRequest,
)
from .served import Served, ServedModels

TYPED = 500  # characters, of a text that somebody may be typing
NO_LIMIT = 2**31 - 1  # contexts may have any length


def add_routes(app: FastAPI, models: ServedModels, named: Callable[[Request], str | None]) -> None:
    """Add the routes to the application. named: the model that the path of a request names."""

    def served(request: Request, model: str | None) -> Served:
        return models[model or named(request)]

    @app.get("/v1/models", tags=["OpenAI's dialect"])
    def list_models() -> dict[str, Any]:
        """The models that are served."""
        return {"object": "list", "data": [_card(one) for one in models.by_name.values()]}

    @app.get("/v1/models/{model}", tags=["OpenAI's dialect"], responses=ERRORS)
    def one_model(model: str) -> dict[str, Any]:
        """One of them."""
        return _card(models[model])

    @app.get("/tokenizer_info", tags=["tokens"], responses=ERRORS)
    def tokenizer_info(request: Request, model: str | None = None) -> dict[str, Any]:
        """What a client must know of the tokens. <EOS>, which ends a sentence, is the newline."""
        one = served(request, model)
        unk = one.tokenizer.unk
        return {
            "tokenizer_class": type(one.tokenizer).__name__,
            "level": one.tokenizer.level,
            "vocab_size": one.last_id + 1,
            "eos_token": "\n",
            "eos_token_id": one.eos,
            "bos_token": None,
            "pad_token": None,
            "unk_token": None if unk is None else one.tokenizer.token(unk),
            "unk_token_id": unk,
            "chat_template": None,
            "model_max_length": NO_LIMIT,
        }

    @app.post("/tokenize", tags=["tokens"], responses=ERRORS)
    async def tokenize(asked: TokenizeRequest, request: Request) -> dict[str, Any]:
        """Split a text into tokens."""
        one = served(request, asked.model)
        ids = await asyncio.to_thread(one.tokenizer.encode, asked.prompt)
        names = {"token_strs": list(map(one.name_of, ids.tolist()))}
        return {
            "count": len(ids),
            "max_model_len": NO_LIMIT,
            "tokens": one.to_client(ids),
            **(names if asked.return_token_strs else {}),
        }

    @app.post("/detokenize", tags=["tokens"], responses=ERRORS)
    async def detokenize(asked: DetokenizeRequest, request: Request) -> dict[str, str]:
        """Put tokens together."""
        one = served(request, asked.model)
        ids = one.from_client(asked.tokens, "tokens")
        return {"prompt": valid_unicode(await asyncio.to_thread(one.tokenizer.decode, ids))}

    @app.post("/v1/score", tags=["charlm"], responses=ERRORS)
    async def score(asked: ScoreRequest, request: Request) -> dict[str, Any]:
        """Score sentences, in nats and bits, as `charlm score --json`."""
        one = served(request, asked.model)
        sentences = _listed(asked.sentences)
        typed = sum(map(len, sentences)) <= TYPED
        found = await one.call(
            one.typing.score if typed else one.model.score,
            sentences,
            eos=asked.eos,
            context=asked.context,
            tokens=asked.tokens,
            words=asked.words,
        )
        scores = [_sendable(score.as_dict()) for score in found]
        return {"model": one.name, "scores": scores}

    @app.post("/v1/words", tags=["charlm"], responses=ERRORS)
    async def words(asked: WordsRequest, request: Request) -> dict[str, Any]:
        """A row for every word of some sentences, as `charlm score --words --tsv`."""
        one = served(request, asked.model)
        rows = await one.call(
            one.model.word_table,
            _listed(asked.sentences),
            eos=asked.eos,
            context=asked.context,
        )
        return {"model": one.name, "words": _sendable(rows)}

    @app.post("/v1/next", tags=["charlm"], responses=ERRORS)
    async def next_tokens(asked: NextRequest, request: Request) -> dict[str, Any]:
        """The most probable next tokens, and the entropy of the distribution, bits."""
        one = served(request, asked.model)
        model = one.typing if len(asked.prompt) <= TYPED else one.model
        found = await one.call(model.next_tokens, asked.prompt, top_k=asked.top_k)
        return {"model": one.name, **_sendable(found.as_dict())}

    @app.post("/v1/fill", tags=["charlm"], responses=ERRORS)
    async def fill(asked: FillRequest, request: Request) -> dict[str, Any]:
        """Fill the blanks (_) of a line: the most probable ways, the best first."""
        one = served(request, asked.model)
        found = await one.call(
            one.model.fill, asked.text, top_k=asked.top_k, left_only=asked.left_only
        )
        return {"model": one.name, "found": [_sendable(way.as_dict()) for way in found]}


def fill_in(served: Served, asked: CompletionRequest) -> dict[str, Any]:
    """A completion by a bidirectional model: `max_tokens` blanks between prompt and suffix."""
    if served.engine is not None:
        raise ApiError(
            400,
            f"{served.name} reads left to right and cannot use a `suffix`: leave it out",
            param="suffix",
        )
    if asked.suffix is None or not isinstance(asked.prompt, str):
        raise ApiError(
            400,
            f"{served.name} is bidirectional and fills in what is missing: give a text as `prompt` "
            "and a `suffix`",
            param="suffix",
        )
    word = served.tokenizer.level == "word"
    blanks = (
        " ".join([BLANK] * (asked.max_tokens or 1)) if word else BLANK * (asked.max_tokens or 1)
    )
    before, after = asked.prompt, asked.suffix
    if word:  # blanks are words of their own
        before = f"{before} " if before and not before[-1].isspace() else before
        after = f" {after}" if after and not after[0].isspace() else after
    found: list[Filled] = served.model.fill(f"{before}{blanks}{after}", top_k=asked.n or 1)
    end = -len(after) or None
    choices = [
        {
            "text": way.text[0 if asked.echo else len(before) : end],
            "index": index,
            "logprobs": None,
            "finish_reason": "length",
        }
        for index, way in enumerate(found)
    ]
    size = len(served.tokenizer.encode(f"{before}{after}"))
    written = (asked.max_tokens or 1) * len(choices)
    return {
        "id": f"cmpl-{secrets.token_hex(12)}",
        "object": "text_completion",
        "created": int(time.time()),
        "model": served.name,
        "choices": choices,
        "usage": {
            "prompt_tokens": size,
            "completion_tokens": written,
            "total_tokens": size + written,
        },
    }


def _card(one: Served) -> dict[str, Any]:
    return {
        "id": one.name,
        "object": "model",
        "created": one.created,
        "owned_by": "charlm",
        "level": one.tokenizer.level,
        "causal": one.engine is not None,
        "description": describe.summary({**one.model.info, "path": one.name}),
        "network": overview(one.model.lm),
    }


def _listed(sentences: str | list[str]) -> list[str]:
    """The sentences. Raises ApiError for too much at a time."""
    listed = [sentences] if isinstance(sentences, str) else sentences
    if sum(map(len, listed)) + len(listed) > MAX_ASKED:
        raise ApiError(
            400,
            f"at most {MAX_ASKED:,} characters at a time: send fewer sentences",
            param="sentences",
            code="too_long",
        )
    return listed


def _sendable(value: Any) -> Any:
    """The same without what JSON does not have: numbers that are none become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return valid_unicode(value)
    if isinstance(value, dict):
        return {key: _sendable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_sendable(one) for one in value]
    return value
