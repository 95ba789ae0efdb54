"""Small texts: charlm's defaults, the network in them and the n-gram model, by size and minutes.

    python benchmarks/small_texts.py TEXT... [--sizes 10000,50000,200000] [--minutes 0.5,2]
        [--seeds 3] [--begin 0.0] [--more "--level word"] [--json FILE] [--before FILE]

Of each TEXT the first bytes, as many as `--sizes` says and in whole lines, are trained on, and the
text that follows is the test (as much again, but 20,000 to 100,000 bytes): no training, no choice
of a checkpoint and no weight of a mixture has seen it. `--begin 0.5` takes both from the second
half of TEXT: defaults are to be decided on one half, and reported on the other.

Every number is bits per character of the test, the mean over the seeds. A default that the n-gram
model beats with any seed, by more than a thousandth, is marked with a star. `--before` names the
JSON of an earlier run, whose defaults are shown beside these.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from common import bits_per_char, charlm, head_and_next, write_json
from rich.console import Console

from charlm.models import model_file, model_parts
from charlm.system import machine

TEST_BYTES = (20_000, 100_000)
LOST = 1.001  # times the n-gram model's bits, from which a default has lost to it

Row = dict[str, Any]


def one_training(train: Path, test: Path, out: Path, words: list[str]) -> Row:
    """Bits per character of the test by a model and by its parts, and how long it was trained."""
    done = charlm("train", str(train), "--out", str(out), *words)
    contents = model_parts.without_cache(model_file.read(Path(done["model"])))
    found = {"default": bits_per_char(out, test)}
    for k, name in enumerate(("network", "ngram")):
        alone = out / f"{name}.safetensors"
        model_file.write(alone, model_parts.part(contents, k))
        found[name] = bits_per_char(alone, test)
    return {**found, "steps": done["steps"], "seconds": done["seconds"]}


def measured(text: Path, size: int, minutes: str, seeds: int, begin: float, more: list[str]) -> Row:
    """All seeds of one text, size and duration."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        train, test = folder / "train.txt", folder / "test.txt"
        head_and_next(text, size, TEST_BYTES, train, test, begin)
        words = ["--minutes", minutes, *more]
        runs = [
            one_training(train, test, folder / f"run{seed}", [*words, "--seed", str(seed)])
            for seed in range(1, seeds + 1)
        ]
    return {"text": text.name, "size": size, "minutes": float(minutes), "runs": runs}


def cells(row: Row, before: Row | None) -> list[str]:
    """A row of the table."""
    mean = {name: statistics.fmean(run[name] for run in row["runs"]) for name in row["runs"][0]}
    found = [run["default"] for run in row["runs"]]
    star = " *" if max(found) > LOST * mean["ngram"] else ""
    spread = f"{min(found):.3f} to {max(found):.3f}" if len(found) > 1 else ""
    was = statistics.fmean(run["default"] for run in before["runs"]) if before else None
    return [
        row["text"],
        f"{row['size'] / 1000:,.0f} kB",
        f"{row['minutes']:g}",
        f"{mean['ngram']:.3f}",
        f"{mean['network']:.3f}",
        *([f"{was:.3f}"] if was is not None else []),
        f"{mean['default']:.3f}{star}",
        spread,
        f"{mean['default'] / mean['ngram']:.2f}",
        *([f"{mean['default'] / was:.2f}"] if was is not None else []),
        f"{mean['seconds']:.0f}",
    ]


def main(
    texts: Annotated[list[Path], typer.Argument(help="Text files.")],
    sizes: Annotated[str, typer.Option(help="Bytes to train on.")] = "10000,50000,200000",
    minutes: Annotated[str, typer.Option(help="Minutes of training.")] = "0.5,2",
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    begin: Annotated[float, typer.Option(min=0, max=0.95, help="Where in a text.")] = 0.0,
    more: Annotated[str, typer.Option(help="Further options of charlm train.")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
    before: Annotated[Path | None, typer.Option(help="JSON of an earlier run.")] = None,
) -> None:
    """Train on parts of texts and print a table, a row as soon as it is known."""
    console = Console(width=160)
    console.print(f"{machine.processor()}, {machine.cores()} cores")
    earlier = {} if before is None else json.loads(before.read_text())
    was = {(r["text"], r["size"], r["minutes"]): r for r in earlier.get("rows", [])}
    headings = ["text", "size", "minutes", "n-gram", "network", "default", "of the seeds"]
    headings += ["of n-gram", "seconds"]
    if was:
        headings.insert(5, "before")
        headings.insert(-1, "of before")
    console.print(" | ".join(headings))
    rows: list[Row] = []
    for text in texts:
        for size in map(int, sizes.split(",")):
            for budget in minutes.split(","):
                rows.append(measured(text, size, budget, seeds, begin, more.split()))
                old = was.get((text.name, size, float(budget)))
                console.print(" | ".join(cells(rows[-1], old)))
                write_json(json_file, {"begin": begin, "more": more, "rows": rows})


if __name__ == "__main__":
    typer.run(main)
