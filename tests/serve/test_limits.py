"""What is too large, too slow, too much or without a key gets an error object."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_support import write_model
from server import Client, serving

from charlm.serve.limits import Limits

LIMITS = Limits(body=2000, max_tokens=10**6, seconds=1.5, waiting=8, scored_tokens=50)


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A server that takes little."""
    path = write_model(tmp_path_factory.mktemp("narrow") / "m.safetensors")
    with serving([path], LIMITS, "secret key") as client:
        client.headers["Authorization"] = "Bearer secret key"
        yield client


def test_keys(narrow: Client) -> None:
    stranger = Client(narrow.port, narrow.models)
    for key in ("", "Bearer wrong", "secret key"):
        status, answer = stranger.ask("/v1/models", Authorization=key)
        assert status == 401
        assert answer["error"]["code"] == "invalid_api_key"
    assert stranger.ask("/healthz")[0] == 200
    assert narrow.ask("/v1/models")[0] == 200


def test_bodies(narrow: Client) -> None:
    status, error = narrow.fails("/v1/completions", {"prompt": "a" * 3000})
    assert (status, error["code"]) == (413, "body_too_large")
    for raw in (
        b"{",
        b"[1]",
        b"\xff\xfe",
        b'{"prompt": NaN}',
        b'"x"',
        b"",
        b'{"prompt": "\\ud800"}',
    ):
        status, error = narrow.fails("/v1/completions", raw=raw)
        assert status == 400, raw
    assert narrow.fails("/nowhere")[0] == 404
    assert narrow.fails("/v1/models", {})[0] == 405


def test_a_body_of_unknown_size(narrow: Client) -> None:
    with socket.create_connection(("127.0.0.1", narrow.port)) as connection:
        head = "POST /v1/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret key\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(3):
            connection.sendall(b"3e8\r\n" + b"a" * 1000 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        assert b" 413 " in connection.recv(100)


def test_what_would_be_told_is_limited(narrow: Client) -> None:
    asked = {"prompt": "a" * 30, "echo": True, "logprobs": 1, "max_tokens": 0}
    status, error = narrow.fails("/v1/completions", asked)
    assert (status, error["code"]) == (429, "too_many_logprobs")
    assert narrow.complete(**{**asked, "logprobs": 0})
    asked = {"prompt": "a", "max_tokens": 60, "logprobs": 0}
    assert narrow.fails("/v1/completions", asked)[1]["param"] == "logprobs"
    assert narrow.fails("/v1/completions", {"stop": "a" * 201})[1]["param"] == "stop"


def test_a_stream_that_takes_too_long_says_so(narrow: Client) -> None:
    body = json.dumps({**FOREVER, "stream": True}).encode()
    status, text = narrow.ask("/v1/completions", raw=body)
    assert status == 200
    *_, error, end = [part for part in text.split("\n\n") if part]
    assert end == "data: [DONE]"
    assert json.loads(error.removeprefix("data: "))["error"]["code"] == "timeout"
    _wait_until_idle(narrow)


def test_time(narrow: Client) -> None:
    begin = time.monotonic()
    status, error = narrow.fails("/v1/completions", FOREVER)
    assert (status, error["code"]) == (408, "timeout")
    assert time.monotonic() - begin < 30
    _wait_until_idle(narrow)


FOREVER = {"prompt": "a", "max_tokens": 10**6, "ignore_eos": True}


def test_a_queue(narrow: Client) -> None:
    asked = {**FOREVER, "n": 100}
    threads = [threading.Thread(target=narrow.ask, args=("/v1/completions", asked))]
    threads[0].start()
    engine = narrow.models.first.engine
    assert engine is not None
    while not engine.live:
        time.sleep(0.01)
    status, error = narrow.fails("/v1/completions", {"prompt": "a", "n": 100})
    assert (status, error["code"]) == (429, "queue_full")
    threads[0].join()
    _wait_until_idle(narrow)


def test_a_client_that_goes_away(narrow: Client) -> None:
    engine = narrow.models.first.engine
    assert engine is not None
    for stream in (False, True):
        body = json.dumps({**FOREVER, "stream": stream}).encode()
        connection = socket.create_connection(("127.0.0.1", narrow.port))
        head = "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        more = f"Authorization: Bearer secret key\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(f"{head}{more}".encode() + body)
        while not engine.live:
            time.sleep(0.01)
        connection.close()
        _wait_until_idle(narrow)


def _wait_until_idle(client: Client) -> None:
    engine = client.models.first.engine
    assert engine is not None
    end = time.monotonic() + 30
    while engine.live or engine.waiting:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_name_for_each_model(tmp_path: Path) -> None:
    from charlm.errors import CharlmError
    from charlm.serve.served import load

    for name in "ab":
        (tmp_path / name).mkdir()
        write_model(tmp_path / name / "model.safetensors")
        write_model(tmp_path / name / "x.safetensors")
    models = load([tmp_path / "a", tmp_path / "b" / "x.safetensors"], 9)
    assert list(models.by_name) == ["a", "x"]
    models.close()
    with pytest.raises(CharlmError, match="two models are named x"):
        load([tmp_path / "a" / "x.safetensors", tmp_path / "b" / "x.safetensors"], 9)


def test_names_of_this_machine_only(tmp_path: Path) -> None:
    hosts = frozenset({"localhost", "127.0.0.1", "[::1]"})
    path = write_model(tmp_path / "m.safetensors")
    with serving([path], hosts=hosts) as client:
        for host in ("localhost", "LOCALHOST:80", "127.0.0.1:8000", "[::1]", "[::1]:8000"):
            assert client.ask("/healthz", Host=host)[0] == 200, host
        for host in ("evil.example", "evil.example:8000", "localhost.evil", ""):
            status, answer = client.ask("/v1/models", Host=host)
            assert (status, answer["error"]["code"]) == (403, "unknown_host"), host


def test_too_much_to_score_is_refused(tmp_path: Path) -> None:
    with serving([write_model(tmp_path / "m.safetensors")]) as client:
        for path in ("/v1/score", "/v1/words"):
            status, error = client.fails(path, {"sentences": ["a" * 50_000, "a" * 50_000]})
            assert (status, error["param"]) == (400, "sentences")
        assert client.fails("/v1/next", {"prompt": "a" * 100_001})[1]["param"] == "prompt"
        odd = {"prompt": [None] * 100_000}
        assert client.fails("/v1/completions", odd)[1]["param"] == "prompt"
