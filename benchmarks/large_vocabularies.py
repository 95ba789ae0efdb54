"""Ways to train a softmax over very many words, at equal minutes: speed, quality, memory.

    python benchmarks/large_vocabularies.py compare TRAIN DEV TEST [--sizes 20000,50000,200000]
        [--ways exact,sample-2000,adaptive] [--seeds 1,2,3] [--minutes 1.5] [--json FILE]
    python benchmarks/large_vocabularies.py table FILE

The network, its recipe and its streams are those of `charlm train --level word --vocab-size V` with
`--hidden 256`; only the last layer differs:

    exact       softmax(W x + b) over all words, W tied to the embedding
    sample-N    the same network, whose sum is estimated from N words a step in training (what
                `--softmax-sample N` does); all words in use
    adaptive    torch.nn.AdaptiveLogSoftmaxWithLoss (Grave et al. 2017): frequent words and
                clusters of rarer ones, each in a smaller space; another model, and not tied

Each training is a process of its own, for its memory: the most that it had resident (RSS) until
training ended. The learning rate follows the fraction of the time that is gone, and its peak the
number of steps that it will be, as in `charlm train`. Perplexity is that of the last weights,
exact, over all words of the vocabulary, <UNK> counted as one. What is chosen (the size of a sample,
which way is the default) is chosen on DEV; TEST is reported. Trainings are taken in turn, so that a
machine that grows slower does so for all ways.
"""

from __future__ import annotations

import itertools
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch
import typer
from common import about, write_json
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from charlm.config import NetworkConfig, TokenizerConfig, TrainConfig
from charlm.lm import Ids
from charlm.network.device import has_bf16
from charlm.network.network import Network, NetworkState
from charlm.network.softmax_sample import frequencies
from charlm.runs import defaults
from charlm.runs.defaults import Facts
from charlm.system import allocator
from charlm.text.corpus import prepare
from charlm.text.source import open_text
from charlm.training import replica
from charlm.training.optimiser import learning_rate
from charlm.training.validation import validate

CUTOFFS = (2000, 10_000, 50_000)  # of the adaptive softmax: how many words the clusters end at
TIMED_STEPS, WARMUP_STEPS = 4, 50
SCORED_TOKENS = 12_000  # of DEV, and of TEST

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Trained:
    """One training and what came of it."""

    way: str
    words: int
    seed: int
    minutes: float
    tokens_per_second: float
    steps: int
    dev: float  # perplexity
    test: float
    megabytes: float


