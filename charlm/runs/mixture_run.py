"""Models on disk to a mixture on disk: what `charlm mix` does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import CharlmError
from ..lm import Ids
from ..measures import Measures
from ..models import model_file
from ..models.mixture import MixtureLM, mix
from ..models.model_file import ModelFile, build_lm
from ..models.ngram import NgramLM
from ..models.unigram_cache import UnigramCacheLM, fit_cache
from ..system.version import __version__
from ..tasks.evaluate import slices
from ..tasks.score import measure
from ..text.source import open_text, temporary_spool, utf8
from ..text.tokenizer import Tokenizer, encode_chunks
from . import run_directory
from .events import Events
from .run_directory import RunDirectory


@dataclass(frozen=True)
class MixtureRun:
    """What a mixture came to."""

    run: Path
    model: Path
    names: tuple[str, ...]  # of the parts
    nats_per_token: tuple[float, ...]  # of each part alone on the held-out text
    lm: MixtureLM
    cache: float  # the share of a cache of recent tokens; 0 = there is none
    best: Measures  # of the mixture on the text that its weights were fitted on
    seconds: float


def mix_models(
    models: Sequence[str | Path],
    dev: str | Path,
    *,
    out: str | Path | None = None,
    cache: bool = False,
    encoding: str = "utf-8",
    errors: str = "strict",
    events: Events | None = None,
) -> MixtureRun:
    """Mix models of one vocabulary, fitting the weights to the text `dev`; saved with its parts.

    cache: make what was said of late more probable, too (see `unigram_cache`). models: model files,
    run directories or ARPA files. Raises CharlmError for fewer than two, for different
    vocabularies, and where a file is missing or damaged.
    """
    events = events or Events()
    began = time.monotonic()
    if len(models) < 2:
        raise CharlmError("a mixture takes two models or more")
    names = tuple(str(model) for model in models)
    first, *others = (model_file.read(model_file.resolve(model)) for model in models)
    pairs = zip(others, names[1:], strict=True)
    parts = [first, *(_matched(first, names[0], other, name) for other, name in pairs)]
    directory = run_directory.create(str(out) if out is not None else None, "mixture")
    with directory.removed_if_empty():
        events.stage("estimate", 0.0)
        done = _mixed(directory, parts, names, dev, encoding, errors, cache=cache)
    events.stage("estimate", 1.0)
    model_file.mark_latest(directory.path)
    return replace(done, seconds=time.monotonic() - began)


def _mixed(
    directory: RunDirectory,
    parts: Sequence[ModelFile],
    names: Sequence[str],
    dev: str | Path,
    encoding: str,
    errors: str,
    *,
    cache: bool,
) -> MixtureRun:
    """Fit the weights and write the model."""
    held_out, whole = _held_out(dev, parts[0].tokenizer, encoding, errors)
    found = mix([build_lm(part) for part in parts], held_out, parts[0].tokenizer.eos)
    eos, unk = parts[0].tokenizer.eos, parts[0].tokenizer.unk
    nats, share = found.mixed, 0.0
    if cache:
        share, nats = fit_cache(nats, held_out)
    best = whole + measure("", held_out, nats, unk)
    training = {
        "parts": [{"name": n, **p.training} for n, p in zip(names, parts, strict=True)],
        "dev": Path(dev).name,
        "best": best.as_dict(),
        "version": __version__,
    }
    contents = model_file.mixture(found.lm, parts, training)
    if share:
        contents = model_file.with_cache(contents, UnigramCacheLM(found.lm, eos, share))
    model_file.write(directory.model, contents)
    means = tuple((-found.parts.mean(axis=1)).tolist())
    return MixtureRun(
        directory.path, directory.model, tuple(names), means, found.lm, share, best, 0.0
    )


def _matched(first: ModelFile, first_name: str, other: ModelFile, name: str) -> ModelFile:
    """`other` with the token numbers of `first`; n-gram models of the same words can be renumbered.

    Raises CharlmError where the two have different tokens.
    """
    own, theirs = first.tokenizer, other.tokenizer
    if theirs.as_dict() == own.as_dict():
        return other
    places = {own.token(k): k for k in range(own.vocab_size)}
    wanted = [places.get(theirs.token(k), -1) for k in range(theirs.vocab_size)]
    lm = build_lm(other)
    same = own.level == theirs.level == "word" and sorted(wanted) == list(range(own.vocab_size))
    if not same or not isinstance(lm, NgramLM):
        raise CharlmError(
            f"{first_name} and {name} have different vocabularies and cannot be mixed: "
            "make both from the same text with the same token settings"
        )
    lm = lm.renumbered(np.array([*wanted, own.vocab_size]))
    return ModelFile("ngram", lm.config(), own, lm.tensors(), other.training)


def _held_out(
    dev: str | Path, tokenizer: Tokenizer, encoding: str, errors: str
) -> tuple[Ids, Measures]:
    """The ids of a text, and its size as measures of nothing yet."""
    with temporary_spool() as spool:
        source = open_text([str(dev)], encoding, errors, spool)
        texts = list(slices(source.for_level(tokenizer.level).chunks()))
    if not any(text.strip() for text in texts):
        raise CharlmError(
            f"{dev} holds nothing but white space: there is nothing to fit weights on"
        )
    ids = list(encode_chunks(tokenizer, texts))
    chars, size = sum(map(len, texts)), sum(len(utf8(text)) for text in texts)
    return np.concatenate(ids or [np.zeros(0, np.uint8)]), Measures(0.0, 0, chars, size)
