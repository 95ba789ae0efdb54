"""Scoring many sentences: one process, several (`jobs`), and two workers of Ray.

    python benchmarks/jobs.py TEXT MODEL [MODEL …] [--jobs 1,2] [--lines 30000] [--no-ray]

Sentences per second for each model and way, and the ratio to one process of the same run. Starting
the processes and loading the model in each is counted; starting Ray is not, since it usually runs
already, and comes last, since it takes some of the cores even when it waits. Each way has all
cores: one process uses threads for its products of matrices.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

import charlm
from charlm import cluster
from charlm.system import machine


def seconds(work: Callable[[], Sequence[object]], expected: int) -> float:
    """The shorter of two times that `work` takes. It gives as many results as expected."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        assert len(work()) == expected
        times.append(time.perf_counter() - start)
    return min(times)


def main(
    text: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    models: Annotated[list[Path], typer.Argument(exists=True)],
    jobs: Annotated[str, typer.Option(help="Numbers of processes.")] = "1,2",
    lines: int = 30_000,
    ray: bool = True,
    json_file: Annotated[Path | None, typer.Option("--json")] = None,
) -> None:
    """Score the first LINES lines of TEXT that are not empty."""
    sentences = [line for line in text.read_text("utf-8").split("\n") if line.strip()][:lines]
    counts = [int(number) for number in jobs.split(",")]
    speeds: dict[str, dict[str, float]] = {}
    table = Table(title=f"{len(sentences):,} sentences, {machine.processor()}")
    for heading in ("model", "way", "sentences/s", "ratio"):
        table.add_column(heading)
    loaded = {path: charlm.load(path) for path in models}
    found: dict[Path, dict[str, float]] = {path: {} for path in models}
    for path, model in loaded.items():
        for count in counts:
            work: Callable[[], Any] = partial(model.score, sentences, jobs=count)
            found[path][f"jobs={count}"] = seconds(work, len(sentences))
    if ray:
        import ray as ray_

        ray_.init(num_cpus=machine.cores(), include_dashboard=False, log_to_driver=False)
        blocks = ray_.data.from_items([{"text": one} for one in sentences])
        for path in models:
            scored = cluster.score(blocks, path, workers=machine.cores())
            way = f"Ray, {machine.cores()} workers"
            found[path][way] = seconds(scored.take_all, len(sentences))
    for path, times in found.items():
        speeds[str(path)] = {way: len(sentences) / time_ for way, time_ in times.items()}
        first = next(iter(times.values()))
        for way, time_ in times.items():
            row = (f"{len(sentences) / time_:,.0f}", f"{first / time_:.2f}")
            table.add_row(repr(loaded[path]).split(":")[1].split(",")[0], way, *row)
    Console().print(table)
    if json_file is not None:
        from common import about, write_json  # it imports torch, which each process would wait for

        write_json(json_file, {**about(), "sentences_per_second": speeds})


if __name__ == "__main__":
    typer.run(main)
