"""Score datasets of any size on many machines, with Ray Data (`pip install "charlm[cluster]"`).

    from charlm import cluster

    sentences = ray.data.read_parquet("sentences/")
    scored = cluster.score(sentences, "runs/latest", column="text", workers=64)
    scored.write_parquet("scores/")

A worker that dies is replaced and its batches are scored again, so that every sentence has one
score. See docs/large.md, and examples/score_with_ray.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import CharlmError, require
from .model.model import Model
from .runs import locate
from .system.extras import require_packages

if TYPE_CHECKING:
    from ray.data import Dataset

Batch: TypeAlias = dict[str, npt.NDArray[Any]]  # columns of N rows, by name

BATCH_ROWS = 1024
INVALID = ("error", "nan")


class Scorer:
    """A callable class for `Dataset.map_batches`: each worker loads the model once.

    It needs nothing of Ray itself: whatever passes batches of columns can call it.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        column: str = "text",
        eos: bool = True,
        prefix: str = "",
        invalid: str = "error",
    ) -> None:
        """Load a model.

        model: a run directory or a model file, on a disk that this worker sees.
        column: where the sentences are, one a row, without line breaks.
        eos: count the <EOS> that closes a sentence as a token.
        prefix: of the names of the columns that are added.
        invalid: what to do about a row that is no sentence (a null, a number, a text with a line
        break): "error", or "nan": all its numbers are NaN.

        Raises CharlmError if there is no model, and for an unknown `invalid`.
        """
        require(invalid in INVALID, f"unknown `invalid` {invalid!r}: choose {' | '.join(INVALID)}")
        self.model = Model.load(model)
        self.column, self.eos, self.prefix, self.invalid = column, eos, prefix, invalid
        self.names = list(self.model.score("").measures.as_dict())

    def __call__(self, batch: Mapping[str, Sequence[Any] | npt.NDArray[Any]]) -> Batch:
        """The columns of N rows, and beside them what `charlm score --json` says of each sentence.

        Columns (N,): tokens, chars, bytes and oov (counts), logprob (nats), perplexity,
        bits_per_char, … Raises CharlmError for a row that is no sentence, and for a column that
        would be replaced.
        """
        if self.column not in batch:
            raise CharlmError(
                f"there is no column {self.column!r} (there are {', '.join(map(repr, batch))}): "
                "name the one with the sentences, `column`"
            )
        texts = list(batch[self.column])
        valid = [isinstance(text, str) and "\n" not in text for text in texts]
        if not all(valid) and self.invalid == "error":
            raise CharlmError(
                f"{self.column!r} holds {texts[valid.index(False)]!r:.50}, which is no sentence: "
                "leave such rows out, or give them NaN with invalid='nan'"
            )
        kept = [str(text) for text, good in zip(texts, valid, strict=True) if good]
        found = iter(self.model.score(kept, eos=self.eos))
        rows = [next(found).measures.as_dict() if good else {} for good in valid]
        whole = float if self.invalid == "nan" else None  # of all batches alike
        added = {
            f"{self.prefix}{name}": np.array([row.get(name, math.nan) for row in rows], whole)
            for name in self.names
        }
        both = sorted(added.keys() & batch.keys())
        require(not both, f"there is a column {', '.join(both)} already: give a `prefix`")
        columns = {name: np.asarray(values) for name, values in batch.items()}
        return {**columns, **added}


def score(
    dataset: Dataset,
    model: str | Path,
    *,
    column: str = "text",
    eos: bool = True,
    prefix: str = "",
    invalid: str = "error",
    workers: int = 2,
    cpus: float = 1.0,
    batch_size: int = BATCH_ROWS,
) -> Dataset:
    """A Ray dataset of sentences with their scores as more columns, see `Scorer`; lazy, as all are.

    model: a path that all workers see, and this process. column, eos, prefix, invalid: as for
    `Scorer`.
    workers: at most, each with the model; reading needs processors, too. cpus: of each worker.
    batch_size: rows that a worker scores at a time.

    Raises CharlmError if Ray is not installed, if there is no model, and for numbers below 1.
    """
    require_packages("charlm.cluster.score", "ray")
    require(min(workers, batch_size) >= 1, "`workers` and `batch_size` must be at least 1")
    path = locate.resolve(model).absolute()
    from ray.data import ActorPoolStrategy

    scored: Dataset = dataset.map_batches(
        Scorer,
        fn_constructor_args=[str(path)],
        fn_constructor_kwargs={
            "column": column,
            "eos": eos,
            "prefix": prefix,
            "invalid": invalid,
        },
        compute=ActorPoolStrategy(min_size=1, max_size=workers),
        batch_size=batch_size,
        num_cpus=cpus,
    )  # a worker that was killed begins anew, and what it was working on is done again
    return scored
