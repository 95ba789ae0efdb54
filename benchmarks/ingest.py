"""How fast a text becomes a corpus on disk, and in how much memory.

    python benchmarks/ingest.py TEXT [--size-mb N] [--levels char,byte,word,subword] [--json FILE]

TEXT is repeated up to N million bytes. For every level, all of `charlm.text.corpus.prepare` is
timed (hash, vocabulary, encoding, writing, checking), in a process of its own so that its peak
memory can be measured. For comparison, the same file merely copied, which says what writing
costs on this machine (of characters as many bytes are written, of bytes and words twice as many);
and on the first BASELINE_MB of the same text, a plain Python loop over characters, and
SentencePiece alone, encoding line by line with our subword model.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from charlm.config import LEVELS, TokenizerConfig
from charlm.text.corpus import prepare
from charlm.text.source import CHUNK_BYTES, open_text
from charlm.text.tokenizer import build

BASELINE_MB = 50
BASELINES = ("python loop", "sentencepiece")
COPY = "copy"
COPIED_BYTES = 1 << 20  # at a time


def ingest(path: Path, level: str) -> float:
    """Seconds to prepare the corpus at `level`."""
    with tempfile.TemporaryDirectory(dir=path.parent) as cache:
        began = time.perf_counter()
        prepare(open_text([path]), None, TokenizerConfig(level), Path(cache))
        return time.perf_counter() - began


def copy(path: Path) -> float:
    """Seconds to read the file and to write it again, in blocks, on to the disk."""
    began = time.perf_counter()
    with path.open("rb", buffering=0) as file, path.with_suffix(".copy").open("wb") as out:
        while block := file.read(COPIED_BYTES):
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    seconds = time.perf_counter() - began
    path.with_suffix(".copy").unlink()
    return seconds


def python_loop(path: Path) -> float:
    """Seconds to count and encode the characters one by one, and write the ids."""
    began = time.perf_counter()
    counts: dict[str, int] = {}
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            for char in line:
                counts[char] = counts.get(char, 0) + 1
    ids = {char: i for i, char in enumerate(sorted(counts, key=lambda char: -counts[char]))}
    with (
        path.open(encoding="utf-8", newline="\n") as file,
        path.with_suffix(".ids").open("wb") as out,
    ):
        for line in file:
            out.write(array("H", [ids[char] for char in line]).tobytes())
    return time.perf_counter() - began


def sentencepiece(path: Path) -> float:
    """Seconds for SentencePiece to encode the lines and write the ids, without training."""
    from sentencepiece import SentencePieceProcessor

    from charlm.text.subword_tokenizer import SubwordTokenizer

    tokenizer = build(TokenizerConfig("subword"), open_text([path]).chunks())
    assert isinstance(tokenizer, SubwordTokenizer)
    processor = SentencePieceProcessor(model_proto=tokenizer.model)
    began = time.perf_counter()
    with (
        path.open(encoding="utf-8", newline="\n") as file,
        path.with_suffix(".ids").open("wb") as out,
    ):
        while lines := file.readlines(CHUNK_BYTES):
            for ids in processor.encode(lines):
                out.write(array("H", ids).tobytes())
    return time.perf_counter() - began


def measure(what: str, path: Path) -> dict[str, Any]:
    """Run one measurement in this process: {"what", "mb_per_s", "peak_mb"}."""
    run: dict[str, Callable[[Path], float]] = {
        COPY: copy,
        "python loop": python_loop,
        "sentencepiece": sentencepiece,
    }
    seconds = run[what](path) if what in run else ingest(path, what)
    return {"what": what, "mb_per_s": path.stat().st_size / seconds / 1e6, "peak_mb": peak_mb()}


def peak_mb() -> float:
    """Peak memory of this process, in millions of bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def repeat(path: Path, megabytes: int, to: Path) -> Path:
    """Write the text `path` into `to` repeatedly, in whole lines, up to `megabytes`."""
    text = path.read_bytes().rstrip(b"\n") + b"\n"
    room = megabytes * 1_000_000
    with to.open("wb") as file:
        while room >= len(text):
            room -= file.write(text)
        file.write(text[: text.rfind(b"\n", 0, room) + 1])
    return to


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("path", type=Path)
    parser.add_argument("--size-mb", type=int, default=1000)
    parser.add_argument("--levels", default=",".join(LEVELS))
    parser.add_argument("--json", type=Path, help="write the measurements here as well")
    parser.add_argument("--only", help=argparse.SUPPRESS)  # what a child process is to measure
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(options.only, options.path)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        whole = repeat(options.path, options.size_mb, Path(directory) / "whole.txt")
        part = repeat(options.path, min(BASELINE_MB, options.size_mb), Path(directory) / "part.txt")
        for what in (*BASELINES, COPY, *options.levels.split(",")):
            text = part if what in BASELINES else whole
            command = [sys.executable, __file__, str(text), "--only", what]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
            rows.append(json.loads(done.stdout))
    show(rows, options.size_mb)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


def show(rows: list[dict[str, Any]], megabytes: int) -> None:
    loop, piece = (row["mb_per_s"] for row in rows[:2])
    table = Table(title=f"text → corpus on disk, {megabytes:,} MB (baselines {BASELINE_MB} MB)")
    for heading in ("", "MB/s", "peak MB", "× python loop", "× sentencepiece"):
        table.add_column(heading, justify="right" if heading else "left")
    for row in rows:
        speed = row["mb_per_s"]
        numbers = (speed, row["peak_mb"], speed / loop, speed / piece)
        table.add_row(row["what"], *(f"{n:,.1f}" for n in numbers))
    Console().print(table)


if __name__ == "__main__":
    main()
