"""The text that a model was trained on, as far as it can still be found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from ..errors import CharlmError
from ..lm import Ids
from ..models import model_file
from ..text.corpus import prepared
from ..text.source import Reading, no_text, open_text, temporary_spool
from ..text.tokenizer import Tokenizer, encode_chunks
from . import locate
from .run_directory import RunDirectory
from .run_text import recorded_reading


def find(model: Path, tokenizer: Tokenizer, training: Mapping[str, Any]) -> Ids:
    """The tokens (N,) of the text that the model file `model` was trained on.

    training: what the file says of its training. The text is in the cache beside the run, or where
    the run's config.toml says; what was held out from training belongs to it, and after fine-tuning
    the text of the model that it began with. Raises CharlmError where a text is in neither place,
    or has changed, and for a mixture unless all its texts are found.
    """
    return np.concatenate(list(streams(model, tokenizer, training)))


def streams(model: Path, tokenizer: Tokenizer, training: Mapping[str, Any]) -> Iterator[Ids]:
    """The same, text by text, each of them once."""
    yield from _streams(model.resolve(), tokenizer, training, set())


def _streams(
    model: Path, tokenizer: Tokenizer, training: Mapping[str, Any], seen: set[str]
) -> Iterator[Ids]:
    """The tokens of all the texts that a model was trained on, but for those `seen`."""
    if "parts" in training:
        for part in training["parts"]:
            yield from _streams(_run_of(part) or model, tokenizer, part, seen)
        return
    text = repr([training.get(key) for key in ("sha256", "train", "valid")])
    if text in seen:
        return
    seen.add(text)
    directory = RunDirectory(model.parent)
    cached = list(prepared(directory.cache, tokenizer, training))
    yield from (ids for one in cached for ids in (one.train, one.valid))
    if not cached:
        yield _recorded(model, tokenizer, training)
    base = directory.read_config().get("base") if directory.config.exists() else None
    if base is not None:  # what it knows from there it may copy as well
        first = model_file.read(locate.resolve(base["model"])).training
        yield from _streams(Path(base["model"]), tokenizer, first, seen)


def _run_of(part: Mapping[str, Any]) -> Path | None:
    """The model file that a part of a mixture was, if it is still there."""
    try:
        return locate.resolve(part["name"]).resolve() if part.get("name") else None
    except CharlmError:
        return None


def read(
    files: Sequence[str | Path], tokenizer: Tokenizer, sha256: str = "", **how: Unpack[Reading]
) -> Ids:
    """The tokens (N,) of text files; how: see `source.open_text`.

    Raises CharlmError if they cannot be read as text, or do not have the digest `sha256`, if given.
    """
    with temporary_spool() as spool:
        source = open_text(files, spool=spool, mixed=True, **how).for_level(tokenizer.level)
        if sha256 and source.sha256() != sha256:
            raise CharlmError(f"{source.name} has changed since")
        parts = list(encode_chunks(tokenizer, source.chunks()))
        if not parts:
            raise no_text(source.name, "no characters")
        return np.concatenate(parts)


def _recorded(model: Path, tokenizer: Tokenizer, training: Mapping[str, Any]) -> Ids:
    """The tokens of the text that the model's run says it was trained on."""
    directory = RunDirectory(model.parent)
    try:
        record = directory.read_config()
        where, how = record["corpus"], recorded_reading(record)
        if training.get("sha256") != where["sha256"]:
            raise CharlmError("the run beside it is of another text")
        trained = read(where["paths"], tokenizer, where["sha256"], **how)
        held_out = [read(where["valid"], tokenizer, **how)] if where["valid"] else []
        return np.concatenate([trained, *held_out])
    except CharlmError as error:
        reason = f" ({error})" if directory.config.exists() else ""
        raise CharlmError(
            f"{model} does not lead to the text it was trained on{reason}: "
            "name it with `training_text`"
        ) from None
