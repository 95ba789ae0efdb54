"""N-gram models: how long they take to estimate, how good they are, how fast they answer.

    python benchmarks/ngram.py TEXT [--valid FILE] [--level word] [--orders 2,3,5] [--json FILE]

Each order in a process of its own: seconds and peak memory of estimation, perplexity on the
validation text (with and without OOV), and tokens looked up per second. Where the `kenlm` package
is installed and the level has sentences, KenLM queries the same ARPA file sentence by sentence, and
the largest difference of 1,000 sentences' scores (log10) is given.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from common import about, child, write_json
from rich.console import Console
from rich.table import Table

from charlm.models import arpa, model_file
from charlm.runs import ngram_run
from charlm.runs.events import Events
from charlm.tasks.score import encode_line
from charlm.text import source

SENTENCES = 1000


def run_child(spec: dict[str, Any]) -> dict[str, Any]:
    """Estimate one model and try it."""
    out = Path(spec["out"])
    done = ngram_run.count(
        spec["file"],
        order=spec["order"],
        out=out,
        valid=spec["valid"],
        level=spec["level"],
        context=spec["context"],
        events=Events(),
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    contents = model_file.read(done.model)
    lm, tokenizer = model_file.build_causal(contents), contents.tokenizer
    lines = list(source.lines_of(source.open_text([spec["valid"] or spec["file"]])))
    sentences = [" ".join(line.split()) for line in lines if line.strip()][:SENTENCES]
    seqs = [encode_line(tokenizer, sentence) for sentence in sentences]
    tokens = sum(map(len, seqs))
    lm.logprobs(seqs)
    began = time.perf_counter()
    nats = lm.logprobs(seqs)
    result = {
        "order": spec["order"],
        "ngrams": sum(done.sizes),
        "seconds": done.seconds,
        "peak_bytes": peak,
        "perplexity": done.best.perplexity,
        "perplexity_excluding_oov": done.best.perplexity_excluding_oov,
        "nats_per_char": done.best.nats_per_char,
        "tokens_per_second": tokens / (time.perf_counter() - began),
    }
    if spec["kenlm"]:
        import kenlm

        path = out / "model.arpa"
        arpa.write(path, lm, tokenizer)  # type: ignore[arg-type]
        theirs = kenlm.Model(str(path))
        began = time.perf_counter()
        scores = np.array([theirs.score(sentence) for sentence in sentences])
        result["kenlm_tokens_per_second"] = tokens / (time.perf_counter() - began)
        own = np.array([part.sum(dtype=np.float64) for part in nats]) / np.log(10)
        result["largest_difference"] = float(np.abs(own - scores).max())
    return result


def _has_kenlm() -> bool:
    try:
        import kenlm  # noqa: F401
    except ImportError:
        return False
    return True


def main(
    file: Annotated[Path | None, typer.Argument(metavar="TEXT")] = None,
    valid: Annotated[Path | None, typer.Option(help="Else the last tenth of TEXT.")] = None,
    level: Annotated[str, typer.Option()] = "word",
    orders: Annotated[str, typer.Option(help="With commas.")] = "2,3,5",
    context: Annotated[str | None, typer.Option(help="sentence or stream; else by level.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
    child_spec: Annotated[str | None, typer.Option("--child", hidden=True)] = None,
) -> None:
    """N-gram models."""
    if child_spec is not None:
        print(json.dumps(run_child(json.loads(child_spec))))
        return
    if file is None:
        raise typer.BadParameter("which text?")
    console, machine = Console(), about()
    console.print(f"{machine['processor']}, {machine['threads']} threads")
    beside = level == "word" and context != "stream" and _has_kenlm()
    results: list[dict[str, Any]] = []
    for order in map(int, orders.split(",")):
        with tempfile.TemporaryDirectory() as directory:
            spec = {
                "file": str(file),
                "valid": str(valid) if valid else None,
                "level": level,
                "order": order,
                "context": context,
                "out": f"{directory}/run",
                "kenlm": beside,
            }
            results.append(child(__file__, spec, tuned=False))
    table = Table("N", box=None)
    heads = ["n-grams", "s", "MB", "perplexity", "w/o OOV", "tokens/s"]
    for heading in [*heads, *(["KenLM's", "log10 Δ"] if beside else [])]:
        table.add_column(heading, justify="right")
    for r in results:
        cells = [
            str(r["order"]),
            f"{r['ngrams']:,}",
            f"{r['seconds']:.1f}",
            f"{r['peak_bytes'] / 1e6:,.0f}",
            f"{r['perplexity']:.2f}",
            f"{r['perplexity_excluding_oov']:.2f}",
            f"{r['tokens_per_second'] / 1e6:.1f} M",
        ]
        if beside:
            theirs = r["kenlm_tokens_per_second"] / 1e6
            cells += [f"{theirs:.1f} M", f"{r['largest_difference']:.1e}"]
        table.add_row(*cells)
    console.print(table)
    write_json(json_file, {"text": file.name, "level": level, "results": results})


if __name__ == "__main__":
    typer.run(main)
