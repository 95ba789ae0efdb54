"""How good a model some minutes buy, and what a tutorial's loop makes of the same minutes.

    python benchmarks/quality.py TEXT [--minutes 1.4,5] [--level word --min-count 3] [--json FILE]

For each budget, `charlm train TEXT --minutes M`, then `charlm eval` of the model, of the network
and of the n-gram model that it is mixed from, on the validation text or on `--test`, which no
decision has seen: with the state carried all the way, and in cold-started windows of 256 tokens,
which is how transformers are measured. For comparison, the plain loop: `nn.LSTM` of the shape that
charlm chose for the first budget, fp32, AdamW at one rate, in a process like a user's own. It runs
once, for the longest budget; the best validation within each budget is what that budget bought. The
time of its validations is not counted; charlm's is. If it has not improved for PATIENCE seconds it
is stopped, and its best result stands for the remaining budgets.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from common import (
    PLAIN_BATCH,
    PLAIN_BPTT,
    PLAIN_LR,
    PlainLM,
    about,
    child,
    environment,
    train_step,
    write_json,
)
from rich.console import Console
from rich.table import Table

from charlm.config import NetworkConfig, TokenizerConfig
from charlm.models import model_file, model_parts
from charlm.network.network import Network
from charlm.runs.run_directory import RunDirectory
from charlm.text import source
from charlm.text.corpus import Corpus, prepare
from charlm.training.streams import Streams
from charlm.training.validation import validate

LOOKS = (3.0, 5, 8, 12, 18, 25, 35, 50)  # seconds at which the plain loop is first validated
EVERY = 20.0  # and then so often
PATIENCE = 180.0  # seconds of training without a better validation, after which it has overfitted


def charlm_run(
    file: Path, valid: Path | None, minutes: float, options: list[str], seed: int, out: Path
) -> dict[str, Any]:
    """Train for `minutes`; what the run directory says afterwards."""
    command = [
        sys.executable,
        "-m",
        "charlm",
        "train",
        str(file),
        "--minutes",
        str(minutes),
    ]
    command += ["--out", str(out), "--seed", str(seed), *options]
    command += ["--valid", str(valid)] if valid else []
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=_untouched())
    seconds = time.perf_counter() - began
    run = RunDirectory(out)
    rows = run.read_metrics(sys.maxsize)
    record = tomllib.loads(run.config.read_text())
    speeds = [row["tokens_per_second"] for row in rows if "tokens_per_second" in row]
    return {
        "seconds": seconds,
        "network": record["network"],
        "training": record["training"],
        "steps": max(row["step"] for row in rows),
        "tokens_per_second": sorted(speeds)[len(speeds) // 2],
        "curve": [
            [row["seconds"], math.log(row["valid"]["perplexity"])] for row in rows if "valid" in row
        ],
    }


def parts_of(model: Path) -> dict[str, Path]:
    """A trained model and, where it is a mixture, its parts, each as a file."""
    contents = model_file.read(model)
    if contents.family == "recurrent":
        return {"charlm": model}
    inner = model_parts.without_cache(contents)
    found = {"charlm": model}
    for k, name in enumerate(("network", "n-gram")):
        found[name] = model.with_name(f"{name}.safetensors")
        model_file.write(found[name], model_parts.part(inner, k))
    return found


def charlm_eval(model: Path, file: Path, window: int | None) -> dict[str, Any]:
    """The measures of `charlm eval`."""
    command = [sys.executable, "-m", "charlm", "eval", str(file), "--model", str(model), "--json"]
    command += ["--window", str(window)] if window else []
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def plain_run(spec: dict[str, Any]) -> dict[str, Any]:
    """The tutorial's loop for the longest budget; keeps the best model within each budget."""
    corpus = corpus_of(spec)
    network = NetworkConfig.from_dict(spec["network"])
    V, E, H, layers = network.vocab_size, network.embed, network.hidden, network.layers
    torch.manual_seed(spec["seed"])
    model = PlainLM(V, E, H, layers, network.cell, network.tied)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PLAIN_LR)
    streams = Streams(corpus.train, PLAIN_BATCH, PLAIN_BPTT, spec["seed"])
    budgets_left, looks = sorted(spec["seconds"]), list(LOOKS)
    best, best_at, curve, state = float("inf"), 0.0, [], None
    spent, steps, reached = 0.0, 0, Path(spec["out"]) / "best.safetensors"
    while budgets_left:
        began = time.perf_counter()
        batch = streams.next()
        x_TB, y_TB = torch.from_numpy(batch.x_TB), torch.from_numpy(batch.y_TB)
        _, state = train_step(model, optimizer, x_TB, y_TB, None if batch.fresh else state)
        spent += time.perf_counter() - began
        steps += 1
        if spent >= min(looks[0], budgets_left[0]):
            same = as_network(model, network)
            measured = validate(same, corpus.valid, corpus.tokenizer.eos, corpus.tokenizer.unk)
            nats = measured.nats_per_token
            curve.append([spent, nats])
            if nats < best:
                best, best_at = nats, spent
                saved = model_file.ModelFile(
                    "recurrent", network.as_dict(), corpus.tokenizer, same.tensors(), {}
                )
                model_file.write(reached, saved)
            looks = [look for look in looks if look > spent] or [spent + EVERY]
            stalled = spent - best_at > PATIENCE
            while budgets_left and (spent >= budgets_left[0] or stalled):
                copy = Path(spec["out"]) / f"{budgets_left.pop(0):g}.safetensors"
                copy.write_bytes(reached.read_bytes())
    tokens = steps * PLAIN_BATCH * PLAIN_BPTT
    return {"curve": curve, "steps": steps, "tokens_per_second": tokens / spent, "trained": spent}


