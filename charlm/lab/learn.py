"""Train small networks in seconds, for experiments: no run directory, nothing saved."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar, Unpack

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..config import NetworkConfig, TokenizerConfig, TrainConfig
from ..errors import CharlmError
from ..lm import Mask
from ..network.device import one_thread
from ..network.loss import cross_entropy
from ..network.network import Network, NetworkState, detach, new_network
from ..runs.defaults import Facts
from ..system import allocator, machine
from ..text.corpus import Corpus, prepare
from ..text.source import Reading, open_text, temporary_spool
from ..training import optimiser
from ..training.streams import Streams
from ..training.validation import validate
from .progress import Progress

Watch = Callable[[float, float], None]  # called with a step's loss (nats per token) and its
# gradient's L2 norm before clipping
Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 4  # processes: each has torch in memory
CONVERGED_STEPS = 10  # steps with a small loss, after which training stops


@dataclass(frozen=True)
class Task:
    """A batch of sequences, the target after each token, and where targets count."""

    x_TB: npt.NDArray[np.int64]
    y_TB: npt.NDArray[np.int64]
    counts_TB: Mask


@contextmanager
def corpus_of(path: str, config: TokenizerConfig, **how: Unpack[Reading]) -> Iterator[Corpus]:
    """A text as token ids, during an experiment. Raises CharlmError as `prepare` does."""
    with temporary_spool() as spool:
        yield prepare(open_text([path], spool=spool, **how), None, config, spool)


def facts_of(corpus: Corpus, train: int, valid: int) -> Facts:
    """The facts that default settings depend on.

    Raises CharlmError unless there are `train` training tokens and `valid` validation tokens.
    """
    found = (len(corpus.train), len(corpus.valid))
    if found[0] < train or found[1] < valid:
        raise CharlmError(
            f"{corpus.name} has {found[0]:,} training tokens and {found[1]:,} validation tokens; "
            f"this experiment needs {train:,} and {valid:,}: give more text"
        )
    return Facts(corpus.tokenizer.level, found[0], corpus.tokenizer.vocab_size, plain=True)


def train(
    network: NetworkConfig,
    config: TrainConfig,
    corpus: Corpus,
    progress: Progress | None = None,
) -> Network:
    """A network trained on the corpus's training text by truncated BPTT, `config.steps` steps.

    The same configurations give the same network. Raises CharlmError if the text is too short.
    """
    return train_network(new_network(network, config), config, corpus, progress)


@one_thread()
def train_network(
    learner: Network,
    config: TrainConfig,
    corpus: Corpus,
    progress: Progress | None = None,
    *,
    watch: Watch | None = None,
    reach: int | None = None,
) -> Network:
    """`train`, starting from the weights of `learner`.

    watch: called after every step. reach: the gradient is cut every `reach` tokens, a divisor of
    the `config.bptt` tokens of a step, all else being equal.
    """
    allocator.keep_pages()
    T = config.bptt
    optimizer = optimiser.build(config, learner)
    streams = Streams(corpus.train, config.batch_size, T, config.seed)
    state = learner.start(config.batch_size)
    for step in range(config.steps):
        batch = streams.next()
        if batch.fresh:
            state = learner.start(config.batch_size)
        optimizer.zero_grad(set_to_none=True)
        x_TB, y_TB = torch.from_numpy(batch.x_TB), torch.from_numpy(batch.y_TB)
        if reach is None or reach == T:
            loss, state = learner(x_TB, y_TB, state)
        else:
            starts, after = _states(learner, x_TB, state, reach)
            loss, _ = learner(_as_rows(x_TB, reach), _as_rows(y_TB, reach), starts)
            state = after
        loss.backward()
        state = detach(state)
        norm = optimiser.clip(config, learner.parameters())
        if watch is not None:
            watch(float(loss.detach()), norm)
        rate = optimiser.learning_rate(config, step, step / config.steps, config.warmup)
        optimiser.set_rate(optimizer, rate)
        optimizer.step()
        if progress is not None:
            progress((step + 1) / config.steps)
    return learner.eval()


@torch.no_grad()
def _states(
    learner: Network, x_TB: Tensor, state: NetworkState, reach: int
) -> tuple[NetworkState, NetworkState]:
    """The states before each piece of `reach` tokens, stacked as rows, and the last state."""
    states = [state]
    for piece in torch.split(x_TB, reach):
        states.append(learner.hidden_states(piece, states[-1])[1])
    layers = zip(*states[:-1], strict=True)
    starts = tuple(tuple(torch.cat(part) for part in zip(*layer, strict=True)) for layer in layers)
    return starts, states[-1]


def _as_rows(ids_TB: Tensor, reach: int) -> Tensor:
    """Pieces of `reach` tokens as rows: (reach, T / reach · B)."""
    return torch.cat(torch.split(ids_TB, reach), 1)


def train_on_task(
    learner: Network, draw: Callable[[], Task], steps: int, rate: float, *, target_loss: float = 0.0
) -> int:
    """Train on random sequences with Adam, each from the initial state; return the steps taken.

    Stops early once the loss has been below `target_loss` nats for CONVERGED_STEPS steps in a row.
    """
    allocator.keep_pages()
    config = TrainConfig(optimizer="adam", lr=rate, steps=steps, weight_decay=0.0)
    optimizer = optimiser.build(config, learner.train())
    good = step = 0
    while step < steps and good < CONVERGED_STEPS:
        task = draw()
        x_ND = _features(learner, task)
        targets = torch.from_numpy(task.y_TB[task.counts_TB])
        loss = cross_entropy(x_ND, learner.output.weight, learner.output.bias, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.clip(config, learner.parameters())
        optimizer.step()
        good = good + 1 if float(loss.detach()) < target_loss else 0
        step += 1
    learner.eval()
    return step


def _features(learner: Network, task: Task) -> Tensor:
    """What the softmax sees where a task counts, (N, D)."""
    tops_TBH, _ = learner.hidden_states(
        torch.from_numpy(task.x_TB), learner.start(task.x_TB.shape[1])
    )
    return learner.head(tops_TBH[torch.from_numpy(task.counts_TB)])


@torch.no_grad()
def logits_at(learner: Network, task: Task) -> npt.NDArray[np.float32]:
    """The logits where a task counts, (N, V), ordered by time, then rows."""
    found: npt.NDArray[np.float32] = learner.output(_features(learner, task)).numpy()
    return found


def run_parallel(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    weights: Sequence[float],
    progress: Progress | None = None,
) -> list[Result]:
    """Run `work` on every item in parallel processes, those of largest weight first.

    For many small trainings, in which torch itself cannot use a second core. `work` must be an
    importable function. Results do not depend on the number of processes.
    Raises CharlmError if a process dies.
    """
    order = sorted(range(len(items)), key=lambda k: -weights[k])
    workers = min(MAX_WORKERS, machine.cores(), len(items))
    found: dict[int, Result] = {}

    def collect(result: Result) -> None:
        found[order[len(found)]] = result
        if progress is not None:
            progress(sum(weights[k] for k in found) / sum(weights))

    heavy_first = [items[k] for k in order]
    if workers < 2:
        with one_thread():
            for item in heavy_first:
                collect(work(item))
    else:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, context, _begin_work)
        try:
            for result in pool.map(work, heavy_first):
                collect(result)
        except BrokenProcessPool:
            raise CharlmError("a training process died: is there enough memory?") from None
        except BaseException:  # such as Ctrl-C: do not wait for results
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
    return [found[k] for k in range(len(items))]


def _begin_work() -> None:
    """Set up a worker process: Ctrl-C is handled by its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def loss_on(network: Network, corpus: Corpus, max_tokens: int = 1 << 16) -> float:
    """Nats per token on the first `max_tokens` tokens of the corpus's validation text."""
    tokenizer = corpus.tokenizer
    return validate(network, corpus.valid[:max_tokens], tokenizer.eos, tokenizer.unk).nats_per_token
