"""Where the time of a training step goes.

    python benchmarks/train_profile.py [--cell lstm] [--hidden 512] [--vocab 65] [--json FILE]

A step of charlm's loop is timed part by part: batch and Python, recurrent layers forward, softmax
and loss (whose gradients are computed along the way), everything backward, clipping, optimiser.
Next to the time of the recurrent layers is what their products alone would take at the speed of a
large matrix product; the rest is pointwise work, the small size of each step's product, and copies.
"""

from __future__ import annotations

import statistics
import time
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from common import about, gemm_peak, write_json
from rich.console import Console
from rich.table import Table
from train_speed import flops_per_token

from charlm.config import NetworkConfig, TrainConfig
from charlm.network.device import has_bf16
from charlm.network.loss import cross_entropy
from charlm.network.network import detach, new_network
from charlm.system import allocator
from charlm.training import optimiser
from charlm.training.streams import Streams

PARTS = (
    "batch, Python",
    "layers forwards",
    "softmax and loss",
    "backwards",
    "clipping",
    "optimiser",
)


def profile(network: NetworkConfig, config: TrainConfig, seconds: float) -> dict[str, float]:
    """Median seconds of each part of a step."""
    ids = np.random.default_rng(1).integers(0, network.vocab_size, 1 << 20).astype(np.uint32)
    streams = Streams(ids, config.batch_size, config.bptt, 1)
    model = new_network(network, config)
    optimizer = optimiser.build(config, model)
    state = model.start(config.batch_size)
    times: list[list[float]] = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        marks = [time.perf_counter()]
        batch = streams.next()
        x_TB, y_TB = torch.from_numpy(batch.x_TB), torch.from_numpy(batch.y_TB)
        optimizer.zero_grad()
        marks.append(time.perf_counter())
        features, state = model.features(x_TB, y_TB, state)
        marks.append(time.perf_counter())
        x_ND = features.flatten(0, 1)
        loss: Any = cross_entropy(x_ND, model.output.weight, model.output.bias, y_TB.flatten())
        marks.append(time.perf_counter())
        loss.backward()
        marks.append(time.perf_counter())
        optimiser.clip(config, model.parameters())
        marks.append(time.perf_counter())
        optimizer.step()
        state = detach(state)
        marks.append(time.perf_counter())
        times.append([b - a for a, b in pairwise(marks)])
    columns = zip(*times[2:], strict=True)
    return dict(zip(PARTS, (statistics.median(column) for column in columns), strict=True))


def main(
    cell: Annotated[str, typer.Option()] = "lstm",
    hidden: Annotated[int, typer.Option()] = 512,
    layers: Annotated[int, typer.Option()] = 1,
    embed: Annotated[int, typer.Option()] = 64,
    vocab: Annotated[int, typer.Option()] = 65,
    batch: Annotated[int, typer.Option()] = 32,
    bptt: Annotated[int, typer.Option()] = 64,
    tied: Annotated[
        bool, typer.Option(help="Share the softmax's matrix (embed = hidden).")
    ] = False,
    optimizer: Annotated[str, typer.Option()] = "adamw",
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16; else both.")] = None,
    seconds: Annotated[float, typer.Option()] = 5.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """Time the parts of a training step."""
    allocator.relaunch()
    allocator.keep_pages()
    console, machine = Console(), about()
    console.print(f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}")
    network = NetworkConfig(vocab, cell, hidden if tied else embed, hidden, layers, tied=tied)
    table = Table("", box=None, title=f"a step of {batch} × {bptt} tokens", title_justify="left")
    names = [precision] if precision else ["fp32", "bf16"] if has_bf16("cpu") else ["fp32"]
    found, floors = {}, {}
    for name in names:
        config = TrainConfig(batch_size=batch, bptt=bptt, precision=name, optimizer=optimizer)
        found[name] = profile(network, config, seconds)
        peak = gemm_peak(torch.bfloat16 if name == "bf16" else torch.float32)
        floors[name] = batch * bptt * flops_per_token(network) / peak / 1e9
        table.add_column(f"{name}, ms", justify="right")
        table.add_column("share", justify="right")
    for part in PARTS:
        cells = []
        for name in names:
            whole = sum(found[name].values())
            cells += [f"{1e3 * found[name][part]:.1f}", f"{found[name][part] / whole:.0%}"]
        table.add_row(part, *cells)
    cells = []
    for name in names:
        whole = sum(found[name].values())
        cells += [f"{1e3 * floors[name]:.1f}", f"{floors[name] / whole:.0%}"]
    table.add_row("(all products at GEMM peak)", *cells, style="dim")
    console.print(table)
    write_json(json_file, {"network": network.as_dict(), "seconds": found, "products": floors})


if __name__ == "__main__":
    typer.run(main)
