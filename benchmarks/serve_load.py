"""How much `charlm serve` bears: many readers at once, slow ones, rude ones.

    python benchmarks/serve_load.py MODEL [--seconds 30] [--json FILE]

A server of the model is started, and asked by clients of another process. First streams of TOKENS
tokens one after another, then CLIENTS at a time: their tokens per second, and how long one takes.
Then RUDE clients at a time: slow readers, bodies that are too large, no JSON, or ids that are none,
and streams that are left in the middle. Afterwards the server has to be idle, its memory bounded,
and every error an error object.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from common import about, write_json
from rich.console import Console
from rich.table import Table

TOKENS = 64  # of a stream
CLIENTS, RUDE = 64, 200
KINDS = ("slow", "large", "malformed", "wrong id", "leaves")


@dataclass
class Seen:
    """What clients saw."""

    tokens: int = 0
    seconds: list[float] = field(default_factory=list)  # of each stream
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)  # answers that should not be


def request(body: bytes) -> bytes:
    head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    return (
        f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def stream_body(seed: int, tokens: int = TOKENS) -> bytes:
    asked = {"prompt": "the ", "max_tokens": tokens, "ignore_eos": True, "stream": True}
    return json.dumps({**asked, "seed": seed, "logprobs": 0}).encode()


async def stream(port: int, seed: int, seen: Seen) -> None:
    """One stream, read as fast as it comes."""
    begin = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(stream_body(seed)))
    answer = (await reader.read()).decode()
    writer.close()
    tokens = sum(
        len(choice["logprobs"]["tokens"])
        for event in re.findall(r"^data: (\{.*\})\s*$", answer, re.MULTILINE)
        for choice in json.loads(event).get("choices", [])
    )
    if tokens != TOKENS or "data: [DONE]" not in answer:
        seen.wrong.append(answer[:300])
    seen.tokens += tokens
    seen.seconds.append(time.monotonic() - begin)


async def rude(port: int, kind: str, seed: int, seen: Seen) -> None:
    """A client that is slow, or asks for what cannot be."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = {
        "slow": stream_body(seed, 400),
        "leaves": stream_body(seed, 4000),
        "large": b'{"prompt": "' + b"a" * (2 << 20) + b'"}',
        "malformed": b'{"prompt": ',
        "wrong id": b'{"prompt": [123456789]}',
    }[kind]
    try:
        writer.write(request(body))
        await writer.drain()
        if kind == "leaves":
            await reader.read(500)
            seen.answers["left in the middle"] += 1
            return
        answer = b""
        while part := await reader.read(40 if kind == "slow" else 1 << 16):
            answer += part
            if kind == "slow":
                await asyncio.sleep(0.005)
        head, _, rest = answer.partition(b"\r\n\r\n")
        status = head.split()[1].decode()
        seen.answers[f"{kind}: {status}"] += 1
        if kind == "slow":
            fine = (status == "200" and b"[DONE]" in rest) or status == "429"
        else:
            fine = set(json.loads(rest)) == {"error"}
        if not fine:
            seen.wrong.append(answer[:300].decode(errors="replace"))
    except ConnectionError:
        seen.answers[f"{kind}: cut off"] += 1
        seen.wrong.append(f"{kind}: cut off")
    finally:
        writer.close()


async def for_seconds(seconds: float, clients: int, work: Any) -> float:
    """Let so many clients work, each again and again; the seconds that it took."""
    begin = time.monotonic()

    async def one(number: int) -> None:
        turn = 0
        while time.monotonic() - begin < seconds:
            await work(number + clients * turn)
            turn += 1

    await asyncio.gather(*(one(number) for number in range(clients)))
    return time.monotonic() - begin


def memory(pid: int) -> float:
    """Of a process, MB."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else float("nan")


async def measure(port: int, pid: int, seconds: float) -> dict[str, Any]:
    """All three parts."""
    first, together, last = Seen(), Seen(), Seen()
    await stream(port, 0, Seen())
    at_first = memory(pid)
    took = await for_seconds(seconds / 3, 1, lambda seed: stream(port, seed, first))
    alone = first.tokens / took
    took = await for_seconds(seconds, CLIENTS, lambda seed: stream(port, seed, together))
    served = memory(pid)
    await for_seconds(seconds, RUDE, lambda seed: rude(port, KINDS[seed % len(KINDS)], seed, last))
    await asyncio.sleep(2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    counters = (await reader.read()).decode()
    writer.close()
    running = re.findall(r"^charlm_texts_(?:running|waiting)\{.*\} (\S+)", counters, re.MULTILINE)
    ordered = sorted(together.seconds)
    return {
        "alone": alone,
        "together": together.tokens / took,
        "median": statistics.median(ordered),
        "p99": ordered[int(0.99 * (len(ordered) - 1))],
        "streams": len(ordered),
        "answers": dict(sorted(last.answers.items())),
        "wrong": first.wrong + together.wrong + last.wrong,
        "still_running": sum(map(float, running)),
        "memory": [at_first, served, memory(pid)],
    }


def main(
    model: str,
    seconds: float = 30.0,
    json_file: Annotated[Path | None, typer.Option("--json")] = None,
) -> None:
    """Serve MODEL and see how much it bears."""
    command = [sys.executable, "-m", "charlm", "serve", model, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stderr.readline())
        assert found is not None
        try:
            result = asyncio.run(measure(int(found[1]), process.pid, seconds))
        finally:
            process.terminate()
            code = process.wait(30)
    result["exit"] = code
    console = Console()
    machine = about()
    console.print(f"{machine['processor']}, {machine['threads']} threads")
    table = Table(box=None)
    for name in (
        "streams of 64 tokens",
        "tokens/s",
        "of one after another",
        "median s",
        "p99 s",
        "p99 / median",
    ):
        table.add_column(name, justify="right")
    table.add_row("one after another", f"{result['alone']:,.0f}", "", "", "", "")
    ratio = result["together"] / result["alone"]
    late = result["p99"] / result["median"]
    table.add_row(
        f"{CLIENTS} at a time",
        *(f"{result['together']:,.0f}", f"{ratio:.2f} ×", f"{result['median']:.2f}"),
        *(f"{result['p99']:.2f}", f"{late:.2f}"),
    )
    console.print(table)
    for answer, count in result["answers"].items():
        console.print(f"{count:8,}  {answer}")
    before, served, after = result["memory"]
    console.print(
        f"memory {before:.0f} MB at first, {served:.0f} MB served, {after:.0f} MB at the end"
    )
    console.print(f"still running: {result['still_running']:.0f}; exit code {code}")
    console.print(f"answers that should not be: {len(result['wrong'])}", *result["wrong"][:3])
    if json_file is not None:
        write_json(json_file, result)


if __name__ == "__main__":
    typer.run(main)
