"""What a network gains from being mixed with an n-gram model, and from learning as it reads.

    python benchmarks/combine.py TEXT [--minutes 2] [--valid FILE] [--level word] [--json FILE]

One network, trained as by `charlm train --minutes`, and one n-gram model of the same text, each
alone and mixed: with one weight for all contexts, with one for each length of context that the
n-gram model knows, and with a cache of recent tokens on top. Weights are fitted to the first half
of the validation text and everything is measured on the second (which helped to choose the best
checkpoint in training). Then the network again, adapting to that half as it reads.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from common import about, write_json
from rich.console import Console
from rich.table import Table

from charlm.config import TokenizerConfig
from charlm.lm import causal
from charlm.models import model_file, model_parts
from charlm.models.mixture import fit_weights, interpolate, score_stream
from charlm.models.unigram_cache import (
    NO_TOKEN,
    WINDOW,
    fit_cache,
    interpolate_cache,
    recent_counts,
)
from charlm.network.dynamic_evaluation import DynamicLM
from charlm.runs import defaults, locate, ngram_run
from charlm.runs.events import Events
from charlm.tasks.neural_cache import NeuralCacheLM
from charlm.text import source
from charlm.text.corpus import prepare


def main(
    file: Annotated[Path, typer.Argument(metavar="TEXT")],
    minutes: Annotated[float, typer.Option(help="For the network.")] = 2.0,
    valid: Annotated[Path | None, typer.Option(help="Else the last tenth of TEXT.")] = None,
    level: Annotated[str, typer.Option()] = "char",
    min_count: Annotated[int, typer.Option()] = 1,
    model: Annotated[Path | None, typer.Option(help="A trained run; else one is trained.")] = None,
    adapt: Annotated[
        bool, typer.Option(help="Dynamic evaluation too: slow with many kinds of token.")
    ] = True,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """Mixing and adapting."""
    console, machine = Console(), about()
    console.print(f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}")
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        run = model or place / "network"
        if model is None:
            command = [
                sys.executable,
                "-m",
                "charlm",
                "train",
                str(file),
                "--plain",
                "--level",
                level,
            ]
            command += ["--min-count", str(min_count), "--minutes", str(minutes)]
            command += ["--out", str(run), *(["--valid", str(valid)] if valid else [])]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        contents = model_parts.part(model_file.read(locate.resolve(run)), 0)
        held_out = source.open_text([str(valid)]) if valid else None
        config = TokenizerConfig(level=level, min_count=min_count)
        corpus = prepare(source.open_text([str(file)]), held_out, config, place / "cache")
    if corpus.tokenizer.as_dict() != contents.tokenizer.as_dict():
        raise typer.BadParameter("the model was trained on another text")
    network, eos = model_file.build_causal(contents), corpus.tokenizer.eos
    ids, half = np.asarray(corpus.valid), len(corpus.valid) // 2
    began = time.perf_counter()
    lines = defaults.ngram_context(level) == "sentence"
    order, min_counts = defaults.ngrams(level, corpus.tokenizer.vocab_size)
    ngram = ngram_run.estimate_ngram(
        corpus, order, lines=lines, min_counts=min_counts, events=Events()
    )
    counted = time.perf_counter() - began
    parts = np.stack([score_stream(causal(lm), ids, eos) for lm in (network, ngram)])
    contexts = ngram.matched_before(ngram.start(1), ids[None])[0]
    dev, test = slice(0, half), slice(half, None)
    single = fit_weights(parts[:, dev])
    several = fit_weights(parts[:, dev], contexts[dev], order)
    zero = np.zeros(len(ids), np.intp)
    measured: dict[str, tuple[float, float]] = {
        "network": (-parts[0, test].mean(), math.nan),
        f"{order}-gram": (-parts[1, test].mean(), counted),
        "mixed, one weight": (
            -interpolate(parts[:, test], np.log(single), zero[test]).mean(),
            math.nan,
        ),
        "mixed, by context": (
            -interpolate(parts[:, test], np.log(several), contexts[test]).mean(),
            math.nan,
        ),
    }
    mixed = interpolate(parts, np.log(several), contexts)
    counts = recent_counts(np.full(WINDOW, NO_TOKEN), ids)
    share, _ = fit_cache(mixed[dev], ids[dev])
    measured["mixed, and a cache"] = (
        -interpolate_cache(mixed, *counts, share, WINDOW)[test].mean(),
        math.nan,
    )
    adaptive = (("network, dynamic", DynamicLM), ("network, neural cache", NeuralCacheLM))
    for name, kind in adaptive[0 if adapt else 1 :]:
        lm: Any = kind(network)  # either of two classes
        began = time.perf_counter()
        _, state = lm.read(lm.start(1), ids[None, dev])  # it has read what stands before
        nats, _ = lm.read(state, ids[None, test])
        measured[name] = (-float(nats.mean()), time.perf_counter() - began)
    table = Table("second half of the validation text", box=None)
    for heading in ("nats/token", "perplexity", "of network's", "seconds"):
        table.add_column(heading, justify="right")
    results = []
    base = measured["network"][0]
    for name, (nats_per_token, seconds) in measured.items():
        ratio = math.exp(nats_per_token - base)
        record = {"who": name, "nats_per_token": float(nats_per_token), "seconds": seconds}
        results.append({**record, "perplexity_ratio": ratio})
        spent = "" if math.isnan(seconds) else f"{seconds:.1f}"
        cells = [f"{nats_per_token:.4f}", f"{math.exp(nats_per_token):.2f}", f"{ratio:.3f}"]
        table.add_row(name, *cells, spent)
    console.print(table)
    weights = {"one": single.tolist(), "by context": several.tolist()}
    console.print(json.dumps({name: np.round(w, 3).tolist() for name, w in weights.items()}))
    write_json(json_file, {"text": file.name, "results": results, "weights": weights})


if __name__ == "__main__":
    typer.run(main)
