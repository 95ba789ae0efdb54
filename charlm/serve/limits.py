"""What a server takes, and the ASGI layers that see to it: size, time, keys."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from .api_errors import ApiError, late

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

GRACE = 5.0  # seconds for a stream to say that it is too late, and for others that cannot
DRAINED = 32  # times the limit: what is larger is cut off
OPEN = ("/healthz", "/", "/docs")  # without a key: they tell nothing of the models


@dataclass(frozen=True)
class Limits:
    """What one request may ask for, and all together."""

    body: int = 1 << 20  # bytes
    max_tokens: int = 4096  # of a text
    seconds: float = 300.0
    waiting: int = 256  # texts that wait for others to end
    scored_tokens: int = 200_000  # of which a request has `logprobs`, alternatives counted


class Guard:
    """Answers what is too large, too slow or without a key itself; all else goes on to `app`."""

    def __init__(
        self, app: App, limits: Limits, api_key: str | None, hosts: frozenset[str] | None
    ) -> None:
        """hosts: names by which the server may be asked; None: by any.

        A page elsewhere could give its own name this machine's address, and so get round the
        browser's rule that it must not ask others (DNS rebinding).
        """
        self.app, self.limits, self.api_key, self.hosts = app, limits, api_key, hosts

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            self._check_host(scope)
            self._check_key(scope)
            whole = await self._body(scope, receive)
            async with asyncio.timeout(self.limits.seconds + GRACE):
                await self.app(scope, _again(whole, receive), note)
        except ApiError as failure:
            await _answer(failure, send)
        except TimeoutError:
            if not begun:
                await _answer(late(self.limits.seconds), send)

    def _check_host(self, scope: MutableMapping[str, Any]) -> None:
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if self.hosts is not None and name.lower() not in self.hosts:
            raise ApiError(403, "this server answers to localhost only", code="unknown_host")

    def _check_key(self, scope: MutableMapping[str, Any]) -> None:
        path = scope["path"]
        if self.api_key is None or path in OPEN or path.startswith("/page/"):
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(given, f"Bearer {self.api_key}".encode()):
            raise ApiError(
                401,
                "the API key is missing or wrong: send it as Authorization: Bearer KEY",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )

    async def _body(self, scope: MutableMapping[str, Any], receive: Receive) -> bytes:
        """The whole body. Raises ApiError if it is too large or does not come in time."""
        too_large = ApiError(
            413, f"the request has more than {self.limits.body:,} bytes", code="body_too_large"
        )
        size = dict(scope["headers"]).get(b"content-length", b"0")
        if not size.isdigit() or int(size) > DRAINED * self.limits.body:
            raise too_large
        parts: list[bytes] = []
        read = 0
        async with asyncio.timeout(self.limits.seconds):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise ApiError(400, "the client has gone")
                part = message.get("body", b"")
                read += len(part)
                parts = [*parts, part] if read <= self.limits.body else []
                if read > DRAINED * self.limits.body or not message.get("more_body", False):
                    break
        if read > self.limits.body:  # read to its end: who still sends does not read the answer
            raise too_large
        return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` for an app, after the body has been read already."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once


async def _answer(failure: ApiError, send: Send) -> None:
    body = json.dumps(failure.body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode(), value.encode()) for name, value in failure.headers.items()]
    await send({"type": "http.response.start", "status": failure.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
