"""How fast a text is prepared from the formats it may be in, and whether its ids are the same.

    python benchmarks/formats.py TEXT [--size-mb 20] [--level char] [--rounds 3] [--json FILE]

TEXT is repeated to so many million bytes and written in every format that `charlm train` reads:
plain, compressed, JSON lines and tables with a line in each record, and as a directory of ten
files. All of `charlm.text.corpus.prepare` is timed, the best of the rounds; MB are those of the
plain text. "same" compares every id with those of the plain file. Needs `charlm[formats]`.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow
import typer
from common import write_json
from ingest import repeat
from pyarrow import parquet
from rich.console import Console
from rich.table import Table

from charlm.config import TokenizerConfig
from charlm.system import machine
from charlm.text.corpus import Corpus, prepare
from charlm.text.source import Reading, open_text

FILES = 10  # of the directory
Packed = tuple[str, Path, Reading]  # name, place, how it is read


def pack(plain: Path, folder: Path) -> list[Packed]:
    """The same text in every format, written to `folder`."""
    data = plain.read_bytes()
    lines = data.decode("utf-8").removesuffix("\n").split("\n")
    made: list[Packed] = [("plain", plain, {})]
    packers: dict[str, Callable[[bytes], bytes]] = {
        "gz": gzip.compress,
        "bz2": bz2.compress,
        "xz": lambda d: lzma.compress(d, preset=1),
    }
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    packers["zst"] = zstd.compress
    for name, compress in packers.items():
        made.append((name, folder / f"text.txt.{name}", {}))
        made[-1][1].write_bytes(compress(data))
    records = folder / "text.jsonl"
    records.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines), "utf-8")
    made.append(("JSON lines", records, {"field": "text"}))
    for suffix, delimiter in (("csv", ","), ("tsv", "\t")):
        place = folder / f"text.{suffix}"
        with place.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows([["text"], *([line] for line in lines)])
        made.append((suffix, place, {"column": "text"}))
    parquet.write_table(pyarrow.table({"text": lines}), folder / "text.parquet")
    made.append(("Parquet", folder / "text.parquet", {"column": "text"}))
    parts = folder / "parts"
    parts.mkdir()
    for k in range(FILES):
        part = lines[k * len(lines) // FILES : (k + 1) * len(lines) // FILES]
        (parts / f"{k}.txt").write_text("\n".join(part) + "\n", "utf-8")
    made.append((f"{FILES} files", parts, {}))
    return made


def timed(packed: Packed, level: str, rounds: int) -> tuple[float, Corpus]:
    """Fewest seconds of `prepare`, and what it made."""
    best = float("inf")
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            began = time.perf_counter()
            source = open_text([str(packed[1])], **packed[2])
            corpus = prepare(source, None, TokenizerConfig(level), Path(cache))
            best = min(best, time.perf_counter() - began)
    return best, corpus


def same(one: Corpus, other: Corpus) -> bool:
    """Whether two corpora have the same tokens and ids."""
    return one.tokenizer.as_dict() == other.tokenizer.as_dict() and all(
        np.array_equal(a, b) for a, b in ((one.train, other.train), (one.valid, other.valid))
    )


def main(
    text: Annotated[Path, typer.Argument(help="A text.")],
    size_mb: Annotated[int, typer.Option(help="Million bytes to repeat it to.")] = 20,
    level: Annotated[str, typer.Option(help="char, word, byte or subword.")] = "char",
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """Prepare a text from every format."""
    console = Console()
    console.print(f"{machine.processor()}, {machine.cores()} cores")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        plain = repeat(text, size_mb, Path(place) / "text.txt")
        megabytes = plain.stat().st_size / 1e6
        for packed in pack(plain, Path(place)):
            seconds, corpus = timed(packed, level, rounds)
            if packed[0] == "plain":
                base, plain_seconds = corpus, seconds
            rows.append(
                {
                    "format": packed[0],
                    "mb_per_s": megabytes / seconds,
                    "of_plain": plain_seconds / seconds,
                    "same": same(base, corpus),
                }
            )
    table = Table(title=f"{level}, {megabytes:,.0f} MB of text", title_justify="left", box=None)
    for heading in ("format", "MB/s of text", "of plain", "same ids"):
        table.add_column(heading, justify="right" if table.columns else "left")
    for row in rows:
        table.add_row(
            row["format"],
            f"{row['mb_per_s']:.1f}",
            f"{row['of_plain']:.2f}",
            "yes" if row["same"] else "NO",
        )
    console.print(table)
    write_json(json_file, {"level": level, "rows": rows})


if __name__ == "__main__":
    typer.run(main)
