"""Run the server until it is told to stop."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

import uvicorn

from ..errors import CharlmError
from .app import make_app
from .limits import Limits
from .served import ServedModels

LAST_SECONDS = 2  # for requests under way, after Ctrl-C


def serve(
    models: ServedModels,
    *,
    host: str,
    port: int,
    limits: Limits,
    api_key: str | None,
    on_start: Callable[[str], None],
) -> None:
    """Serve until Ctrl-C or SIGTERM. on_start: called with the URL when connections are taken.

    port: 0 for any that is free. Raises CharlmError if the port is taken.
    """
    try:
        listening = listen(host, port)
    except CharlmError:
        models.close()
        raise
    local = is_loopback(host) and api_key is None
    hosts = frozenset({"localhost", "127.0.0.1", "[::1]", host.lower()}) if local else None
    config = uvicorn.Config(
        make_app(models, limits, api_key, hosts),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=LAST_SECONDS,
        lifespan="on",
    )
    server = _Server(config)
    shown = f"[{host}]" if ":" in host else host
    server.on_start = lambda: on_start(f"http://{shown}:{listening.getsockname()[1]}")
    gc.collect()
    gc.freeze()  # a full collection of what stays would delay a request by 50 ms
    with suppress(KeyboardInterrupt), listening:
        server.run(sockets=[listening])


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Server(uvicorn.Server):
    """Says when it has started."""

    on_start: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_start()


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to an address. Raises CharlmError if it cannot be.

    The protocol is given as a number, since asyncio sets TCP_NODELAY only on sockets that say they
    are TCP; without it a browser waits 40 ms for the second packet of an answer.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise CharlmError(
            f"{host}:{port} cannot be listened on ({error.strerror or error}): choose another "
            "`port` or `host`"
        ) from None
    return listening
