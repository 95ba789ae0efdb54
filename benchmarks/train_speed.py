"""How fast networks train, against plain torch and against what the processor can multiply.

    python benchmarks/train_speed.py [--cells lstm,gru] [--hidden 256,512] [--json FILE]

For each cell and width: tokens per second of whole training steps (loss, gradients, clipping,
optimiser) with charlm in bf16 and fp32, against `nn.LSTM`, `nn.GRU` or `nn.RNN` of the same shape
in a tutorial's fp32 loop. Every case runs in a process of its own, charlm's with the allocator
settings that `charlm train` gives itself, the plain loop's with none. Cases take turns for a few
rounds, and the best round of each counts, since other work on a machine can only slow it down.

GFLOP/s counts the products alone, 6 · (G·H·(E + H) per layer + H·V) per token: two for a
multiply-add, once forward and twice backward. The fraction is relative to a square matrix product
on this machine in the same precision by torch's `@`; a layer may exceed 1 where another library
multiplies for it.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from common import PLAIN_LR, PlainLM, about, child, gemm_peak, train_step, write_json
from rich.console import Console
from rich.table import Table

from charlm.config import NetworkConfig, TrainConfig
from charlm.network.device import has_bf16
from charlm.system import allocator
from charlm.training import timing
from charlm.training.streams import Streams

PEERS = {"lstm": "lstm", "lstm-peephole": "lstm", "gru": "gru", "rnn": "rnn", "rnn-relu": "rnn"}


def flops_per_token(c: NetworkConfig) -> int:
    """Floating-point operations of the matrix products in training on one token."""
    layers = [
        c.gates * c.hidden * ((c.embed if k == 0 else c.hidden) + c.hidden) for k in range(c.layers)
    ]
    return 6 * (sum(layers) + c.hidden * c.vocab_size)


def run_child(spec: dict[str, Any]) -> float:
    """Seconds per training step of one case."""
    network, config = NetworkConfig(**spec["network"]), TrainConfig(**spec["training"])
    ids = np.random.default_rng(1).integers(0, network.vocab_size, 1 << 20).astype(np.uint16)
    if spec["plain"]:
        streams = Streams(ids, config.batch_size, config.bptt, 1)
        return _plain_seconds(network, config, streams, spec["seconds"])
    allocator.keep_pages()
    return timing.seconds_per_step(network, config, ids, spec["seconds"])


def _plain_seconds(
    network: NetworkConfig, config: TrainConfig, streams: Streams, seconds: float
) -> float:
    """Lower quartile of the seconds per step, as `timing.seconds_per_step` has it."""
    V, E, H, layers = network.vocab_size, network.embed, network.hidden, network.layers
    model = PlainLM(V, E, H, layers, PEERS[network.cell], network.tied)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PLAIN_LR)
    times: list[float] = []
    state, end = None, time.perf_counter() + seconds
    while len(times) < 4 or time.perf_counter() < end:
        began = time.perf_counter()
        batch = streams.next()
        x_TB, y_TB = torch.from_numpy(batch.x_TB), torch.from_numpy(batch.y_TB)
        _, state = train_step(model, optimizer, x_TB, y_TB, state)
        times.append(time.perf_counter() - began)
    return statistics.quantiles(times[1:], n=4)[0]


def main(
    cells: Annotated[str, typer.Option(help="Which, with commas.")] = ",".join(PEERS),
    hidden: Annotated[str, typer.Option(help="Units of a layer; several with commas.")] = "512",
    layers: Annotated[int, typer.Option(min=1)] = 1,
    embed: Annotated[int, typer.Option(min=1)] = 64,
    vocab: Annotated[int, typer.Option(min=2, help="Token kinds.")] = 65,
    batch: Annotated[int, typer.Option(min=1)] = 32,
    bptt: Annotated[int, typer.Option(min=1)] = 64,
    tied: Annotated[
        bool, typer.Option(help="Share the softmax's matrix (embed = hidden).")
    ] = False,
    seconds: Annotated[float, typer.Option(help="Time for each case in each round.")] = 4.0,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
    child_spec: Annotated[str | None, typer.Option("--child", hidden=True)] = None,
) -> None:
    """Time training steps."""
    if child_spec is not None:
        print(json.dumps(run_child(json.loads(child_spec))))
        return
    console = Console()
    machine = about()
    peaks = {"fp32": gemm_peak(torch.float32)}
    if has_bf16("cpu"):
        peaks["bf16"] = gemm_peak(torch.bfloat16)
    console.print(
        f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}; "
        + ", ".join(f"{name} products: {peak:.0f} GFLOP/s" for name, peak in peaks.items())
    )
    shape = f"{layers} layer(s), E {embed}, V {vocab}, B {batch}, T {bptt}"
    table = Table("cell", "H", box=None, title=f"training, {shape}", title_justify="left")
    for heading in ("precision", "tokens/s", "GFLOP/s", "of peak", "of plain"):
        table.add_column(heading, justify="right")
    results = []
    for cell in cells.split(","):
        for width in (int(part) for part in hidden.split(",")):
            network = NetworkConfig(vocab, cell, embed if not tied else width, width, layers)
            spec = {"network": {**network.as_dict(), "tied": tied}, "seconds": seconds}
            cases = [("plain fp32", True, "fp32"), *((name, False, name) for name in peaks)]
            best = dict.fromkeys((name for name, _, _ in cases), float("inf"))
            for _ in range(rounds):
                for name, plain, precision in cases:
                    training = TrainConfig(
                        batch_size=batch,
                        bptt=bptt,
                        precision=precision,
                        threads=torch.get_num_threads(),
                    )
                    case = {**spec, "plain": plain, "training": training.as_dict()}
                    best[name] = min(best[name], child(__file__, case, tuned=not plain))
            for name, _, precision in cases:
                speed = batch * bptt / best[name]
                gflops = speed * flops_per_token(network) / 1e9
                result = {
                    "cell": cell,
                    "hidden": width,
                    "case": name,
                    "tokens_per_second": speed,
                    "gflops": gflops,
                    "of_peak": gflops / peaks[precision],
                    "of_plain": best["plain fp32"] / best[name],
                }
                results.append(result)
                shown = f"nn.{PEERS[cell].upper()} fp32" if name == "plain fp32" else name
                table.add_row(
                    cell,
                    str(width),
                    shown,
                    f"{speed:,.0f}",
                    f"{gflops:.0f}",
                    f"{result['of_peak']:.2f}",
                    f"{result['of_plain']:.2f}",
                )
    console.print(table)
    write_json(json_file, {"peak_gflops": peaks, "shape": shape, "results": results})


if __name__ == "__main__":
    typer.run(main)
