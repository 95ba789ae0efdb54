"""Score the lines of text files with Ray: on this machine, or on the cluster in RAY_ADDRESS.

    python examples/score_with_ray.py runs/latest sentences.txt scores/

Writes Parquet files with each sentence and its scores. All machines must see the model and the
files, by the same paths. Kill a worker midway: its sentences are scored by another.
"""

from __future__ import annotations

import argparse
import logging
import os
from pathlib import Path

import ray

from charlm import cluster


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the lines of text files with Ray.")
    parser.add_argument("model", help="a run directory or a model file")
    parser.add_argument("text", help="a text file, or a directory of them")
    parser.add_argument("out", help="directory for the Parquet files")
    cores = os.cpu_count() or 2
    parser.add_argument("--workers", type=int, default=max(1, cores - 1), help="all but one core")
    given = parser.parse_args()
    if Path(given.out).exists():
        parser.error(f"{given.out} exists, and Ray would add to it: name a new directory")
    if not Path(given.text).exists():
        parser.error(f"{given.text} does not exist")

    ray.init(log_to_driver=False, logging_level="ERROR")
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    sentences = ray.data.read_text(given.text)  # empty lines are left out
    scored = cluster.score(sentences, given.model, workers=given.workers)
    scored.write_parquet(given.out)
    print(f"{ray.data.read_parquet(given.out).count():,} sentences scored, in {given.out}")


if __name__ == "__main__":
    main()
