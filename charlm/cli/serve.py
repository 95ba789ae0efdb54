"""`charlm serve`: answer other programs over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from .talk import note


def serve(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]…",
            help="Run directories, model files or ARPA files. Default: $CHARLM_MODEL, then "
            "runs/latest.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any that is free.")
    ] = 8000,
    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            envvar="CHARLM_API_KEY",
            help="Answer only those who send this key. Default: $CHARLM_API_KEY, or none.",
            show_default=False,
            show_envvar=False,
        ),
    ] = None,
    max_tokens: Annotated[
        int, typer.Option(min=1, help="Longest text that a request may ask for, in tokens.")
    ] = 4096,
    max_body: Annotated[int, typer.Option(min=1, help="Largest request, in bytes.")] = 1 << 20,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Longest that a request may take, in seconds.")
    ] = 300,
    queue: Annotated[
        int, typer.Option(min=1, help="How many texts may wait; more are refused.")
    ] = 256,
) -> None:
    r"""Answer other programs over HTTP, in the dialect of OpenAI's completions.

    Clients of OpenAI's completions and lm-evaluation-harness can use the models, and programs can
    score sentences, ask for the next token and fill blanks: /docs describes it all. Requests that
    come together run as one batch. Ctrl-C ends it.

    \b
    charlm serve
    charlm serve runs/lstm runs/fivegram --port 8080
    curl localhost:8000/v1/completions -d '{"prompt": "The cat", "max_tokens": 20}' \
        -H 'Content-Type: application/json'
    """
    from ..serve.limits import Limits
    from ..serve.run import is_loopback
    from ..serve.run import serve as run
    from ..serve.served import load

    served = load(models or [None], queue)
    names = ", ".join(served.by_name)
    if not is_loopback(host) and not api_key:
        note(f"anyone who can reach {host} can use {names}: set an --api-key, or leave out --host")
    run(
        served,
        host=host,
        port=port,
        limits=Limits(max_body, max_tokens, timeout, queue),
        api_key=api_key or None,
        on_start=lambda url: note(f"serving {names} at {url} · Ctrl-C to stop"),
    )