def as_network(model: PlainLM, config: NetworkConfig) -> Network:
    """The plain model's weights in charlm's network, so that the same code validates both."""
    same, own = Network(config), dict(model.state_dict())
    for name in config.shapes():
        part, *rest = name.split(".")
        found = f"rnn.{rest[1]}_l{rest[0]}" if part == "rnn" else name
        dict(same.named_parameters())[name].data.copy_(own[found])
    return same


def corpus_of(spec: dict[str, Any]) -> Corpus:
    """The corpus as prepared by charlm."""
    valid = source.open_text([spec["valid"]]) if spec["valid"] else None
    config = TokenizerConfig.from_dict(spec["tokenizer"])
    return prepare(source.open_text([spec["file"]]), valid, config, Path(spec["cache"]))


def passed(curve: list[list[float]], mark: float) -> float | None:
    """Seconds after which validation first reached `mark`, interpolated between two validations."""
    before: list[float] | None = None
    for seconds, nats in curve:
        if nats <= mark:
            if before is None:
                return seconds
            share = (before[1] - mark) / (before[1] - nats)
            return before[0] + share * (seconds - before[0])
        before = [seconds, nats]
    return None


def _untouched() -> dict[str, str]:
    """The environment as a user has it; charlm sets up its allocator itself."""
    kept = environment(tuned=False)
    return {k: v for k, v in kept.items() if k != "CHARLM_ALLOCATOR"}


