"""The application: all routes, and what they have in common."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from ..errors import CharlmError
from ..system.version import __version__
from . import ask, described, inside
from .api_errors import SERVER, ApiError, error_object, too_much
from .completions import Completion, read_prompts
from .counters import Counted, Counters
from .limits import App, Guard, Limits, Receive, Send
from .pages import add_pages
from .schemas import ERRORS, MAX_CHOICES, CompletionRequest
from .served import ServedModels

T = TypeVar("T")
GONE = 499  # nginx's number for a client that has gone
BY_MODEL = "/models/"  # a prefix of every path that names the model


def make_app(
    models: ServedModels,
    limits: Limits,
    api_key: str | None = None,
    hosts: frozenset[str] | None = None,
) -> FastAPI:
    """The application that serves `models`; they are closed when it ends. hosts: see `Guard`."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(models.close)

    counters = Counters(models)
    app = FastAPI(
        title="charlm",
        version=__version__,
        description=__doc__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        middleware=[
            Middleware(Counted, counters),
            Middleware(Guard, limits, api_key, hosts),
            Middleware(ByModel, models),
        ],
    )
    _add_handlers(app)

    @app.get("/healthz", tags=["server"])
    def healthz() -> dict[str, str]:
        """Whether the server is there."""
        return {"status": "ok"}

    @app.get("/metrics", tags=["server"], response_class=PlainTextResponse)
    def metrics() -> Response:
        """What the server has done, for Prometheus."""
        return PlainTextResponse(counters.text(), media_type="text/plain; version=0.0.4")

    @app.post("/v1/completions", tags=["OpenAI's dialect"], responses={**ERRORS, 200: STREAMED})
    async def completions(asked: CompletionRequest, request: Request) -> Response:
        """Continue prompts, or score them (`echo`, `logprobs`)."""
        served = models[asked.model or named(request)]
        _check(asked, limits)
        if asked.suffix is not None or served.engine is None:
            whole = await served.call(ask.fill_in, served, asked)
            if asked.stream:
                event = f"data: {json.dumps(whole)}\n\ndata: [DONE]\n\n"
                return Response(event, media_type="text/event-stream", headers=NO_CACHE)
            return JSONResponse(whole)
        prompts = await asyncio.to_thread(read_prompts, served, asked.prompt)
        _check_prompts(asked, [len(prompt.ids) for prompt in prompts], limits)
        completion = Completion(served, prompts, asked)
        counters.read.labels(served.name).inc(sum(len(prompt.ids) for prompt in prompts))
        if asked.stream:
            events = _counted(completion, counters, limits.seconds)
            return StreamingResponse(events, media_type="text/event-stream", headers=NO_CACHE)
        answer = await _unless_gone(completion.whole(limits.seconds), request)
        counters.written.labels(served.name).inc(completion.usage()["completion_tokens"])
        if answer is None:
            return Response(status_code=GONE)
        return Response(answer, media_type="application/json")

    ask.add_routes(app, models, named)
    inside.add_routes(app, models, named)
    add_pages(app)
    described.complete(app.openapi(), models, limits)
    return app


STREAMED = {"description": "Of a stream: events.", "content": {"text/event-stream": {}}}
NO_CACHE = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def named(request: Request) -> str | None:
    """The model that the path names."""
    return request.scope.get("charlm.model")


class ByModel:
    """An ASGI layer: /models/NAME/v1/completions is /v1/completions of that model."""

    def __init__(self, app: App, models: ServedModels) -> None:
        self.app, self.models = app, models

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(BY_MODEL):
            name, slash, rest = scope["path"].removeprefix(BY_MODEL).partition("/")
            if slash and name not in self.models.by_name:
                unknown = error_object(f"there is no model {name!r}", code="model_not_found")
                await JSONResponse(unknown, 404)(scope, receive, send)
                return
            if slash:
                scope.update({"path": f"/{rest}", "charlm.model": name})
        await self.app(scope, receive, send)


def _check(asked: CompletionRequest, limits: Limits) -> None:
    """Raise ApiError if a longer text is wanted than the server writes."""
    if (asked.max_tokens or 0) > limits.max_tokens:
        raise ApiError(
            400,
            f"`max_tokens` is at most {limits.max_tokens:,} here, not {asked.max_tokens:,}",
            param="max_tokens",
        )


def _check_prompts(asked: CompletionRequest, lengths: list[int], limits: Limits) -> None:
    """Raise ApiError for too many prompts, or too much to be told of them."""
    if len(lengths) * (asked.n or 1) > MAX_CHOICES:
        few = f"at most {MAX_CHOICES} texts at a time: send fewer prompts"
        raise too_much(few, "n", "too_many_texts")
    if asked.logprobs is None:
        return
    written = len(lengths) * asked.length
    told = ((sum(lengths) if asked.echo else 0) + written) * (asked.n or 1)
    if told * (1 + asked.logprobs) > limits.scored_tokens:
        raise too_much(
            f"`logprobs` of {told:,} tokens are too much at a time: send the text in parts, ask "
            "for less, or leave them out",
            "logprobs",
            "too_many_logprobs",
        )


async def _counted(
    completion: Completion, counters: Counters, seconds: float
) -> AsyncIterator[str]:
    """The events of a stream; what was written is counted however it ends."""
    events = completion.stream(seconds)
    try:
        async for event in events:
            yield event
    finally:
        await events.aclose()
        written = completion.usage()["completion_tokens"]
        counters.written.labels(completion.served.name).inc(written)


async def _unless_gone(work: Awaitable[T], request: Request) -> T | None:
    """The result of some work, which is cancelled, with None, if the client goes away."""

    async def gone() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    tasks = asyncio.ensure_future(work), asyncio.ensure_future(gone())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _add_handlers(app: FastAPI) -> None:
    """Every error becomes an error object."""

    @app.exception_handler(ApiError)
    async def failure(_: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body, error.status, error.headers)

    @app.exception_handler(CharlmError)
    async def charlm_error(_: Request, error: CharlmError) -> JSONResponse:
        return JSONResponse(error_object(str(error)), 400)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"] if part not in ("body", "query")]
        param = place[0] if place and first["type"] != "json_invalid" else None
        wrong = first["msg"].removeprefix("Value error, ")
        told = f"`{param}`: {wrong}" if param else wrong
        return JSONResponse(error_object(told, param=param), 400)

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        return JSONResponse(error_object(str(error.detail)), error.status_code, headers)

    @app.exception_handler(Exception)
    async def bug(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse(error_object("the server has failed", type=SERVER), 500)
