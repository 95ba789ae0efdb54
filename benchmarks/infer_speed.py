"""How fast a finished model is: one token, many texts at once, and scoring in bulk.

    python benchmarks/infer_speed.py [--model RUN] [--hidden 512] [--vocab 65] [--json FILE]

One token: `advance` and `predict` in NumPy and the same step in torch, against two limits of the
machine: the time to read the weights from main memory at its measured bandwidth, and the time of
the matrix-vector products alone with weights that stay in the cache. Sampling: tokens per second of
1 and of 64 texts at once, against what a product with 64 rows allows. Scoring: sentences of many
lengths, one at a time, in batches sorted by length, and by torch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from common import about, best_of, write_json
from rich.console import Console
from rich.table import Table

from charlm.config import NetworkConfig, TokenizerConfig
from charlm.models import model_file
from charlm.models.recurrent import RecurrentLM, recurrent
from charlm.network.bulk_scoring import TorchLM
from charlm.runs import locate
from charlm.tasks.sample import sample
from charlm.text import tokenizer
from charlm.text.tokenizer import Tokenizer

SECONDS = 1.0  # for each measurement
TEXTS = 64
BANDWIDTH_BYTES = 1 << 28  # far more than a cache holds


def random_model(config: NetworkConfig) -> tuple[RecurrentLM, Tokenizer]:
    """A model with random weights and a made-up vocabulary of characters."""
    kinds = "".join(chr(0x4E00 + k) for k in range(config.vocab_size - 1))
    tokens = tokenizer.build(TokenizerConfig(), [kinds])
    rng = np.random.default_rng(1)
    shapes = NetworkConfig(**{**config.as_dict(), "vocab_size": tokens.vocab_size})
    tensors = {
        name: rng.normal(0, 0.05, shape).astype(np.float32)
        for name, shape in shapes.shapes().items()
    }
    return RecurrentLM(shapes, tensors, tokens.eos), tokens


def read_seconds(count: int) -> float:
    """Seconds to read `count` bytes from main memory, at the bandwidth of summing a large array."""
    large = np.ones(BANDWIDTH_BYTES // 4, np.float32)
    return best_of(lambda: np.dot(large, large), SECONDS) * count / BANDWIDTH_BYTES


def step_matrices(lm: RecurrentLM) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
    """The matrices that a step of a single text must read in full."""
    found = [cell.W for cell in lm.stack.cells] + [cell.U for cell in lm.stack.cells[1:]]
    return [*found, *(weight for weight, _ in lm.head.dense), lm.head.output]


def one_token(lm: RecurrentLM) -> dict[str, float]:
    """Seconds per step, and its limits."""
    state, ids = lm.start(1), np.array([1])

    def step() -> None:
        nonlocal state
        state = lm.advance(state, ids)
        lm.predict(state)

    matrices = step_matrices(lm)
    vectors = [np.ones(matrix.shape[1], np.float32) for matrix in matrices]
    outs = [np.empty(matrix.shape[0], np.float32) for matrix in matrices]

    def products() -> None:
        for matrix, vector, out in zip(matrices, vectors, outs, strict=True):
            np.dot(matrix, vector, out=out)

    engine = TorchLM(lm, "cpu")
    network = engine.network
    x = torch.tensor([[1]])
    carried = network.start(1)

    def torch_step() -> None:
        nonlocal carried
        with torch.inference_mode():
            top, carried = network.features(x, x, carried)
            torch.log_softmax(network.output(top), -1)

    return {
        "charlm (NumPy)": best_of(step, SECONDS),
        "torch": best_of(torch_step, SECONDS),
        "limit: weights from memory": read_seconds(sum(m.nbytes for m in matrices)),
        "limit: products from cache": best_of(products, SECONDS),
    }


def sampling(lm: RecurrentLM, tokens: Tokenizer) -> dict[str, float]:
    """Tokens per second: one text, TEXTS texts, and what the large product alone would allow."""

    def speed(texts: int, length: int) -> float:
        def draw() -> None:
            sample(lm, tokens, num_samples=texts, max_tokens=length, lines=1 << 30)

        return texts * length / best_of(draw, 2 * SECONDS)

    matrices = step_matrices(lm)
    rows = [np.ones((TEXTS, matrix.shape[1]), np.float32) for matrix in matrices]

    def products() -> None:
        for matrix, h in zip(matrices, rows, strict=True):
            h @ matrix.T

    return {
        "1 text": speed(1, 400),
        f"{TEXTS} texts": speed(TEXTS, 100),
        f"limit: products of {TEXTS} rows": TEXTS / best_of(products, SECONDS),
    }


def scoring(lm: RecurrentLM, count: int) -> dict[str, float]:
    """Tokens per second over sentences of 10 to 200 tokens."""
    rng = np.random.default_rng(2)
    seqs = [rng.integers(0, lm.vocab_size, rng.integers(10, 200)) for _ in range(count)]
    total = sum(len(seq) for seq in seqs)

    def rate(what: Callable[[], object], part: float = 1.0) -> float:
        return total * part / best_of(what, 2 * SECONDS)

    few = seqs[: max(1, count // 20)]
    engine = TorchLM(lm, "cpu")
    found = {
        "one sentence after another": rate(
            lambda: [lm.logprobs([seq]) for seq in few], sum(map(len, few)) / total
        ),
        "charlm (NumPy), sorted batches": rate(lambda: lm.logprobs(seqs)),
        "torch engine on the CPU": rate(lambda: engine.logprobs(seqs)),
    }
    if torch.cuda.is_available():
        cuda = TorchLM(lm, "cuda")
        found["torch engine on CUDA"] = rate(lambda: cuda.logprobs(seqs))
    return found


def main(
    model: Annotated[Path | None, typer.Option(help="A run; else random weights.")] = None,
    cell: Annotated[str, typer.Option()] = "lstm",
    hidden: Annotated[int, typer.Option()] = 512,
    layers: Annotated[int, typer.Option()] = 1,
    vocab: Annotated[int, typer.Option()] = 65,
    sentences: Annotated[int, typer.Option(help="How many to score.")] = 1000,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """Time inference."""
    console, machine = Console(), about()
    console.print(f"{machine['processor']}, {machine['threads']} threads, numpy {np.__version__}")
    if model is not None:
        contents = model_file.read(locate.resolve(model))
        lm, tokens = recurrent(model_file.build(contents), "this benchmark"), contents.tokenizer
    else:
        embed = min(hidden, 64 if vocab <= 256 else 128)
        lm, tokens = random_model(NetworkConfig(vocab, cell, embed, hidden, layers))
    started = time.perf_counter()
    results = {
        "one token": one_token(lm),
        "sampling": sampling(lm, tokens),
        "scoring": scoring(lm, sentences),
    }
    c = lm.config
    console.print(f"{c.cell}, {c.layers} × {c.hidden}, V {c.vocab_size}")
    table = Table("", box=None, title="one token", title_justify="left")
    table.add_column("µs", justify="right")
    table.add_column("of charlm", justify="right")
    own = results["one token"]["charlm (NumPy)"]
    for name, seconds in results["one token"].items():
        table.add_row(name, f"{1e6 * seconds:.1f}", f"{seconds / own:.2f}")
    console.print(table)
    for part in ("sampling", "scoring"):
        table = Table("", box=None, title=part, title_justify="left")
        table.add_column("tokens/s", justify="right")
        table.add_column("ratio", justify="right")
        first = next(iter(results[part].values()))
        for name, speed in results[part].items():
            table.add_row(name, f"{speed:,.0f}", f"{speed / first:.1f}")
        console.print(table)
    console.print(f"in {time.perf_counter() - started:.0f} s", style="dim")
    write_json(json_file, {"config": c.as_dict(), "results": results})


if __name__ == "__main__":
    typer.run(main)
