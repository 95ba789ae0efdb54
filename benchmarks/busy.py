"""How much of its speed each job keeps beside other work, and whether minutes are kept.

    python benchmarks/busy.py TEXT [--minutes 0.5] [--rounds 3] [--neighbours N] [--json FILE]

Every job runs as a user would run it, as a command, on the idle machine and beside one busy process
per core (`--neighbours`), in turn, for a few rounds. The baseline, in the same run, is charlm with
the libraries' own ways of waiting and all threads all the time; its minutes are still planned by
charlm. Ratios are of medians. Run it with nothing else going on: what is called idle must be.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from common import write_json
from rich.console import Console
from rich.table import Table

from charlm.system import machine

LIBRARY_DEFAULTS = {  # what libgomp and OpenBLAS do unless told otherwise
    "GOMP_SPINCOUNT": "300000",
    "OPENBLAS_THREAD_TIMEOUT": "26",
    "OPENBLAS_NUM_THREADS": str(machine.cores()),
}
SCORED_LINES = 3000


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many processes that do nothing but compute."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        time.sleep(1.0)
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def run(words: list[str], *, tuned: bool) -> tuple[float, str]:
    """Seconds of a command, and its stdout."""
    environment = os.environ if tuned else {**os.environ, **LIBRARY_DEFAULTS}
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "charlm", "-q", *words],
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return time.monotonic() - began, done.stdout


def training(text: Path, minutes: float, out: Path, *, tuned: bool) -> tuple[float, float]:
    """Tokens per second of a training of fixed width, and its seconds from start to end."""
    words = ["train", str(text), "--minutes", str(minutes), "--hidden", "512", "--json"]
    if not tuned:
        words += ["--threads", str(machine.cores())]
    seconds, said = run([*words, "--out", str(out)], tuned=tuned)
    return float(json.loads(said.splitlines()[-1])["tokens_per_second"]), seconds


def main(
    text: Annotated[Path, typer.Argument(help="A text of some 100 kB or more.")],
    minutes: Annotated[float, typer.Option(help="Of each training.")] = 0.5,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    busy: Annotated[int, typer.Option("--neighbours", min=1, help="Busy processes.")] = (
        machine.cores()
    ),
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """Run every job on the idle machine and beside busy processes."""
    console = Console()
    console.print(f"{machine.processor()}, {machine.cores()} cores; {busy} busy neighbours")
    speeds: dict[tuple[str, bool, bool], list[float]] = {}  # by job, busy, tuned
    walls: dict[tuple[bool, bool], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        model, lines = Path(folder, "model"), Path(folder, "lines.txt")
        lines.write_text("\n".join(text.read_text("utf-8").split("\n")[:SCORED_LINES]), "utf-8")
        run(
            [
                "train",
                str(text),
                "--plain",
                "--hidden",
                "512",
                "--steps",
                "100",
                "--out",
                str(model),
            ],
            tuned=True,
        )
        jobs = {
            "score": ["score", "-m", str(model), "-f", str(lines)],
            "sample -n 64": ["sample", "-m", str(model), "-n", "64", "--max-tokens", "200"],
            "ngram": ["ngram", str(text), "--out"],
            "lab memory": [
                "lab",
                "memory",
                "--lags",
                "10,20",
                "--steps",
                "150",
                "--seeds",
                "1",
                "--no-timer",
                "--out",
            ],
        }
        for k in range(rounds):
            for crowded in (False, True):
                for tuned in (True, False) if k % 2 == 0 else (False, True):
                    with neighbours(busy if crowded else 0):
                        out = Path(folder, f"{k}-{crowded}-{tuned}")
                        speed, wall = training(text, minutes, out, tuned=tuned)
                        speeds.setdefault(("train", crowded, tuned), []).append(speed)
                        walls.setdefault((crowded, tuned), []).append(wall)
                        for name, words in jobs.items():
                            place = [f"{out}-{len(words)}.png"] if words[-1] == "--out" else []
                            seconds, _ = run([*words, *place], tuned=tuned)
                            speeds.setdefault((name, crowded, tuned), []).append(1 / seconds)
    typical = {key: statistics.median(found) for key, found in speeds.items()}
    table = Table("job", box=None, title="of the baseline's speed when idle", title_justify="left")
    for heading in ("charlm, idle", "beside others", "baseline beside others"):
        table.add_column(heading, justify="right")
    results: list[dict[str, Any]] = []
    for name in ("train", *jobs):
        base = typical[name, False, False]
        idle, kept, theirs = (
            typical[name, crowded, tuned] / base
            for crowded, tuned in ((False, True), (True, True), (True, False))
        )
        table.add_row(name, f"{idle:.2f}", f"{kept:.2f}", f"{theirs:.2f}")
        results.append({"job": name, "idle": idle, "busy": kept, "baseline_busy": theirs})
    console.print(table)
    timed = {
        f"{'beside others' if crowded else 'idle'}, {'charlm' if tuned else 'baseline'}": [
            seconds / 60 / minutes for seconds in found
        ]
        for (crowded, tuned), found in walls.items()
    }
    for name, ratios in timed.items():
        shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        console.print(f"train --minutes {minutes:g}, {name}: took {shown} of that")
    tokens = {f"{k[0]}, busy {k[1]}, tuned {k[2]}": v for k, v in speeds.items()}
    write_json(json_file, {"results": results, "minutes": timed, "speeds": tokens})


if __name__ == "__main__":
    typer.run(main)
