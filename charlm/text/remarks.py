"""Remarks on how the files of a text were read."""

from __future__ import annotations

from .records import CSV, JSON, TSV, format_of
from .source import TextSource
from .tokenizer import Tokenizer
from .word_tokenizer import WordTokenizer


def reads_unk(name: str, tokenizer: Tokenizer) -> str:
    """The remark on a text that has a word of its own for unknown ones; "" if it has none."""
    token = tokenizer.unk_token if isinstance(tokenizer, WordTokenizer) else ""
    if not token:
        return ""
    return f"{name} has {token} for unknown words: read as <UNK> (`unk_token=none`: as it stands)"


def left_out(source: TextSource) -> str:
    """The remark on files that were left out."""
    names = [path.name for path in source.left_out]
    files = (
        "1 file that is not text was"
        if len(names) == 1
        else f"{len(names):,} files that are not text were"
    )
    listed = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f"{source.name}: {files} left out ({listed})"


def read_as_it_stands(source: TextSource) -> str:
    """The remark on files of records that are read whole, as text; "" if there are none."""
    for path in source.paths:
        kind = format_of(path.name)
        if kind == JSON and source.field is None:
            return f"{path.name} is read as it stands, braces and all; `field` takes a field of it"
        if kind in (CSV, TSV) and source.column is None:
            return f"{path.name} is read as it stands, with all its columns; `column` takes one"
    return ""
