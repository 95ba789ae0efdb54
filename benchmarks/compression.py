"""Files compressed with a model, beside the usual compressors, all in the same run.

    python benchmarks/compression.py FILE --model RUN [--options="--adapt --blocks 1"] …

Every compressor gets the file and gives it back, which is checked. charlm is run as a command, so
that its time includes starting and reading the model; the others are called from Python. The size
counts everything in the file, but not the model, unless `--with-model` puts it there. zstd and
brotli are measured where their packages are installed (pip install zstandard brotli).
"""

from __future__ import annotations

import argparse
import bz2
import lzma
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from common import about
from rich.console import Console
from rich.table import Table

DEFAULT = ("", "--blocks 1", "--blocks 512", "--adapt", "--blocks 1 --adapt")
BASELINE = "xz -9e"

Codec = tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]


def others() -> Iterator[tuple[str, Codec]]:
    """The usual compressors, at their strongest."""
    yield "gzip -9", (partial(zlib.compress, level=9, wbits=31), partial(zlib.decompress, wbits=31))
    yield "bzip2 -9", (bz2.compress, bz2.decompress)
    yield BASELINE, (partial(lzma.compress, preset=9 | lzma.PRESET_EXTREME), lzma.decompress)
    if find_spec("zstandard"):
        zstd = import_module("zstandard")
        to, back = zstd.ZstdCompressor(level=22), zstd.ZstdDecompressor()
        yield "zstd -22", (to.compress, back.decompress)
    if find_spec("brotli"):
        brotli = import_module("brotli")
        yield "brotli -11", (partial(brotli.compress, quality=11), brotli.decompress)


def timed(work: Callable[[bytes], bytes], data: bytes) -> tuple[bytes, float]:
    began = time.perf_counter()
    return work(data), time.perf_counter() - began


def charlm(file: Path, model: str, options: str) -> tuple[int, float, float]:
    """Bytes, seconds to compress and seconds to read back."""
    with tempfile.TemporaryDirectory() as folder:
        packed, back = Path(folder, "packed"), Path(folder, "back")
        start = [sys.executable, "-m", "charlm"]
        to = [*start, "compress", str(file), "--model", model, "--out", str(packed)]
        again = [*start, "decompress", str(packed), "--model", model, "--out", str(back)]
        seconds = []
        for command in ([*to, *options.split()], again):
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - began)
        if back.read_bytes() != file.read_bytes():
            raise SystemExit(f"charlm {options}: another file came back")
        return packed.stat().st_size, seconds[0], seconds[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--options", action="append", help="of `charlm compress`; repeatable")
    given = parser.parse_args()
    data = given.file.read_bytes()
    rows = []
    for name, (to, back) in others():
        packed, seconds = timed(to, data)
        again, back_seconds = timed(back, packed)
        if again != data:
            raise SystemExit(f"{name}: another file came back")
        rows.append((name, len(packed), seconds, back_seconds))
    for options in given.options or DEFAULT:
        rows.append((f"charlm {options}".strip(), *charlm(given.file, given.model, options)))
    baseline = next(size for name, size, *_ in rows if name == BASELINE)
    table = Table(title=f"{given.file.name}, {len(data):,} bytes")
    for column in ("", "bytes", "bits/byte", f"of {BASELINE}", "kB/s", "back, kB/s"):
        table.add_column(column, justify="left" if not column else "right")
    for name, size, seconds, back_seconds in rows:
        speeds = [f"{len(data) / took / 1000:,.1f}" for took in (seconds, back_seconds)]
        table.add_row(
            name, f"{size:,}", f"{8 * size / len(data):.3f}", f"{size / baseline:.3f}", *speeds
        )
    Console(width=100).print(table)
    print(about())


if __name__ == "__main__":
    main()
