"""Train an n-gram model: from a text to a run directory."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Unpack

from ..config import TokenizerConfig
from ..errors import CharlmError, require
from ..measures import Measures
from ..models import arpa, kneser_ney, model_file
from ..models.ngram import MAX_NGRAM_ORDER, NgramLM
from ..models.ngrams_on_disk import estimate
from ..models.ngrams_on_disk.columns import Column
from ..system import machine, output_file
from ..system.tensor_file import Stored
from ..system.version import __version__
from ..tasks.measure import measure_ids
from ..tasks.score import CONTEXTS
from ..text.corpus import Corpus
from ..text.find_files import find_files
from ..text.shards import Shard
from . import defaults, locate
from .events import Events
from .options import (
    NgramOptions,
    RunOptions,
    divide,
    ngram_settings,
    text_names,
)
from .run_directory import directory_of
from .run_text import begin, opened

WARN_ABOVE_BYTES = 2_000_000_000  # of memory


@dataclass(frozen=True)
class NgramRun:
    """The result of training an n-gram model."""

    run: Path
    model: Path
    order: int
    sizes: tuple[int, ...]  # n-grams of each length
    best: Measures  # on the validation text
    seconds: float


def count(
    corpus: str | Path | Sequence[str | Path],
    *,
    order: int | None = None,
    context: str | None = None,
    min_counts: Sequence[int] = (),
    arpa_file: str | Path | None = None,
    memory: int | str | None = None,
    force: bool = False,
    events: Events | None = None,
    **given: Unpack[NgramOptions],
) -> NgramRun:
    """Estimate an n-gram model of a text by modified Kneser-Ney smoothing and save it.

    corpus: a file, several, or "-". order: N; default by level. context: "sentence" (contexts end
    at line ends, as in other n-gram tools; the default for words and subwords) or "stream" (for
    characters and bytes). min_counts: see `kneser_ney.estimate`; by default 1, and without `order`
    as `defaults.ngrams` says. arpa_file: also write the model there. memory: estimate the model on
    disk, next to the tokenised text, in that much memory, in bytes or such as "1G"; the same model.
    given: settings, see `options.NgramOptions`.

    Raises CharlmError for errors that the user can fix.
    """
    events = events or Events()
    began = time.monotonic()
    options, config, lines = _how(order, context, given)
    if arpa_file is not None and not lines:
        raise CharlmError(
            "an ARPA file holds contexts within sentences only: add `context=sentence`"
        )
    if arpa_file is not None:
        if output_file.is_among(Path(arpa_file), [*find_files(text_names(corpus)), options.valid]):
            raise CharlmError(f"{arpa_file} is the text itself: name another file for the model")
        output_file.check(Path(arpa_file), arpa.is_ours, force=force)
    budget = None if memory is None else machine.memory_bytes(memory)
    with begin(corpus, options, config, events) as (run, found):
        text = found.corpus
        order, min_counts = _sizes(text, order, min_counts)
        with _estimated(text, order, budget, lines, min_counts, events) as (lm, columns):
            best = measured(lm, text)
            training = {
                "corpus": text.name,
                "sha256": text.sha256,
                "train": asdict(text.train_text),
                "valid": asdict(text.valid_text),
                "best": best.as_dict(),
                "settings": {"order": order, "min_counts": list(min_counts)},
                "version": __version__,
            }
            tokenizer = text.tokenizer
            contents = model_file.ModelFile("ngram", lm.config(), tokenizer, {}, training)
            if columns is None:
                model_file.write(run.model, replace(contents, tensors=lm.tensors()))
            else:
                model_file.write_stored(run.model, contents, columns)
            locate.mark_latest(run.path, events.warn)
            if arpa_file is not None:
                arpa.write(Path(arpa_file), lm, tokenizer)
            sizes = tuple(len(part.keys) for part in lm.orders)
    return NgramRun(run.path, run.model, order, sizes, best, time.monotonic() - began)


@dataclass(frozen=True)
class ShardCounted:
    """What has been counted of a shard: sorted runs, in a directory."""

    directory: Path
    runs: int  # of this shard
    of: int  # of all


def count_shard(
    corpus: str | Path | Sequence[str | Path],
    shard: Shard,
    *,
    memory: int | str,
    order: int | None = None,
    context: str | None = None,
    min_counts: Sequence[int] = (),
    events: Events | None = None,
    **given: Unpack[NgramOptions],
) -> ShardCounted:
    """Count the n-grams of a shard of a text, for `count` with the same arguments to go on with.

    Machines that share the runs' directory may do so at the same time, each its own shards. Raises
    CharlmError as `count` does.
    """
    events = events or Events()
    options, config, lines = _how(order, context, given)
    budget = machine.memory_bytes(memory)
    cache = directory_of(options.out).cache
    text = opened(text_names(corpus), options, config, cache, events).corpus
    order, min_counts = _sizes(text, order, min_counts)
    task = _on_disk(text, order, budget, lines, min_counts)
    runs, of = estimate.count_shard(
        task,
        shard.index,
        shard.number,
        progress=partial(events.stage, "n-grams"),
        announce=events.announce,
    )
    return ShardCounted(task.directory, runs, of)


def _how(
    order: int | None, context: str | None, given: NgramOptions
) -> tuple[RunOptions, TokenizerConfig, bool]:
    """Settings, and whether contexts end at line ends. Raises CharlmError for unknown ones."""
    options, settings = divide(RunOptions, ngram_settings(), given)
    config = defaults.tokenizer(settings)
    if context not in (None, *CONTEXTS):
        raise CharlmError(f"unknown context {context!r}: choose {' | '.join(CONTEXTS)}")
    require(
        order is None or 1 <= order <= MAX_NGRAM_ORDER,
        f"`order` must be from 1 to {MAX_NGRAM_ORDER}, not {order}",
    )
    return options, config, (context or defaults.ngram_context(config.level)) == "sentence"


def _sizes(text: Corpus, order: int | None, min_counts: Sequence[int]) -> tuple[int, Sequence[int]]:
    """The order and the least counts: as given, or as usual."""
    if order is not None:
        return order, min_counts
    tokenizer = text.tokenizer
    order, usual = defaults.ngrams(tokenizer.level, tokenizer.vocab_size)
    return order, min_counts or usual


@contextmanager
def _estimated(
    text: Corpus,
    order: int,
    memory: int | None,
    lines: bool,
    min_counts: Sequence[int],
    events: Events,
) -> Iterator[tuple[NgramLM, Mapping[str, Stored] | None]]:
    """A model of the training part of a prepared corpus; on disk, its tensors there as well."""
    if memory is None:
        yield estimate_ngram(text, order, lines=lines, min_counts=min_counts, events=events), None
        return
    with estimate.estimated(
        _on_disk(text, order, memory, lines, min_counts),
        progress=partial(events.stage, "n-grams"),
        announce=events.announce,
        warn=events.warn,
    ) as found:
        yield found.lm, found.columns


def _on_disk(
    text: Corpus, order: int, memory: int, lines: bool, min_counts: Sequence[int]
) -> estimate.Task:
    """What is estimated on disk: for each way to count a text, in another directory."""
    way = hashlib.sha256(json.dumps([order, lines, *min_counts]).encode()).hexdigest()[:8]
    return estimate.Task(
        ids=Column(text.directory / "train.bin", text.train.dtype),
        vocab_size=text.tokenizer.vocab_size,
        eos=text.tokenizer.eos,
        order=order,
        lines=lines,
        memory=memory,
        directory=text.directory.with_name(f"{text.directory.name}.ngrams-{way}"),
        identity=text.directory.name,
        min_counts=min_counts,
    )


def estimate_ngram(
    text: Corpus,
    order: int,
    *,
    lines: bool,
    min_counts: Sequence[int] = (),
    events: Events,
) -> NgramLM:
    """Estimate a model from the training part of a prepared corpus."""
    tokenizer = text.tokenizer
    needed = len(text.train) * (order + 6) * 8  # a few numbers per token and order
    if needed > WARN_ABOVE_BYTES:
        events.warn(
            f"{len(text.train):,} tokens: this may take {needed / 1e9:.0f} GB of memory; with "
            "`memory` (such as 1G) it takes no more than that, and disk"
        )
    events.stage("estimate", 0.0)
    lm = kneser_ney.estimate(
        text.train,
        tokenizer.vocab_size,
        tokenizer.eos,
        order,
        lines=lines,
        min_counts=min_counts,
        warn=events.warn,
    )
    events.stage("estimate", 1.0)
    return lm


def measured(lm: NgramLM, text: Corpus) -> Measures:
    """Measure the model on the corpus's validation text."""
    nats_BT, _ = lm.read(lm.start(1), text.valid[None])
    whole = Measures(0.0, 0, text.valid_text.chars, text.valid_text.bytes)
    return whole + measure_ids(text.valid, nats_BT[0], text.tokenizer.unk)
