"""Remove rare n-grams, and number the others anew."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from .columns import Keys
from .merge import Ngrams
from .suffixes import Sizes, spans


def prune(
    ngrams: Ngrams,
    below: Ngrams | None,
    minimum: int,
    minimum_below: int,
    sizes: Sizes,
    progress: Callable[[float], None],
) -> None:
    """Write keys, log P and β of those n-grams that occur at least `minimum` times (`kept`).

    No n-gram occurs more often than its prefix, so that those of all that are kept are kept.
    """
    new_indices = None if below is None or below.order == 1 else _Indices(below, minimum_below)
    kept = ngrams.kept
    kept.directory.mkdir(exist_ok=True)
    ranges = spans(ngrams, sizes.block)
    has_backoff = ngrams.backoff.path.exists()
    with ExitStack() as files:
        keys_file = files.enter_context(kept.keys.written())
        nats_file = files.enter_context(kept.nats.written())
        backoff_file = files.enter_context(kept.backoff.written())
        for done, (start, stop) in enumerate(ranges, 1):
            keys = ngrams.keys.read(start, stop)
            chosen = np.ones(len(keys), bool)
            if ngrams.order > 1:  # all words stay
                chosen = ngrams.raw.read(start, stop) >= minimum
            keys = keys[chosen]
            if new_indices is not None and len(keys):
                prefixes, words = np.divmod(keys, sizes.base)
                keys = new_indices.of(prefixes) * sizes.base + words
            keys_file.append(keys)
            nats_file.append(ngrams.nats.read(start, stop)[chosen])
            if has_backoff:
                backoff_file.append(ngrams.backoff.read(start, stop)[chosen])
            progress(done / len(ranges))


class _Indices:
    """The index that each n-gram has among those that are kept; asked for in increasing order."""

    def __init__(self, ngrams: Ngrams, minimum: int) -> None:
        self.ngrams, self.minimum = ngrams, minimum
        self.start = self.before = 0  # n-grams before `start`, and how many of them are kept

    def of(self, indices: Keys) -> Keys:
        first, end = int(indices[0]), int(indices[-1]) + 1
        kept = self.ngrams.raw.read(self.start, end) >= self.minimum
        skipped = int(kept[: first - self.start].sum())
        self.before, self.start = self.before + skipped, first
        kept = kept[len(kept) - (end - first) :]
        return self.before + np.cumsum(kept)[indices - first] - 1
