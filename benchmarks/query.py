"""Scoring sentences with `charlm.kenlm`, beside KenLM's own Python module on the same model.

    python benchmarks/query.py TEXT [--valid FILE] [--order 5] [--min-count 1] [--json FILE]

A word n-gram model is made of TEXT. KenLM reads it as an ARPA file and charlm from arrays (the
model file) and from hash tables (`build_binary`); each scores the first 1,000 sentences of the
other text one by one, and charlm also all at once (`score_many`). Fastest of REPEATS, in turns.
Then a mixture of that model and a bigram model of the same text beside its two parts.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from common import about, write_json
from common import charlm as command
from rich.console import Console
from rich.table import Table

import charlm
import charlm.kenlm as ours
from charlm.tasks.score import encode_line

SENTENCES = 1000
REPEATS = 7


def fastest(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Seconds of each call at its fastest, all of them in turns."""
    found = dict.fromkeys(calls, float("inf"))
    for _ in range(REPEATS):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            found[name] = min(found[name], time.perf_counter() - began)
    return found


def main(
    file: Annotated[Path, typer.Argument(metavar="TEXT")],
    valid: Annotated[Path | None, typer.Option(help="Else the last tenth of TEXT.")] = None,
    order: Annotated[int, typer.Option()] = 5,
    min_count: Annotated[int, typer.Option(help="Rarer words are <UNK>.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """Make the models, and time them."""
    import kenlm

    console, machine = Console(), about()
    console.print(f"{machine['processor']}, {machine['threads']} threads")
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        lines = (valid or file).read_text("utf-8").splitlines()
        lines = [" ".join(line.split()) for line in lines if line.strip()]
        if valid is None:
            lines = lines[-max(1, len(lines) // 10) :]
        sentences = lines[:SENTENCES]
        (place / "dev.txt").write_text("".join(f"{line}\n" for line in lines[SENTENCES:] or lines))
        how = ["--level", "word", "--min-count", str(min_count)]
        how += ["--valid", str(valid)] if valid else []
        out = ["--order", str(order), "--out", str(place / "model")]
        out += ["--arpa", str(place / "model.arpa")]
        command("ngram", str(file), *how, *out)
        command("ngram", str(file), *how, "--order", "2", "--out", str(place / "small"))
        ours.build_binary(place / "model", place / "tables")
        parts = [str(place / "model"), str(place / "small")]
        command("mix", *parts, "--dev", str(place / "dev.txt"), "--out", str(place / "mix"))

        theirs = kenlm.Model(str(place / "model.arpa"))
        ready = fastest({"tables": lambda: ours.Model(place / "tables")})["tables"]
        arrays, tables = ours.Model(place / "model"), ours.Model(place / "tables")
        calls: dict[str, Callable[[], list[float]]] = {
            "KenLM": lambda: [theirs.score(one) for one in sentences],
            "arrays, one by one": lambda: [arrays.score(one) for one in sentences],
            "arrays, score_many": lambda: arrays.score_many(sentences),
            "tables, one by one": lambda: [tables.score(one) for one in sentences],
            "tables, score_many": lambda: tables.score_many(sentences),
        }
        seconds = fastest(calls)
        expected = np.array(calls["KenLM"]())
        scores = {name: np.array(call()) for name, call in calls.items()}
        apart = {name: float(abs(found - expected).max()) for name, found in scores.items()}

        mixed, *alone = (charlm.load(place / name) for name in ("mix", "model", "small"))
        seqs = [encode_line(mixed.tokenizer, one) for one in sentences]
        parts_of = {
            "mixture": lambda: mixed.lm.logprobs(seqs),
            "its parts": lambda: [one.lm.logprobs(seqs) for one in alone],
        }
        mixing = fastest(parts_of)
    table = Table("1,000 sentences", box=None)
    for heading in ("ms", "of KenLM's", "largest Δ, log10"):
        table.add_column(heading, justify="right")
    for name, took in seconds.items():
        ratio = f"{took / seconds['KenLM']:.1f} ×"
        table.add_row(name, f"{1000 * took:.1f}", ratio, f"{apart[name]:.0e}")
    console.print(table)
    console.print(f"tables are ready after {1000 * ready:.0f} ms")
    times = mixing["mixture"] / mixing["its parts"]
    console.print(f"a mixture takes {times:.2f} × the time of its parts one after the other")
    result = {"seconds": seconds, "ready": ready, "mixing": mixing, "apart": apart}
    write_json(json_file, {"machine": machine, "text": file.name, "order": order, **result})


if __name__ == "__main__":
    typer.run(main)
