"""Training in several processes: tokens per second, and what they send each other.

    python benchmarks/processes.py TEXT [--processes 1,2] [--steps 60] [--hidden 512] [--level char]

Each process has one thread. The same network is trained for the same number of steps by one process
alone and by several that torchrun starts on this machine: with the same streams, when the losses
must be the same to rounding, and with as many streams in each process as the one alone has.

From the seconds of a step and the bytes of its gradients follows what a network between machines
has to carry. Adding up n processes' gradients in a ring takes 2 (n − 1) / n times their bytes out
of each, so that with R bytes/s, and as many streams in each, a step takes

    s(n) = s(1) + 2 (n − 1) / n · bytes / R

if nothing overlaps, as here. The projection is for 8 and 64 processes of one machine each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from common import about, write_json
from rich.console import Console
from rich.table import Table

from charlm.models.model_file import read

RATES = {"1 Gbit/s": 1.25e8, "10 Gbit/s": 1.25e9, "100 Gbit/s": 1.25e10}
BYTES = {"fp32": 4, "bf16": 2}


def train(text: Path, out: Path, count: int, options: list[str]) -> dict[str, Any]:
    """Train in so many processes; the outcome as `charlm train --json` tells it."""
    command = [sys.executable]
    if count > 1:
        command += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"]
    command += ["-m", "charlm", "train", str(text), "--out", str(out), "--json", "-q", *options]
    done = subprocess.run(
        command,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def losses(out: Path) -> list[float]:
    rows = map(json.loads, (out / "metrics.jsonl").read_text("utf-8").splitlines())
    return [row["loss"] for row in rows if "loss" in row]


def main(
    text: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    processes: Annotated[str, typer.Option(help="Numbers of processes.")] = "1,2",
    steps: int = 60,
    hidden: int = 512,
    level: str = "char",
    precision: str = "fp32",
    reduction: str = "fp32",
    json_file: Annotated[Path | None, typer.Option("--json")] = None,
) -> None:
    """Train on TEXT in 1, 2, … processes."""
    options = [f"--steps={steps}", f"--hidden={hidden}", f"--level={level}", "--plain"]
    options += ["--dropout=0", "--threads=1", f"--precision={precision}", "--seed=1"]
    options += [f"--eval-every={steps}", "--valid-tokens=1000", f"--reduction={reduction}"]
    counts = [int(number) for number in processes.split(",") if int(number) > 1]
    speeds: dict[str, float] = {}
    table = Table()
    for heading in ("processes", "streams", "tokens/s", "ratio", "s/step", "largest Δ of the loss"):
        table.add_column(heading, justify="right")
    with tempfile.TemporaryDirectory() as place:
        alone_at = Path(place, "1")
        alone = train(text, alone_at, 1, options)["tokens_per_second"]
        contents = read(alone_at / "model.safetensors")
        parameters = sum(int(tensor.size) for tensor in contents.tensors.values())
        settings = (alone_at / "config.toml").read_text("utf-8")
        numbers = dict(row.split(" = ") for row in settings.splitlines() if " = " in row)
        streams, bptt = int(numbers["batch_size"]), int(numbers["bptt"])

        def add_row(count: int, B: int, speed: float, delta: str) -> None:
            speeds[f"{count} × {B}"] = speed
            times = (f"{speed:,.0f}", f"{speed / alone:.2f}", f"{B * bptt / speed:.3f}")
            table.add_row(str(count), str(B), *times, delta)

        add_row(1, streams, alone, "")
        for count in counts:
            for B in (streams, streams * count):
                at = Path(place, f"{count}-{B}")
                outcome = train(text, at, count, [*options, f"--batch-size={B}"])
                pairs = zip(losses(at), losses(alone_at), strict=True)
                delta = f"{max(abs(a - b) for a, b in pairs):.1e}" if streams == B else ""
                add_row(count, B, outcome["tokens_per_second"], delta)
    sent, seconds_alone = parameters * BYTES[reduction], streams * bptt / alone
    table.title = f"{parameters / 1e6:.2f} M parameters, {bptt} tokens of each stream a step"
    Console().print(table)
    projected = Table(title=f"projected, {sent / 1e6:.1f} MB of gradients a step")
    for heading in ("network", "8 processes", "64 processes"):
        projected.add_column(heading, justify="right")
    for name, rate in RATES.items():
        times = {n: seconds_alone + 2 * (n - 1) / n * sent / rate for n in (8, 64)}
        ratios = [f"{n * seconds_alone / seconds:.1f} ×" for n, seconds in times.items()]
        projected.add_row(name, *ratios)
    Console().print(projected)
    if json_file is not None:
        write_json(json_file, {**about(), "tokens_per_second": speeds, "bytes": sent})


if __name__ == "__main__":
    typer.run(main)
