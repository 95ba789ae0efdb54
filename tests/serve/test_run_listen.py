"""How the server listens."""

from __future__ import annotations

import socket

import pytest

from charlm import CharlmError
from charlm.serve.run import is_loopback, listen


def test_small_answers_are_sent_at_once() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP  # asyncio sets TCP_NODELAY only then


def test_a_port_that_is_taken() -> None:
    with listen("127.0.0.1", 0) as listening:
        listening.listen()
        port = listening.getsockname()[1]
        with pytest.raises(CharlmError, match="cannot be listened on"):
            listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local