class AdaptiveNetwork(Network):
    """The network with torch's adaptive softmax, whose classes are sorted by frequency."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        V, D = config.vocab_size, config.hidden
        cutoffs = [size for size in CUTOFFS if size < V]
        self.adaptive = nn.AdaptiveLogSoftmaxWithLoss(D, V, cutoffs, div_value=4.0, head_bias=True)

    def start_from(self, counts_V: npt.NDArray[np.floating[Any]]) -> None:
        """Begin with the probabilities of frequent words and of clusters; those within, equal."""
        ends = self.adaptive.cutoffs
        clusters = [counts_V[a:b].sum() for a, b in itertools.pairwise(ends)]
        head = np.concatenate([counts_V[: ends[0]], clusters])
        with torch.no_grad():
            self.adaptive.head.bias.copy_(torch.from_numpy(np.log(head / head.sum())))

    def nats_of(self, x_ND: Tensor, y_N: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision is torch.bfloat16):
            output_N: Tensor = self.adaptive(x_ND, y_N).output
        return output_N.float()

    def forward(
        self, x_TB: Tensor, y_TB: Tensor, state: NetworkState
    ) -> tuple[Tensor, NetworkState]:
        x, after = self.features(x_TB, y_TB, state)
        return -self.nats_of(x.flatten(0, 1), y_TB.flatten()).mean(), after

    @torch.no_grad()
    def nats(self, x_TB: Tensor, y_TB: Tensor, state: NetworkState) -> tuple[Tensor, NetworkState]:
        x, after = self.features(x_TB, y_TB, state)
        return self.nats_of(x.flatten(0, 1).float(), y_TB.flatten()).view(y_TB.shape), after


def new_adaptive(shape: NetworkConfig, config: TrainConfig, ids: Ids) -> Network:
    """What `new_network` does, for an adaptive softmax."""
    network = AdaptiveNetwork(shape)
    network.initialise(config.seed)
    network.start_from(frequencies(ids, shape.vocab_size) + 1.0)
    network.precision = torch.bfloat16 if config.precision == "bf16" else torch.float32
    network.train()
    return network


@app.command()
def train(
    files: Annotated[list[Path], typer.Argument(help="TRAIN DEV TEST")],
    way: str,
    words: int,
    seed: int,
    minutes: float,
    cache: Path,
    hidden: int = 256,
) -> None:
    """One training; prints what came of it as JSON."""
    allocator.keep_pages()
    train_text, dev_text, test_text = (open_text([file]) for file in files)
    text = prepare(train_text, dev_text, TokenizerConfig(level="word", vocab_size=words), cache)
    tokenizer, ids = text.tokenizer, text.train
    facts = Facts("word", len(ids), tokenizer.vocab_size, plain=True)
    settings = {"hidden": hidden, "seed": seed, "softmax_sample": 0}
    if way.startswith("sample-"):
        settings["softmax_sample"] = int(way.removeprefix("sample-"))
    shape = defaults.network(settings, facts)
    config = replace(
        defaults.training(settings, facts),
        precision="bf16" if has_bf16("cpu") else "fp32",
        threads=torch.get_num_threads(),
    )
    if way == "adaptive":
        vars(replica)["new_network"] = new_adaptive
    own = replica.Replica(shape, config, ids)
    began, step, first = time.monotonic(), 0, config.lr
    for step in range(TIMED_STEPS):
        own.gradients(step)
        own.update(first * (step + 1) / WARMUP_STEPS)
    each = (time.monotonic() - began) / TIMED_STEPS
    steps = max(TIMED_STEPS + 1, round(60 * minutes / each))
    config = defaults.rate(replace(config, steps=steps), {}, facts)
    warmup = min(WARMUP_STEPS, steps // 10)
    while (gone := (time.monotonic() - began) / (60 * minutes)) < 1:
        step += 1
        own.gradients(step)
        own.update(learning_rate(config, step, gone, warmup))
    seconds = time.monotonic() - began
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    own.network.precision = torch.float32
    test_ids = np.concatenate([tokenizer.encode(chunk) for chunk in test_text.chunks()])
    dev, test = (
        validate(own.network, part[:SCORED_TOKENS], tokenizer.eos, tokenizer.unk).perplexity
        for part in (np.asarray(text.valid), test_ids)
    )
    speed = (step + 1) * config.batch_size * config.bptt / seconds
    done = Trained(way, words, seed, minutes, speed, step + 1, dev, test, megabytes)
    print(json.dumps(asdict(done)))


@app.command()
def compare(
    files: Annotated[list[Path], typer.Argument(help="TRAIN DEV TEST")],
    sizes: str = "20000,50000,200000",
    ways: str = "exact,sample-2000,adaptive",
    seeds: str = "1,2,3",
    minutes: float = 1.5,
    json_file: Annotated[Path | None, typer.Option("--json", help="Add rows to this file.")] = None,
) -> None:
    """Train in every way with every size and seed, and print the table."""
    rows: list[dict[str, Any]] = []
    if json_file is not None and json_file.exists():
        rows = json.loads(json_file.read_text("utf-8"))["rows"]
    there = {(row["way"], row["words"], row["seed"], row["minutes"]) for row in rows}
    with tempfile.TemporaryDirectory() as cache:
        for seed in map(int, seeds.split(",")):
            for words in map(int, sizes.split(",")):
                for way in ways.split(","):
                    if (way, words, seed, minutes) in there:
                        continue
                    spec = [*map(str, files), way, str(words), str(seed), str(minutes), cache]
                    command = [sys.executable, __file__, "train", *spec]
                    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
                    rows.append(json.loads(done.stdout.splitlines()[-1]))
                    print(rows[-1], file=sys.stderr, flush=True)
                    if json_file is not None:
                        write_json(json_file, {**about(), "rows": rows})
    show(rows)


@app.command()
def table(file: Path) -> None:
    """Print the table of a file of rows."""
    show(json.loads(file.read_text("utf-8"))["rows"])


def show(rows: list[dict[str, Any]]) -> None:
    """For each size and way: means over the seeds, ± the standard deviation of ln perplexity."""
    found: dict[tuple[int, str], list[Trained]] = defaultdict(list)
    for row in rows:
        found[row["words"], row["way"]].append(Trained(**row))
    shown = Table(box=None)
    for heading in (
        "words",
        "way",
        "seeds",
        "tokens/s",
        "ratio",
        "steps",
        "dev",
        "test",
        "±",
        "MB",
    ):
        shown.add_column(heading, justify="right")
    for (words, way), runs in sorted(found.items()):
        speed = statistics.mean(run.tokens_per_second for run in runs)
        exact = found.get((words, "exact"), runs)
        ratio = speed / statistics.mean(run.tokens_per_second for run in exact)
        logs = [[math.log(p) for p in (run.dev, run.test)] for run in runs]
        dev, test = (math.exp(statistics.mean(column)) for column in zip(*logs, strict=True))
        spread = statistics.stdev([log[1] for log in logs]) if len(logs) > 1 else math.nan
        shown.add_row(
            f"{words:,}",
            way,
            str(len(runs)),
            f"{speed:,.0f}",
            f"{ratio:.1f}",
            f"{statistics.mean(run.steps for run in runs):,.0f}",
            f"{dev:,.0f}",
            f"{test:,.0f}",
            f"{spread:.3f}",
            f"{statistics.mean(run.megabytes for run in runs):,.0f}",
        )
    Console(width=100).print(shown)


if __name__ == "__main__":
    app()
