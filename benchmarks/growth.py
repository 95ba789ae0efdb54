"""How time and memory grow: with parameters, layers, words and text.

    python benchmarks/growth.py TEXT [--only units,layers,words,…] [--largest 100M] [--json FILE]

Each row is a process of its own. Beside it stands the growth from the row before, β in y ~ x^β: 1
is proportional, above 1 is worse. The least-squares fit over the upper half of the rows is in the
last line. MB is the most that was resident (RSS).

    units       training an LSTM layer of H units on a million tokens, against its parameters; steps
                are those of `charlm train`, of 64 tokens of 32 streams, or 64 if it is wide
    layers      the same of L layers of 512 units
    words       the same with V words, 256 units, the softmax on a sample of 2,000
    streams     a training step of 4,096 units and B streams, against the tokens of a step
    save        writing and reading a checkpoint and a model, against parameters
    tokens      `charlm train --steps 1` on TEXT's first bytes, in characters and in words
    eval        `charlm eval` of them by a network of 128 units
    line        `charlm score` of one line of so many characters
    sentences   `charlm score` of so many short lines, as TSV
    steps       `charlm train` of 128 units as it goes on, --minutes long, against the steps made;
                MB without files that it has mapped (RssAnon)
"""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

BPTT = 64
STREAMS = (32, 64, 128)
UNITS = (128, 256, 512, 1024, 2048, 4096)
LAYERS = (1, 2, 4, 8, 10)
WORDS = (1000, 10_000, 50_000, 200_000, 1_000_000)
CHARACTERS = (1000, 10_000, 100_000, 1_000_000)
SENTENCES = (1000, 10_000, 100_000)
MILLION = 10**6
UNITS_OF = {"K": 10**3, "M": MILLION, "G": 10**9}


class Point(NamedTuple):
    """What was measured at one size."""

    label: str
    size: float
    seconds: float
    megabytes: float


def train_step(**settings: Any) -> tuple[int, int, float]:
    """Parameters, tokens of a training step, and its seconds: the shortest of some."""
    import numpy as np
    import torch

    from charlm.config import NetworkConfig
    from charlm.network.device import has_bf16
    from charlm.runs import defaults
    from charlm.system import allocator
    from charlm.training.replica import Replica

    allocator.keep_pages()
    V = settings.get("vocab_size", 100)
    facts = defaults.Facts("char", 1_000_000, V, plain=True)
    shape: NetworkConfig = defaults.network(settings, facts)
    given = {"bptt": BPTT, "precision": "bf16" if has_bf16("cpu") else None}
    config = defaults.training(given | settings, facts)
    chances = 1 / np.arange(1, V + 1)
    ids = np.random.default_rng(0).choice(V, 1_000_000, p=chances / chances.sum())
    replica = Replica(shape, config, ids.astype(np.uint32))
    times, until = [], time.monotonic() + 10
    for step in itertools.count():
        start = time.perf_counter()
        replica.gradients(step)
        replica.update(1e-3)
        times.append(time.perf_counter() - start)
        if len(times) >= 5 and (time.monotonic() > until or len(times) >= 40):
            break
    torch.set_num_threads(1)
    times = times[1:]  # every fourth step orthogonalises, and costs more
    rounds = [sum(times[at : at + 4]) / 4 for at in range(0, len(times) - 3, 4)]
    parameters = sum(p.numel() for p in replica.network.parameters())
    return parameters, config.batch_size * BPTT, min(rounds)


def saved(hidden: int) -> tuple[int, float]:
    """Bytes of a checkpoint, and seconds to write it and to read the model's tensors again."""
    import torch

    from charlm.config import NetworkConfig
    from charlm.network.network import Network
    from charlm.system import tensor_file

    network = Network(NetworkConfig(vocab_size=100, embed=64, hidden=hidden))
    network.initialise(1)
    tensors = network.tensors()
    moments = {f"m/{name}": t for name, t in tensors.items()}
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "x.safetensors")
        start = time.perf_counter()
        tensor_file.write(path, "charlm", {}, tensors | moments)
        tensor_file.read(path, "charlm")
        seconds = time.perf_counter() - start
        size = path.stat().st_size
    torch.set_num_threads(1)
    return size, seconds


