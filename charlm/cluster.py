"""Score datasets of any size on many machines, with Ray Data (`pip install "charlm[cluster]"`).

    from charlm import cluster

    sentences = ray.data.read_parquet("sentences/")
    scored = cluster.score(sentences, "runs/latest", column="text", workers=64)
    scored.write_parquet("scores/")

A worker that dies is replaced and its batches are scored again, so that every sentence has one
score. See docs/large.md, and examples/score_with_ray.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import CharlmError, require
from .model.model import Model
from .system.extras import require_packages

if TYPE_CHECKING:
    from ray.data import Dataset

Batch: TypeAlias = dict[str, npt.NDArray[Any]]  # columns of N rows, by name

BATCH_ROWS = 1024


class Scorer:
    """A callable class for `Dataset.map_batches`: each worker loads the model once.

    It needs nothing of Ray itself: whatever passes batches of columns can call it.
    """

    def __init__(
        self, model: str | Path, *, column: str = "text", eos: bool = True, prefix: str = ""
    ) -> None:
        """Load a model.

        model: a run directory or a model file, on a disk that this worker sees.
        column: where the sentences are, one a row, without line breaks.
        eos: count the <EOS> that closes a sentence as a token.
        prefix: of the names of the columns that are added.

        Raises CharlmError if there is no model.
        """
        self.model = Model.load(model)
        self.column, self.eos, self.prefix = column, eos, prefix

    def __call__(self, batch: Mapping[str, npt.NDArray[Any]]) -> Batch:
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
        texts = batch[self.column].tolist()
        for text in texts:
            if not isinstance(text, str):
                raise CharlmError(
                    f"{self.column!r} holds {text!r:.50}, which is no text: leave such rows out"
                )
        rows = [one.measures.as_dict() for one in self.model.score(texts, eos=self.eos)]
        added = {
            f"{self.prefix}{name}": np.array([row[name] for row in rows])
            for name in (rows[0] if rows else {})
        }
        both = sorted(added.keys() & batch.keys())
        require(not both, f"there is a column {', '.join(both)} already: give a `prefix`")
        return {**batch, **added}


def score(
    dataset: Dataset,
    model: str | Path,
    *,
    column: str = "text",
    eos: bool = True,
    prefix: str = "",
    workers: int = 2,
    cpus: float = 1.0,
    batch_size: int = BATCH_ROWS,
) -> Dataset:
    """A Ray dataset of sentences with their scores as more columns, see `Scorer`; lazy, as all are.

    model: a path that all workers see. workers: how many, each with the model. cpus: of each.
    batch_size: rows that a worker scores at a time.

    Raises CharlmError if Ray is not installed.
    """
    require_packages("charlm.cluster.score", "ray")
    from ray.data import ActorPoolStrategy

    scored: Dataset = dataset.map_batches(
        Scorer,
        fn_constructor_args=[str(Path(model).absolute())],
        fn_constructor_kwargs={"column": column, "eos": eos, "prefix": prefix},
        compute=ActorPoolStrategy(min_size=1, max_size=workers),
        batch_size=batch_size,
        num_cpus=cpus,
    )  # a worker that was killed begins anew, and what it was working on is done again
    return scored
