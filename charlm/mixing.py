"""Models on disk to a mixture on disk: what `charlm mix` does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from . import modelfile, run
from .errors import CharlmError
from .evaluate import slices
from .lm import Ids
from .measures import Measures
from .mixture import MixtureLM, mix
from .modelfile import build_lm
from .score import measure
from .text import open_text, utf8
from .tokenizer import Tokenizer, encode_chunks
from .version import __version__


@dataclass(frozen=True)
class Mixed:
    """What a mixture came to."""

    run: Path
    model: Path
    names: tuple[str, ...]  # of the parts
    nats_per_token: tuple[float, ...]  # of each part alone on the held-out text
    lm: MixtureLM
    best: Measures  # of the mixture on the text that its weights were fitted on
    seconds: float


def mix_models(
    models: Sequence[str | Path],
    dev: str | Path,
    *,
    out: str | Path | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
) -> Mixed:
    """Mix models of one vocabulary, fitting the weights to the text `dev`; saved with its parts.

    models: model files, run directories or ARPA files. Raises CharlmError for fewer than two,
    for different vocabularies, and where a file is missing or damaged.
    """
    began = time.monotonic()
    if len(models) < 2:
        raise CharlmError("a mixture takes two models or more")
    parts = [modelfile.read(modelfile.resolve(model)) for model in models]
    names = tuple(str(model) for model in models)
    for part, name in zip(parts, names, strict=True):
        if part.tokenizer.as_dict() != parts[0].tokenizer.as_dict():
            raise CharlmError(
                f"{names[0]} and {name} have different vocabularies and cannot be mixed: "
                "make both from the same text with the same token settings"
            )
    held_out, whole = _held_out(dev, parts[0].tokenizer, encoding, errors)
    found = mix([build_lm(part) for part in parts], held_out, parts[0].tokenizer.eos)
    best = whole + measure("", held_out, found.mixed, parts[0].tokenizer.unk)
    directory = run.create(str(out) if out is not None else None, "mixture")
    training = {
        "parts": [{"name": n, **p.training} for n, p in zip(names, parts, strict=True)],
        "dev": Path(dev).name,
        "best": best.as_dict(),
        "version": __version__,
    }
    modelfile.write(directory.model, modelfile.mixture(found.lm, parts, training))
    modelfile.mark_latest(directory.path)
    means = tuple((-found.parts.mean(axis=1)).tolist())
    seconds = time.monotonic() - began
    return Mixed(directory.path, directory.model, names, means, found.lm, best, seconds)


def _held_out(
    dev: str | Path, tokenizer: Tokenizer, encoding: str, errors: str
) -> tuple[Ids, Measures]:
    """The ids of a text, and its size as measures of nothing yet."""
    with TemporaryDirectory(prefix="charlm-") as spool:
        source = open_text([str(dev)], encoding, errors, Path(spool))
        texts = list(slices(source.for_level(tokenizer.level).chunks()))
    ids = list(encode_chunks(tokenizer, texts))
    chars, size = sum(map(len, texts)), sum(len(utf8(text)) for text in texts)
    return np.concatenate(ids or [np.zeros(0, np.uint8)]), Measures(0.0, 0, chars, size)
