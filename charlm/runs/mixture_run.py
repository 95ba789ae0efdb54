"""Mix models on disk into a new run: what `charlm mix` does."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from ..errors import CharlmError, require
from ..lm import Change, Ids, Nats
from ..measures import Measures
from ..models import model_file, model_parts
from ..models.combined import CombinedLM
from ..models.log_linear import LogLinearLM, mix_log_linear, stride
from ..models.mixture import Fit, MixtureLM, mix
from ..models.model_file import ModelFile
from ..models.ngram import NgramLM
from ..models.unigram_cache import UnigramCacheLM, fit_cache
from ..system.version import __version__
from ..tasks.evaluate import slices
from ..tasks.measure import measure_ids
from ..text.pieces import utf8, whole_words
from ..text.source import Reading, open_text, temporary_spool
from ..text.tokenizer import Tokenizer, encode_chunks
from ..text.word_tokenizer import WordTokenizer
from . import locate
from .events import Events
from .run_directory import created
from .united_vocabulary import united

NO_CACHE = "a cache of recent tokens gains nothing here: it is left out"
FEW_TOKENS = 1000  # to fit powers to
SEEN = 0.75  # of the nats per token of text held out: fewer are too few for text not seen


@dataclass(frozen=True)
class MixtureRun:
    """The result of mixing."""

    run: Path
    model: Path
    names: tuple[str, ...]  # of the parts
    nats_per_token: tuple[float, ...]  # of each part alone on the held-out text
    lm: CombinedLM
    cache: float  # weight of a cache of recent tokens; 0 = no cache
    best: Measures  # of the mixture on the text that its weights were fitted to
    seconds: float


def mix_models(
    models: Sequence[str | Path],
    dev: str | Path,
    *,
    out: str | Path | None = None,
    cache: bool = False,
    log_linear: bool = False,
    limit_vocab: str | Path | None = None,
    events: Events | None = None,
    **how: Unpack[Reading],
) -> MixtureRun:
    """Mix models, fitting the weights to the text `dev`, and save the result.

    Word models of different vocabularies get the words of all: see `united_vocabulary`.

    models: model files, run directories or ARPA files. cache: also make recent words more probable
    (see `unigram_cache`). log_linear: multiply probabilities instead of adding them (see
    `log_linear`). limit_vocab: a file of words; all others are unknown to the mixture. how: see
    `source.open_text`. Raises CharlmError for fewer than two models, for vocabularies that do not
    go together, and if a file is missing or damaged.
    """
    require(not isinstance(models, str | Path), "mix takes a list of models, not one name")
    events = events or Events()
    began = time.monotonic()
    if len(models) < 2:
        raise CharlmError("a mixture takes two models or more")
    names = tuple(str(model) for model in models)
    read = [model_file.read(locate.resolve(model)) for model in models]
    only = None if limit_vocab is None else _listed(limit_vocab, read[0].tokenizer, how)
    parts = _of_one_vocabulary(read, names) if only is None else united(read, names, only)
    first = parts[0]
    with created(str(out) if out is not None else None, "mixture") as directory:
        events.stage("estimate", 0.0)
        held_out, size = _held_out(dev, first.tokenizer, how)
        if log_linear:
            _warn_of_few(len(held_out), first.tokenizer.vocab_size, events)
        found = fit_mixture(
            parts, held_out, (LogLinearLM if log_linear else MixtureLM,), cache=cache
        )
        best = size + measure_ids(held_out, found.nats, first.tokenizer.unk)
        training = {
            "parts": [{"name": n, **p.training} for n, p in zip(names, parts, strict=True)],
            "dev": Path(dev).name,
            "best": best.as_dict(),
            "version": __version__,
        }
        model_file.write(directory.model, found.contents(training))
    if cache and found.cache is None:
        events.warn(NO_CACHE)
    for name, part, nats_N in zip(names, read, found.fit.parts, strict=True):
        _warn_of_training_text(dev, name, part, float(-nats_N.mean()), events)
    events.stage("estimate", 1.0)
    locate.mark_latest(directory.path, events.warn)
    return MixtureRun(
        run=directory.path,
        model=directory.model,
        names=names,
        nats_per_token=tuple((-found.fit.parts.mean(axis=1)).tolist()),
        lm=found.fit.lm,
        cache=found.cache.weight if found.cache else 0.0,
        best=best,
        seconds=time.monotonic() - began,
    )


def _warn_of_training_text(
    dev: str | Path, name: str, part: ModelFile, nats_per_token: float, events: Events
) -> None:
    """Say so if a model predicts a text so well that it must have learned from it."""
    best = part.training.get("best") or {}
    held_out = float(best.get("perplexity", 1.0))
    if nats_per_token < SEEN * math.log(max(1.0, held_out)):
        events.warn(
            f"{name} predicts {Path(dev).name} with perplexity {math.exp(nats_per_token):,.1f}, "
            f"and text held out from its training with {held_out:,.1f}: is it part of what it was "
            "trained on? Weights need other text"
        )


def _warn_of_few(tokens: int, vocab_size: int, events: Events) -> None:
    """Say so if a log-linear mixture is fitted to few of the tokens there are."""
    fitted = tokens // stride(tokens, vocab_size)
    if fitted < min(tokens, FEW_TOKENS):
        events.warn(
            f"with {vocab_size:,} kinds of token, the powers of `log_linear` are fitted to only "
            f"{fitted:,} of the {tokens:,} tokens of the text; without it, to all"
        )


@dataclass(frozen=True)
class FittedMixture:
    """A mixture of models, fitted on a text, before it is written."""

    parts: Sequence[ModelFile]
    fit: Fit[Any]
    cache: UnigramCacheLM | None  # over the mixture, if requested and useful
    nats: Nats  # (N,) log P of the text's tokens, cache included

    def contents(self, training: dict[str, Any]) -> ModelFile:
        """The mixture, with its cache if any, as a model file."""
        mixed = model_parts.combination(self.fit.lm, self.parts, training)
        return model_parts.with_cache(mixed, self.cache) if self.cache else mixed


def fit_mixture(
    parts: Sequence[ModelFile],
    held_out: Ids,
    kinds: Sequence[type[CombinedLM]],
    *,
    cache: bool,
    change: Change | None = None,
) -> FittedMixture:
    """The best mixture of models for the text `held_out` (N,), with a cache over it if asked for.

    kinds: of mixture to choose from, MixtureLM and LogLinearLM. change: made to each model before
    it scores the text. Raises CharlmError for an empty text or different vocabularies.
    """
    eos = parts[0].tokenizer.eos
    models = [model_file.build(part) for part in parts]
    models = list(map(change, models)) if change else models
    fits: list[Fit[Any]] = []
    if LogLinearLM in kinds:
        fits.append(mix_log_linear(models, held_out, eos))
    if MixtureLM in kinds:
        fits.append(mix(models, held_out, eos, fits[0].parts if fits else None))
    found = max(fits, key=lambda fit: float(fit.mixed.sum()))
    if not cache:
        return FittedMixture(parts, found, None, found.mixed)
    weight, nats = fit_cache(found.mixed, held_out)
    cached = UnigramCacheLM(found.lm, eos, weight) if weight else None
    return FittedMixture(parts, found, cached, nats)


def _of_one_vocabulary(parts: Sequence[ModelFile], names: Sequence[str]) -> list[ModelFile]:
    """The models with the token ids of the first; those of other words get the words of all.

    Raises CharlmError for models that cannot be.
    """
    first, *others = parts
    found = [first]
    for other in others:
        if (same := _matched(first, other)) is None:
            return united(parts, names)
        found.append(same)
    return found


def _matched(first: ModelFile, other: ModelFile) -> ModelFile | None:
    """`other` with the token ids of `first`; n-gram models of the same words can be renumbered.

    None if the two have different tokens, or it is of another family.
    """
    ours, theirs = first.tokenizer, other.tokenizer
    if theirs.as_dict() == ours.as_dict():
        return other
    if other.family != "ngram" or not ours.level == theirs.level == "word":
        return None
    ids = {ours.token(k): k for k in range(ours.vocab_size)}
    new_ids = [ids.get(theirs.token(k), -1) for k in range(theirs.vocab_size)]
    lm = model_file.build(other)
    if sorted(new_ids) != list(range(ours.vocab_size)) or not isinstance(lm, NgramLM):
        return None
    lm = lm.renumbered(np.array([*new_ids, ours.vocab_size]))
    return ModelFile("ngram", lm.config(), ours, lm.tensors(), other.training)


def _listed(words: str | Path, tokenizer: Tokenizer, how: Reading) -> set[str]:
    """The words in a file, as the tokenizer splits text. Raises CharlmError for other tokens."""
    if not isinstance(tokenizer, WordTokenizer):
        raise CharlmError("`limit_vocab` is for models of words")
    with temporary_spool() as spool:
        encoding, errors = how.get("encoding", "utf-8"), how.get("errors", "strict")
        source = open_text([str(words)], encoding, errors, spool)
        return set(chain.from_iterable(map(tokenizer.words, whole_words(source.chunks()))))


def _held_out(dev: str | Path, tokenizer: Tokenizer, how: Reading) -> tuple[Ids, Measures]:
    """The ids of a text, and measures that hold only its size."""
    with temporary_spool() as spool:
        source = open_text([str(dev)], spool=spool, **how)
        texts = list(slices(source.for_level(tokenizer.level).chunks()))
    if not any(text.strip() for text in texts):
        raise CharlmError(
            f"{dev} holds nothing but whitespace: there is nothing to fit the weights to"
        )
    ids = list(encode_chunks(tokenizer, texts))
    chars, size = sum(map(len, texts)), sum(len(utf8(text)) for text in texts)
    return np.concatenate(ids or [np.zeros(0, np.uint8)]), Measures(0.0, 0, chars, size)