def run(command: Sequence[str], stdin: Path | None = None) -> tuple[float, float]:
    """Seconds and megabytes (RSS) of a command."""
    file = os.devnull if stdin is None else stdin
    with Path(file).open("rb") as given:
        start = time.perf_counter()
        child = subprocess.Popen(
            [sys.executable, "-m", "charlm", *command],
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
    assert status == 0, (command, child.stderr.read() if child.stderr else "")
    return seconds, usage.ru_maxrss / 1024


def child(kind: str, size: int) -> Point:
    """A measurement in a process of its own."""
    command = [sys.executable, __file__, "measure", kind, str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return Point(*json.loads(done.stdout.splitlines()[-1]))


def measure(kind: str, size: int) -> Point:
    """What `child` asks for."""
    if kind == "save":
        x, seconds = saved(size)
    else:
        settings = {
            "units": {"hidden": size},
            "streams": {"hidden": max(UNITS), "batch_size": size},
            "layers": {"hidden": 512, "layers": size},
            "words": {"hidden": 256, "vocab_size": size, "softmax_sample": 2000},
        }
        parameters, tokens, step = train_step(**settings[kind])
        x, seconds = (tokens, step) if kind == "streams" else (parameters, step * MILLION / tokens)
    label = {"units": "H", "save": "H", "streams": "B", "layers": "L", "words": "V"}[kind]
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Point(f"{label} = {size:,}", x, seconds, megabytes)


def exponent(one: Point, other: Point, part: str) -> float:
    """β of y ~ x^β between two points."""
    y, z = getattr(one, part), getattr(other, part)
    return math.log(z / y) / math.log(other.size / one.size)


def fitted(points: Sequence[Point], part: str) -> float:
    """The same by least squares, over the larger half of the points, three at least."""
    some = points[min(len(points) // 2, max(0, len(points) - 3)) :]
    xs = [math.log(point.size) for point in some]
    ys = [math.log(getattr(point, part)) for point in some]
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    above = sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True))
    return above / sum((a - x) ** 2 for a in xs)


def show(title: str, x: str, points: Sequence[Point]) -> None:
    table = Table(title=title, box=None)
    for heading in ("", x, "seconds", "β", "MB", "β"):
        table.add_column(heading, justify="right")
    before: Point | None = None
    for one in points:
        times = "" if before is None else f"{exponent(before, one, 'seconds'):.2f}"
        spaces = "" if before is None else f"{exponent(before, one, 'megabytes'):.2f}"
        seconds = f"{one.seconds:.3f}" if one.seconds < 10 else f"{one.seconds:.1f}"
        table.add_row(
            one.label, f"{one.size:,.0f}", seconds, times, f"{one.megabytes:,.0f}", spaces
        )
        before = one
    betas = [f"{fitted(points, part):.2f}" for part in ("seconds", "megabytes")]
    table.add_row("fit, upper half", "", "", betas[0], "", betas[1], style="bold")
    Console(width=100).print(table)


def lengths(largest: int) -> list[int]:
    return [size for size in (10**6, 10**7, 10**8, 10**9, 5 * 10**9) if size <= largest]


def beginning(text: Path, size: int) -> bytes:
    """Not all of it: what this process holds counts as its children's (RSS), too."""
    with text.open("rb") as file:
        return file.read(size)


def texts(text: Path, place: Path, largest: int) -> list[Path]:
    """The first 1, 10, 100 … MB of a text, cut at line ends."""
    found = []
    for size in lengths(min(largest, text.stat().st_size)):
        path = place / f"{size // 10**6}.txt"
        with text.open("rb") as file, path.open("wb") as copy:
            for _ in range(size // 10**6):
                copy.write(file.read(10**6))
            copy.write(file.readline())
        found.append(path)
    return found


def commands(
    paths: Sequence[Path], command: Callable[[Path, Path], list[str]], place: Path
) -> list[Point]:
    """A command on each of several texts, each with a directory of its own."""
    points = []
    for k, path in enumerate(paths):
        own = place / f"{path.stem}-{k}-{time.monotonic_ns()}"
        own.mkdir()
        size = path.stat().st_size
        points.append(Point(f"{size / 1e6:,.3g} MB", size, *run(command(path, own))))
    return points


def over_time(text: Path, place: Path, minutes: float) -> list[Point]:
    """A training as it goes on: steps made, seconds, and what it holds of its own (RssAnon)."""
    out = place / "run"
    options = [f"--minutes={minutes:g}", "--hidden=128", "--plain", f"--out={out}"]
    command = [sys.executable, "-m", "charlm", "train", str(text), *options]
    points, start = list[Point](), time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None:
        time.sleep(60 * minutes / 10)
        with contextlib.suppress(OSError, IndexError):  # it has ended, or not yet begun
            memory = Path(f"/proc/{child.pid}/status").read_text().split("RssAnon:")[1].split()[0]
            rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
            seconds, step = time.monotonic() - start, rows[-1]["step"]
            if step > (points[-1].size if points else 0):
                points.append(Point(f"{seconds:.0f} s", step, seconds, int(memory) / 1024))
    assert child.returncode == 0
    return points


def of_texts(kind: str, text: Path, place: Path, largest: int) -> list[tuple[str, list[Point]]]:
    """What is measured on texts: title and points."""
    small = place / "small.txt"
    small.write_bytes(beginning(text, 200_000).rpartition(b"\n")[0] + b"\n")
    run(["train", str(small), "--steps=1", "--hidden=128", "--plain", f"--out={place / 'net'}"])
    model = f"--model={place / 'net'}"
    if kind == "tokens":
        paths = texts(text, place, largest)
        found = []
        for level in ("char", "word"):

            def train(path: Path, own: Path, level: str = level) -> list[str]:
                options = ["--steps=1", "--plain", "--hidden=64", f"--level={level}"]
                cut = ["--vocab-size=50000"] if level == "word" else []
                return ["train", str(path), *options, *cut, f"--out={own / 'run'}"]

            found.append((f"train --steps 1 --level {level}", commands(paths, train, place)))
        return found
    if kind == "eval":
        paths = texts(text, place, min(largest, 10**7))
        return [("eval", commands(paths, lambda path, _: ["eval", str(path), model], place))]
    data = beginning(text, 4 * max(CHARACTERS)).decode("utf-8", "ignore").replace("\n", " ")
    paths = []
    for size in CHARACTERS if kind == "line" else SENTENCES:
        path = place / f"{kind}-{size}.txt"
        numbered = (f"The apple and pear salad number {k}.\n" for k in range(size))
        path.write_text(data[:size] if kind == "line" else "".join(numbered), "utf-8")
        paths.append(path)
    options = ["--tsv", model]
    return [
        (f"score, {kind}", commands(paths, lambda p, _: ["score", "-f", str(p), *options], place))
    ]


def main(
    text: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    only: str = "units,streams,layers,words,save,tokens,eval,line,sentences,steps",
    largest: Annotated[str, typer.Option(help="Most of TEXT that is read.")] = "100M",
    minutes: Annotated[float, typer.Option(help="Of the training of `steps`.")] = 10.0,
    json_file: Annotated[Path | None, typer.Option("--json")] = None,
) -> None:
    """Measure and fit."""
    most = int(float(largest[:-1]) * UNITS_OF[largest[-1].upper()])
    sizes = {
        "units": UNITS,
        "streams": STREAMS,
        "layers": LAYERS,
        "words": WORDS,
        "save": UNITS,
    }
    titles = {
        "units": ("a million tokens, one layer", "parameters"),
        "streams": ("a training step, 4,096 units", "tokens"),
        "layers": ("a million tokens, 512 units", "parameters"),
        "words": ("a million tokens, 256 units", "parameters"),
        "save": ("a checkpoint, written and read", "bytes"),
    }
    found: dict[str, list[Point]] = {}
    for kind in only.split(","):
        if kind in sizes:
            title, x = titles[kind]
            found[title] = [child(kind, size) for size in sizes[kind]]
            show(title, x, found[title])
            continue
        with tempfile.TemporaryDirectory() as place:
            if kind == "steps":
                found["training"] = over_time(text, Path(place), minutes)
                show("a training as it goes on", "steps", found["training"])
                continue
            for title, points in of_texts(kind, text, Path(place), most):
                found[title] = points
                show(title, "bytes", points)
    if json_file is not None:
        from common import write_json

        write_json(json_file, {"points": found})


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
    else:
        typer.run(main)
