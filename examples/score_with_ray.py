"""Score the lines of text files with Ray: on this machine, or on the cluster in RAY_ADDRESS.

    python examples/score_with_ray.py runs/latest sentences.txt scores/

Writes Parquet files with each sentence and its scores. All machines must see the model and the
files, by the same paths. Kill a worker midway: its sentences are scored by another.
"""

from __future__ import annotations

import argparse

import ray

from charlm import cluster


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the lines of text files with Ray.")
    parser.add_argument("model", help="a run directory or a model file")
    parser.add_argument("text", help="a text file, or a directory of them")
    parser.add_argument("out", help="directory for the Parquet files")
    parser.add_argument("--workers", type=int, default=2, help="processes, each with the model")
    given = parser.parse_args()

    ray.init(log_to_driver=False)
    sentences = ray.data.read_text(given.text)  # empty lines are left out
    scored = cluster.score(sentences, given.model, workers=given.workers)
    scored.write_parquet(given.out)
    print(f"{ray.data.read_parquet(given.out).count():,} sentences scored, in {given.out}")


if __name__ == "__main__":
    main()
