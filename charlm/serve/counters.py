"""`GET /metrics`: what the server has done, in Prometheus' text format."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from .limits import App, Message, Receive, Send
from .served import ServedModels

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Counters:
    """Of one server."""

    def __init__(self, models: ServedModels) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "charlm_requests", "Requests answered.", ["route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "charlm_request_seconds",
            "How long they took.",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.read = Counter(
            "charlm_prompt_tokens", "Tokens of prompts.", ["model"], registry=self.registry
        )
        self.written = Counter(
            "charlm_generated_tokens", "Tokens written.", ["model"], registry=self.registry
        )
        live = Gauge(
            "charlm_texts_running", "Texts being written.", ["model"], registry=self.registry
        )
        waiting = Gauge(
            "charlm_texts_waiting", "Texts that wait.", ["model"], registry=self.registry
        )
        for name, served in models.by_name.items():
            if (engine := served.engine) is not None:
                live.labels(name).set_function(partial(getattr, engine, "live"))
                waiting.labels(name).set_function(partial(getattr, engine, "waiting"))

    def text(self) -> bytes:
        """All of them."""
        return generate_latest(self.registry)


class Counted:
    """An ASGI layer that counts and times requests."""

    def __init__(self, app: App, counters: Counters) -> None:
        self.app, self.counters = app, counters

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, begin = 499, time.monotonic()  # nginx's number for a client that has gone

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self.counters.requests.labels(route, str(status)).inc()
            self.counters.seconds.labels(route).observe(time.monotonic() - begin)
