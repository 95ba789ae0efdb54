"""For tests: a server in a thread of this process, and a client that knows only HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import uvicorn

from charlm.serve.app import make_app
from charlm.serve.limits import Limits
from charlm.serve.run import listen
from charlm.serve.served import ServedModels, load

TIMEOUT = 60


class Client:
    """Asks a server."""

    def __init__(self, port: int, models: ServedModels, headers: dict[str, str] | None = None):
        self.port, self.models, self.headers = port, models, headers or {}

    def ask(
        self, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and JSON (or text) of the answer; POST if there is a body."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        method = "GET" if data is None else "POST"
        kind = {"Content-Type": "application/json"}
        connection.request(method, path, data, kind | self.headers | headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        is_json = (answer.getheader("Content-Type") or "").startswith("application/json")
        return answer.status, json.loads(text) if is_json else text

    def get(self, path: str) -> Any:
        """The answer, which is no error."""
        status, answer = self.ask(path)
        assert status == 200, answer
        return answer

    def post(self, path: str, **body: Any) -> Any:
        """The answer, which is no error."""
        status, answer = self.ask(path, body)
        assert status == 200, answer
        return answer

    def complete(self, prompt: Any, **more: Any) -> list[dict[str, Any]]:
        """The choices of a completion."""
        choices: list[dict[str, Any]] = self.post("/v1/completions", prompt=prompt, **more)[
            "choices"
        ]
        return choices

    def fails(self, path: str, body: Any = None, *, raw: bytes | None = None) -> tuple[int, Any]:
        """Status and error of an answer that is one."""
        status, answer = self.ask(path, body, raw=raw)
        assert set(answer) == {"error"}, answer
        assert set(answer["error"]) == {"message", "type", "param", "code"}
        return status, answer["error"]

    def events(self, **body: Any) -> Iterator[dict[str, Any]]:
        """The events of a streamed completion, but the last, which says that it is done."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        data = json.dumps({**body, "stream": True})
        connection.request("POST", "/v1/completions", data, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 200
        for line in answer:
            text = line.decode().strip()
            if text == "data: [DONE]":
                connection.close()
                return
            if text:
                yield json.loads(text.removeprefix("data: "))
        raise AssertionError("the stream has no end")


@contextmanager
def serving(
    paths: Sequence[Path],
    limits: Limits | None = None,
    api_key: str | None = None,
    hosts: frozenset[str] | None = None,
) -> Iterator[Client]:
    """A server of these models."""
    limits = limits or Limits()
    models = load(paths, limits.waiting)
    listening = listen("127.0.0.1", 0)
    listening.listen()
    config = uvicorn.Config(
        make_app(models, limits, api_key, hosts), log_config=None, timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Client(listening.getsockname()[1], models)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
