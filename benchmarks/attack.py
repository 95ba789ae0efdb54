"""Attack charlm with damaged files of every kind, and count what it cannot bear.

    python benchmarks/attack.py [--count 100000] [--first 0] [--json FILE]
    python benchmarks/attack.py --count 0 [--kills 200] [--full 100 --disk FOLDER --size BYTES]

A case is a number: it chooses a kind of file (model files of every family, checkpoints,
config.toml, metrics, tokenised corpora, ARPA plain and packed, SentencePiece models, pairs, n-best
lists), a change of it (bytes, numbers, the tree of its JSON, its tensors; what has a digest is
sealed again) and what is then done with it (info, score, sample, fill, resume, rescore, pairs).
What should come of it is a result, or one line and exit code 2, within 5 seconds and 500 MB over
the file's size. `python tests/attack/victims.py` runs single cases.

--kills: processes that train, resume, count n-grams or mix are killed (SIGKILL, SIGTERM) at random
moments; every file must then be whole, and every run end as one that nobody disturbed, to the bit.
--full: training onto a disk that is full after n bytes, for so many n over a whole run; FOLDER is a
small file system of its own, such as: mount -t tmpfs -o size=8m none FOLDER.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from common import about, write_json
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "attack"))

import driver
import kills as killing


def main(
    count: Annotated[int, typer.Option(help="Cases.")] = 2000,
    first: Annotated[int, typer.Option(help="The first one.")] = 0,
    shown: Annotated[int, typer.Option(help="Failures shown in full.")] = 3,
    kills: Annotated[int, typer.Option(help="Processes to kill.")] = 0,
    full: Annotated[int, typer.Option(help="Places at which the disk fills.")] = 0,
    disk: Annotated[Path | None, typer.Option(help="A small disk, empty.")] = None,
    size: Annotated[int, typer.Option(help="Its size, bytes.")] = 8 << 20,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """Damaged files, killed processes, full disks."""
    console = Console()
    bad = disturbed(console, kills) if kills else False
    if full:
        if disk is None:
            raise typer.BadParameter("--full needs a --disk")
        bad |= filled(console, full, disk, size)
    if not count:
        raise typer.Exit(bad)
    with tempfile.TemporaryDirectory() as directory, Progress(console=Console(stderr=True)) as bar:
        folder = Path(directory)
        driver.make(folder)
        task = bar.add_task("attacking", total=count)
        found = driver.attack(
            folder, count, first=first, progress=lambda done: bar.update(task, completed=done)
        )
    table = Table(box=None)
    for heading in ("file", "tried", "used", "refused", "failed", "MB at most", "s at most"):
        table.add_column(heading, justify="left" if heading == "file" else "right")
    failed = [text for tally in found.values() for text in tally.failed]
    for name, tally in sorted(found.items()):
        refused = tally.tried - tally.used - len(tally.failed)
        counts = (tally.tried, tally.used, refused, len(tally.failed))
        worst = (f"{tally.memory / 1e6:,.0f}", f"{tally.seconds:.1f}")
        table.add_row(name, *(f"{n:,}" for n in counts), *worst)
    console.print(table)
    for reason, times in driver.reasons(failed).most_common():
        console.print(f"{times:,} × {reason}", markup=False)
    for text in failed[:shown]:
        console.print(text, markup=False)
    tallies = {name: vars(tally) for name, tally in found.items()}
    write_json(json_file, {"machine": about(), "count": count, "results": tallies})
    raise typer.Exit(bad or bool(failed))


def disturbed(console: Console, count: int) -> bool:
    """Kill processes, and show what came of it; whether anything was wrong."""
    with tempfile.TemporaryDirectory() as directory, Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("killing", total=count)
        killing.prepare(Path(directory))
        found = killing.disturb(
            Path(directory), count, 1, lambda done: bar.update(task, completed=done)
        )
    table = Table("", box=None)
    for heading in ("kills", "all files whole", "runs", "ended alike"):
        table.add_column(heading, justify="right")
    for verb, one in found.items():
        table.add_row(verb, *map(str, (one.kills, one.intact, one.runs, one.identical)))
    console.print(table)
    wrong = [text for one in found.values() for text in one.wrong]
    for text in wrong:
        console.print(text, markup=False)
    return bool(wrong)


def filled(console: Console, count: int, disk: Path, size: int) -> bool:
    """Train onto a disk that fills; whether anything was lost."""
    with tempfile.TemporaryDirectory() as directory:
        killing.prepare(Path(directory))
        places = [size * k // count for k in range(1, count + 1)]
        wrong = killing.fill(Path(directory), disk, places, size)
    console.print(f"{count} places at which the disk was full, {len(wrong)} losses")
    for text in wrong:
        console.print(text, markup=False)
    return bool(wrong)


if __name__ == "__main__":
    typer.run(main)
