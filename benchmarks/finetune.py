"""A small new text: starting from a model of another text, against starting from nothing.

    python benchmarks/finetune.py OLD NEW [--size 50000] [--minutes 0.5,1] [--seeds 3] [--json FILE]

One network is trained on OLD (`--old-minutes`). Then, for each number of minutes and seed, a model
is trained on the first `--size` bytes of NEW, once from nothing with charlm's defaults and once
with `--init-from`, and both are scored on the text that follows, which no training has seen (as
much again, at least 20,000 bytes). With `--plain` these are the networks alone; otherwise n-grams
of NEW are mixed in, as `charlm train` does. Beside them stands the n-gram model of the same text.
The last line is what the fine-tuned network has lost on OLD, on its held-out tenth.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from common import bits_per_char, charlm, head_and_next, write_json
from rich.console import Console
from rich.table import Table

from charlm.system import machine

TEST_BYTES = (20_000, 1_000_000)


def main(
    old: Annotated[Path, typer.Argument(help="A text to start from.")],
    new: Annotated[Path, typer.Argument(help="Another; its beginning is trained on.")],
    size: Annotated[int, typer.Option(help="Bytes of it.")] = 50_000,
    old_minutes: Annotated[float, typer.Option(help="Of training on the first.")] = 3.0,
    minutes: Annotated[str, typer.Option(help="Of training on the second; several.")] = "0.5,1",
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    lr: Annotated[float | None, typer.Option(help="Of fine-tuning.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Networks alone.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """Train on both and compare."""
    console = Console()
    console.print(f"{machine.processor()}, {machine.cores()} cores")
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        train, test = folder / "new.txt", folder / "test.txt"
        head_and_next(new, size, TEST_BYTES, train, test)
        base = folder / "base"
        words = ["--plain", "--minutes", str(old_minutes), "--out", str(base)]
        charlm("train", str(old), *words)
        charlm("ngram", str(train), "--out", str(folder / "ngram"))
        counted = bits_per_char(folder / "ngram", test)
        for budget in minutes.split(","):
            fresh, tuned, kept = [], [], []
            for seed in range(1, seeds + 1):
                out = folder / f"{budget}-{seed}"
                words = ["train", str(train), "--minutes", budget, "--seed", str(seed)]
                words += [*["--plain"] * plain, "--out"]
                charlm(*words, f"{out}-fresh")
                fresh.append(bits_per_char(Path(f"{out}-fresh"), test))
                more = [] if lr is None else ["--lr", str(lr)]
                start = ["--init-from", str(base), "--keep", str(old), *more]
                done = charlm(*words, f"{out}-tuned", *start)
                tuned.append(bits_per_char(Path(f"{out}-tuned"), test))
                kept.append(done["kept_bits_per_char"])
            rows.append(
                {"minutes": budget, "fresh": fresh, "tuned": tuned, "ngram": counted, "kept": kept}
            )
            show(console, rows[-1], len(train.read_bytes()))
    write_json(json_file, {"size": size, "rows": rows})


def show(console: Console, row: dict[str, Any], size: int) -> None:
    """One row as a small table of its own, printed as soon as it is known."""
    table = Table(box=None, title=f"{size:,} bytes, {row['minutes']} minutes", title_justify="left")
    for heading in ("bits/char on unseen text", "mean", "least", "most", "of from nothing"):
        table.add_column(heading, justify="right" if table.columns else "left")
    base = statistics.fmean(row["fresh"])
    for name in ("fresh", "tuned"):
        found = row[name]
        label = {"fresh": "from nothing", "tuned": "--init-from"}[name]
        numbers = [statistics.fmean(found), min(found), max(found)]
        table.add_row(label, *(f"{n:.3f}" for n in numbers), f"{numbers[0] / base:.2f}")
    table.add_row("n-gram model", f"{row['ngram']:.3f}", "", "", f"{row['ngram'] / base:.2f}")
    console.print(table)
    before, after = (statistics.fmean(pair[k] for pair in row["kept"]) for k in (0, -1))
    console.print(f"the old text: {before:.3f} before, {after:.3f} after\n")


if __name__ == "__main__":
    typer.run(main)
