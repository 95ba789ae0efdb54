"""N-gram models of texts larger than memory: time, memory and disk, beside KenLM's `lmplz`.

    python benchmarks/ngrams_on_disk.py TEXT [--lmplz PATH] [--memory 1G] [--in-memory]

`charlm ngram --memory` and `lmplz -S` estimate a word model of the same text, one after the other,
on the same cores, from the text to the model in a file (lmplz's is an ARPA file). With --in-memory
the same model is also estimated without --memory, and both files must have the same bytes.

Memory is what a process holds of its own at its most (RssAnon); files that it has mapped, and what
the system keeps of files, can be had back at any time. Disk is the most that there was of temporary
files and model together.
"""

from __future__ import annotations

import filecmp
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from common import about, write_json
from rich.console import Console
from rich.table import Table

EVERY = 0.1  # seconds between looks at a process
EVERY_DISK = 1.0


@dataclass
class Cost:
    """What a command took."""

    seconds: float
    cpu_seconds: float
    memory: int  # bytes at its most
    disk: int  # likewise
    model: int  # bytes of its file


def own_bytes(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii")
    except OSError:
        return 0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")]
    return 1024 * int(found[0]) if found else 0


def bytes_in(directory: Path) -> int:
    total = 0
    for place, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.lstat(Path(place, name)).st_blocks * 512
            except OSError:
                continue
    return total


def measure(command: list[str], directory: Path, model: Path) -> Cost:
    """Run a command that writes to `directory` only. Raises CalledProcessError if it fails."""
    directory.mkdir()
    before = os.times()
    begin = time.perf_counter()
    with (directory / "stderr.txt").open("wb") as errors:
        process = subprocess.Popen(command, stdout=errors, stderr=errors)
        most, disk, done = 0, 0, threading.Event()

        def look_at_disk() -> None:
            nonlocal disk
            while not done.wait(EVERY_DISK):
                disk = max(disk, bytes_in(directory))

        watcher = threading.Thread(target=look_at_disk)
        watcher.start()
        while process.poll() is None:
            most = max(most, own_bytes(process.pid))
            time.sleep(EVERY)
    seconds = time.perf_counter() - begin
    after = os.times()
    done.set()
    watcher.join()
    if process.returncode:
        print((directory / "stderr.txt").read_text()[-2000:], file=sys.stderr)
        raise subprocess.CalledProcessError(process.returncode, command)
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return Cost(seconds, cpu, most, max(disk, bytes_in(directory)), model.stat().st_size)


def main(
    text: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    lmplz: Annotated[Path | None, typer.Option(help="KenLM's program.")] = None,
    memory: Annotated[str, typer.Option(help="For both, such as 1G.")] = "1G",
    order: int = 5,
    in_memory: Annotated[bool, typer.Option(help="Also estimate it in memory.")] = False,
    place: Annotated[Path | None, typer.Option(help="Directory to work in.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the numbers there.")] = None,
) -> None:
    """Estimate a model of TEXT in both ways."""
    costs: dict[str, Cost] = {}
    with tempfile.TemporaryDirectory(dir=place) as held:
        here = Path(held)
        (here / "valid.txt").write_bytes(text.open("rb").read(10_000).rpartition(b"\n")[0] + b"\n")
        charlm = [sys.executable, "-m", "charlm", "ngram", str(text), "--level", "word"]
        charlm += ["--order", str(order), "--unk-token", "none"]
        charlm += ["--valid", str(here / "valid.txt")]
        models = {name: here / name / "run" / "model.safetensors" for name in ("disk", "memory")}
        costs[f"charlm --memory {memory}"] = measure(
            [*charlm, "--memory", memory, "--out", str(models["disk"].parent)],
            here / "disk",
            models["disk"],
        )
        if lmplz is not None:
            there = here / "lmplz"
            costs[f"lmplz -S {memory}"] = measure(
                [
                    *(str(lmplz), "-o", str(order), "-S", memory, "-T", f"{there}/"),
                    *("--text", str(text), "--arpa", str(there / "model.arpa")),
                    *("--skip_symbols", "--discount_fallback"),
                ],
                there,
                there / "model.arpa",
            )
            (there / "model.arpa").unlink()
        if in_memory:
            costs["charlm, in memory"] = measure(
                [*charlm, "--out", str(models["memory"].parent)], here / "memory", models["memory"]
            )
            equal = filecmp.cmp(models["disk"], models["memory"], shallow=False)
            print(f"the models have {'the same' if equal else 'OTHER'} bytes")
    table = Table(title=f"{text.name}, {text.stat().st_size / 1e6:,.0f} MB, order {order}")
    for heading in ("", "seconds", "ratio", "CPU s", "memory, MB", "disk, MB", "model, MB"):
        table.add_column(heading, justify="right" if heading else "left")
    first = next(iter(costs.values())).seconds
    for name, cost in costs.items():
        table.add_row(
            *(name, f"{cost.seconds:.1f}", f"{cost.seconds / first:.2f}"),
            f"{cost.cpu_seconds:.1f}",
            *(f"{number / 1e6:,.0f}" for number in (cost.memory, cost.disk, cost.model)),
        )
    Console().print(table)
    if json is not None:
        write_json(json, {**about(), "costs": {name: asdict(cost) for name, cost in costs.items()}})


if __name__ == "__main__":
    typer.run(main)
