"""The text that a model was trained on, as far as it can still be found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from ..errors import CharlmError
from ..lm import Ids
from ..text.corpus import prepared
from ..text.source import Reading, open_text, temporary_spool
from ..text.tokenizer import Tokenizer, encode_chunks
from .run_directory import RunDirectory
from .run_text import recorded_reading


def find(model: Path, tokenizer: Tokenizer, training: Mapping[str, Any]) -> Ids:
    """The tokens (N,) of the text that the model file `model` was trained on.

    training: what the file says of its training. The text is in the cache beside the run, or where
    the run's config.toml says; what was held out from training belongs to it. Raises CharlmError
    where it is in neither, or has changed, and for a mixture unless all its texts are found.
    """
    streams: list[Ids] = []
    for part in training.get("parts", [training]):
        cached = list(prepared(RunDirectory(model.parent).cache, tokenizer, part))
        streams += [ids for one in cached for ids in (one.train, one.valid)]
        if not cached:
            streams.append(_recorded(model, tokenizer))
    return np.concatenate(streams)


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
        return np.concatenate(list(encode_chunks(tokenizer, source.chunks())))


def _recorded(model: Path, tokenizer: Tokenizer) -> Ids:
    """The tokens of the text that the model's run says it was trained on."""
    directory = RunDirectory(model.parent)
    try:
        record = directory.read_config()
        where, how = record["corpus"], recorded_reading(record)
        trained = read(where["paths"], tokenizer, where["sha256"], **how)
        held_out = [read(where["valid"], tokenizer, **how)] if where["valid"] else []
        return np.concatenate([trained, *held_out])
    except (CharlmError, KeyError) as error:
        known = directory.config.exists() and isinstance(error, CharlmError)
        reason = f" ({error})" if known else ""
        raise CharlmError(
            f"{model} does not lead to the text it was trained on{reason}: "
            "name it with `training_text`"
        ) from None
