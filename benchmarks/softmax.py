"""What a large softmax costs in training: over all words, and over a sample of them.

    python benchmarks/softmax.py [--vocab-size 18405] [--sample 2000] [--widths 128,256,512]

Forward and backward through the softmax of one step, 1,536 tokens whose words are distributed by
Zipf's law, in bf16 where the processor multiplies it. Milliseconds are the best of two seconds; the
baseline, all words, is timed in the same run.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
import typer
from common import best_of
from rich.console import Console
from rich.table import Table

from charlm.network.device import has_bf16
from charlm.network.loss import cross_entropy
from charlm.network.softmax_sample import SoftmaxSample
from charlm.system import allocator, machine

TOKENS = 1536  # of a step: 32 streams of 48
COUNTED = 800_000  # of the text that frequencies are taken from


def milliseconds(D: int, V: int, y_N: torch.Tensor, sampler: SoftmaxSample | None) -> float:
    """Of one forward and backward pass."""
    precision = torch.bfloat16 if has_bf16("cpu") else torch.float32
    x_ND = torch.randn(len(y_N), D).to(precision).requires_grad_()
    weight_VD = (torch.randn(V, D) / D**0.5).requires_grad_()
    bias_V = torch.zeros(V, requires_grad=True)

    def step() -> None:
        weight_VD.grad = bias_V.grad = None
        sample = sampler.draw(y_N) if sampler else None
        loss = cross_entropy(x_ND, weight_VD, bias_V, y_N, sample)
        loss.backward()  # type: ignore[no-untyped-call]

    return 1000 * best_of(step, seconds=2.0)


def main(
    vocab_size: Annotated[int, typer.Option()] = 18_405,
    sample: Annotated[int, typer.Option(help="Words of a step's softmax.")] = 2000,
    widths: Annotated[str, typer.Option()] = "128,256,512",
) -> None:
    """Time the softmax."""
    allocator.keep_pages()
    torch.manual_seed(0)
    chances = 1 / np.arange(1, vocab_size + 1)
    ids = np.random.default_rng(0).choice(vocab_size, COUNTED, p=chances / chances.sum())
    y_N, sampler = torch.from_numpy(ids[:TOKENS]), SoftmaxSample(ids, vocab_size, sample)
    table = Table(box=None)
    for heading in ("D", "all words, ms", f"{sample:,} of them, ms", "ratio"):
        table.add_column(heading, justify="right")
    for D in map(int, widths.split(",")):
        everything = milliseconds(D, vocab_size, y_N, None)
        sampled = milliseconds(D, vocab_size, y_N, sampler)
        ratio = f"{everything / sampled:.1f}"
        table.add_row(str(D), f"{everything:.0f}", f"{sampled:.0f}", ratio)
    console = Console()
    console.print(f"{machine.processor()}, {torch.get_num_threads()} threads, V = {vocab_size:,}")
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