def main(
    file: Annotated[Path | None, typer.Argument(metavar="TEXT")] = None,
    minutes: Annotated[str, typer.Option(help="Budgets, with commas.")] = "1.4,5,20",
    valid: Annotated[Path | None, typer.Option(help="Else the last tenth of TEXT.")] = None,
    test: Annotated[Path | None, typer.Option(help="Measure on this; else on VALID.")] = None,
    level: Annotated[str, typer.Option()] = "char",
    min_count: Annotated[int, typer.Option()] = 1,
    window: Annotated[int, typer.Option(help="Tokens of a cold window; 0 = not.")] = 256,
    mark: Annotated[
        float, typer.Option(help="Say when this many nats/token are passed; 0 = not.")
    ] = 0.0,
    seed: Annotated[int, typer.Option()] = 1,
    plain: Annotated[bool, typer.Option(help="Run the plain loop beside it.")] = True,
    keep: Annotated[Path | None, typer.Option(help="Keep the runs in this folder.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
    child_spec: Annotated[str | None, typer.Option("--child", hidden=True)] = None,
) -> None:
    """Quality against minutes."""
    if child_spec is not None:
        print(json.dumps(plain_run(json.loads(child_spec))))
        return
    if file is None:
        raise typer.BadParameter("which text?")
    console, machine = Console(), about()
    console.print(f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}")
    options = ["--level", level, "--min-count", str(min_count)]
    budgets = sorted(float(part) for part in minutes.split(","))
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as directory:
        place = keep or Path(directory)
        place.mkdir(parents=True, exist_ok=True)
        held_out = test or valid or _last_tenth(file, place / "valid.txt")
        for budget in budgets:
            out = place / f"{budget:g}"
            result = charlm_run(file, valid, budget, options, seed, out)
            for who, model in parts_of(out / "model.safetensors").items():
                measured = _evaluated(model, held_out, window)
                results.append({"who": who, "minutes": budget, "mark": mark, **result, **measured})
                console.print(_line(results[-1]))
        if plain:
            first = results[0]
            spec = {
                "file": str(file),
                "valid": str(valid) if valid else None,
                "tokenizer": tomllib.loads((place / f"{budgets[0]:g}/config.toml").read_text())[
                    "tokenizer"
                ],
                "cache": str(place / "plain"),
                "network": first["network"],
                "seed": seed,
                "seconds": [60 * budget for budget in budgets],
                "out": str(place),
            }
            done = child(__file__, spec, tuned=False)
            for budget in budgets:
                result = _evaluated(place / f"{60 * budget:g}.safetensors", held_out, window)
                result |= {**done, "network": first["network"], "seconds": 60 * budget}
                results.append({"who": "plain loop", "minutes": budget, "mark": mark, **result})
    table = Table("", box=None)
    for heading in ("minutes", "carried", f"windows of {window}", "perplexity", "tokens/s", "size"):
        table.add_column(heading, justify="right")
    if mark:
        table.add_column(f"passes {mark} at", justify="right")
    for result in sorted(results, key=lambda r: float(r["minutes"])):
        table.add_row(*_cells(result))
    console.print(table)
    write_json(json_file, {"text": file.name, "level": level, "results": results})


def _evaluated(model: Path, held_out: Path, window: int) -> dict[str, Any]:
    carried = charlm_eval(model, held_out, None)
    cold = charlm_eval(model, held_out, window) if window else None
    return {"carried": carried, "window": cold}


def _last_tenth(file: Path, place: Path) -> Path:
    """The validation text that charlm takes from a single file, as a file of its own."""
    parts = [part for part, later in source.open_text([file]).split_chunks(0.9) if later]
    place.write_text("".join(parts), newline="")
    return place


def _cells(result: dict[str, Any]) -> list[str]:
    cold, network = result["window"], result["network"]
    shape = f"{network['hidden']}×{network['layers']}"
    cells = [
        result["who"],
        f"{result['minutes']:g}",
        f"{math.log(result['carried']['perplexity']):.4f}",
        f"{math.log(cold['perplexity']):.4f}" if cold else "",
        f"{result['carried']['perplexity']:.2f}",
        f"{result['tokens_per_second']:,.0f}",
        shape,
    ]
    if result["mark"] and result["who"] in ("charlm", "plain loop"):
        when = passed(result["curve"], result["mark"])
        cells.append("never" if when is None else f"{when:.0f} s")
    return cells


def _line(result: dict[str, Any]) -> str:
    return " · ".join(_cells(result))


if __name__ == "__main__":
    typer.run(main)
