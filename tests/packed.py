"""Texts packed as people pack them: compressed, in JSON lines, tables and Parquet."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest


def zst(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        zstd = pytest.importorskip("backports.zstd")
    packed: bytes = zstd.compress(data)
    return packed


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda data: gzip.compress(data, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zst,
}


def json_lines(texts: Sequence[str | None], field: str = "text") -> bytes:
    rows = [{"id": k, field: text} for k, text in enumerate(texts)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def table(texts: Sequence[str], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["id", "text"])
    writer.writerows([k, text] for k, text in enumerate(texts))
    return out.getvalue().encode("utf-8", "surrogatepass")


def write_parquet(path: Path, texts: Sequence[str | None], **how: object) -> Path:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    ids = list(range(len(texts)))
    columns = {"id": ids, "text": arrow.array(texts, arrow.string())}
    parquet.write_table(arrow.table(columns), path, **how)
    return path
