"""Open the models and texts that a command names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, Unpack

from ..errors import CharlmError
from .show import count
from .talk import detail, note, warn

if TYPE_CHECKING:
    from ..model.model import Model
    from ..text.source import Reading, TextSource

T = TypeVar("T")

MAX_OOV_FRACTION = 0.2  # of a text's tokens, above which there is a warning


def open_model(model: str | None, device: str | None = None) -> Model:
    """The model that --model, $CHARLM_MODEL or runs/latest names, on --device if given."""
    from ..model.model import Model

    loaded = Model.load(model, device=device)
    detail(f"model: {loaded.info['path']}")
    return loaded


@contextmanager
def open_text_file(path: str, level: str, **how: Unpack[Reading]) -> Iterator[TextSource]:
    """The text of a file, a directory or stdin ("-"), as a tokenizer of `level` reads it."""
    from ..text.remarks import left_out, read_as_it_stands
    from ..text.source import open_text, temporary_spool

    with temporary_spool() as spool:
        source = open_text([path], spool=spool, **how).for_level(level)
        if remark := read_as_it_stands(source):
            note(remark)
        if source.left_out:
            note(left_out(source))
        yield source


@contextmanager
def open_lines(
    path: str, level: str = "char", **how: Unpack[Reading]
) -> Iterator[tuple[str, Iterator[str]]]:
    """The name of a file (or stdin, for "-") for messages, and its lines."""
    from ..text.source import lines_of

    with open_text_file(path, level, **how) as source:
        yield ("stdin" if path == "-" else path), lines_of(source)


def only_once(*files: str | None) -> None:
    """Raise CharlmError if standard input would be read twice."""
    if files.count("-") > 1:
        raise CharlmError("standard input can be read only once: give - only once")


def drop_empty(lines: Iterable[T], name: str, what: str, text: Callable[[T], str] = str) -> list[T]:
    """The non-empty lines, with a note on the others; text: what a line says.

    Raises CharlmError if all are empty: nothing to `what`.
    """
    given = list(lines)
    kept = [line for line in given if text(line).strip()]
    if not kept:
        raise CharlmError(f"{name} has only empty lines: there is nothing to {what}")
    if len(kept) < len(given):
        note(f"{count(len(given) - len(kept), 'empty line')} skipped")
    return kept


def count_unknown(model: Model, texts: Iterable[str]) -> tuple[int, int]:
    """The number of tokens in texts that the model does not know, and of all."""
    ids = [model.tokenizer.encode(text) for text in texts]
    unk = model.tokenizer.unk
    return sum(int((seq == unk).sum()) for seq in ids if unk is not None), sum(map(len, ids))


def note_unknown(unknown: int, tokens: int, oov: str = "closed", name: str = "") -> None:
    """Print a note on how tokens that a model does not know are treated, if there are any."""
    how = {
        "closed": "counted as <UNK>, which makes texts with many of them look too probable",
        "spelled": "counted as <UNK> and letter by letter",
        "exclude": "left out",
    }
    if unknown:
        whom = f" to {name}" if name else ""
        verb = "is" if unknown == 1 else "are"
        note(f"{unknown:,} of {tokens:,} tokens {verb} unknown{whom} (OOV): {how[oov]}")


def warn_of_unknown(oov: int, tokens: int) -> None:
    """Warn if much of a text is unknown to the model, which makes perplexity look too good."""
    if tokens and oov / tokens > MAX_OOV_FRACTION:
        warn(
            f"the model does not know {oov / tokens:.0%} of the tokens; all of them count as <UNK>"
        )
