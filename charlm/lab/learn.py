"""Small networks trained in seconds, for the experiments: no run directory, nothing saved."""

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

Watch = Callable[[float, float], None]  # … of a step's loss (nats per token) and its gradient's
# L2 norm before clipping
Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 4  # processes, at most: each has torch in its memory
CONVERGED_STEPS = 10  # steps of small loss, after which nothing is left to learn


@dataclass(frozen=True)
class Task:
    """Sequences side by side, what follows each token, and where that is to be learned."""

    x_TB: npt.NDArray[np.int64]
    y_TB: npt.NDArray[np.int64]
    counts_TB: Mask


@contextmanager
def corpus_of(path: str, config: TokenizerConfig, **how: Unpack[Reading]) -> Iterator[Corpus]:
    """A text as token ids for the time of an experiment. Raises CharlmError as `prepare` does."""
    with temporary_spool() as place:
        yield prepare(open_text([path], spool=place, **how), None, config, place)


def facts_of(corpus: Corpus, train: int, valid: int) -> Facts:
    """What defaults depend on.

    Raises CharlmError unless there are `train` tokens to learn from and `valid` to measure on.
    """
    found = (len(corpus.train), len(corpus.valid))
    if found[0] < train or found[1] < valid:
        raise CharlmError(
            f"{corpus.name} has {found[0]:,} tokens to learn from and {found[1]:,} to measure on, "
            f"where this experiment needs {train:,} and {valid:,}: give more text"
        )
    return Facts(corpus.tokenizer.level, found[0], corpus.tokenizer.vocab_size)


def train(
    network: NetworkConfig,
    config: TrainConfig,
    corpus: Corpus,
    progress: Progress | None = None,
) -> Network:
    """A network trained on the corpus's training text by truncated BPTT, `config.steps` steps.

    The same configurations make the same network. Raises CharlmError if the text is too short.
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
    """`train`, from the weights that `learner` has.

    `watch` hears of every step. `reach`: the gradient is cut every so many tokens, a divisor of
    the `config.bptt` tokens of a step, all else being equal.
    """
    allocator.keep_pages()
    T, eos = config.bptt, corpus.tokenizer.eos
    optimizer = optimiser.build(config, learner)
    streams = Streams(corpus.train, config.batch_size, T, config.seed, eos)
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
            loss, _ = learner(_beside(x_TB, reach), _beside(y_TB, reach), starts)
            state = after
        loss.backward()
        state = detach(state)
        norm = optimiser.clip(config, learner.parameters())
        if watch is not None:
            watch(float(loss.detach()), norm)
        for group in optimizer.param_groups:
            group["lr"] = optimiser.learning_rate(config, step, step / config.steps)
        optimizer.step()
        if progress is not None:
            progress((step + 1) / config.steps)
    return learner.eval()


@torch.no_grad()
def _states(
    learner: Network, x_TB: Tensor, state: NetworkState, reach: int
) -> tuple[NetworkState, NetworkState]:
    """The states before each piece of `reach` tokens, side by side as rows, and the last."""
    states = [state]
    for piece in torch.split(x_TB, reach):
        states.append(learner.hidden_states(piece, states[-1])[1])
    layers = zip(*states[:-1], strict=True)
    starts = tuple(tuple(torch.cat(part) for part in zip(*own, strict=True)) for own in layers)
    return starts, states[-1]


def _beside(ids_TB: Tensor, reach: int) -> Tensor:
    """Pieces of `reach` tokens side by side: (reach, T / reach · B)."""
    return torch.cat(torch.split(ids_TB, reach), 1)


def train_on_task(
    learner: Network, draw: Callable[[], Task], steps: int, rate: float, *, enough: float = 0.0
) -> int:
    """Train on drawn sequences, Adam at `rate`, all from the first state; gives the steps taken.

    Ends before `steps` once the loss has been below `enough` nats for STILL steps running.
    """
    allocator.keep_pages()
    config = TrainConfig(optimizer="adam", lr=rate, steps=steps, weight_decay=0.0)
    optimizer = optimiser.build(config, learner.train())
    good = step = 0
    while step < steps and good < CONVERGED_STEPS:
        task = draw()
        x_ND = _features(learner, task)
        wanted = torch.from_numpy(task.y_TB[task.counts_TB])
        loss = cross_entropy(x_ND, learner.output.weight, learner.output.bias, wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.clip(config, learner.parameters())
        optimizer.step()
        good = good + 1 if float(loss.detach()) < enough else 0
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
    """(N, V): what the network says where a task counts, in the order of time, then rows."""
    found: npt.NDArray[np.float32] = learner.output(_features(learner, task)).numpy()
    return found


def run_parallel(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    weights: Sequence[float],
    progress: Progress | None = None,
) -> list[Result]:
    """`work` done on every item, several at once in processes of their own, heavy ones first.

    For many small trainings: torch itself finds nothing to do for a second core in them. `work`
    is a function that can be imported. What comes out does not depend on how many run at once.
    Raises CharlmError if a process dies.
    """
    order = sorted(range(len(items)), key=lambda k: -weights[k])
    workers = min(MAX_WORKERS, machine.cores(), len(items))
    found: dict[int, Result] = {}

    def took(result: Result) -> None:
        found[order[len(found)]] = result
        if progress is not None:
            progress(sum(weights[k] for k in found) / sum(weights))

    heavy_first = [items[k] for k in order]
    if workers < 2:
        with one_thread():
            for item in heavy_first:
                took(work(item))
    else:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(workers, context, _begin_work)
        try:
            for result in pool.map(work, heavy_first):
                took(result)
        except BrokenProcessPool:
            raise CharlmError("a process that trained died: is there memory enough?") from None
        except BaseException:  # Ctrl-C, say: nobody waits for what is not asked for any more
            for process in multiprocessing.active_children():
                process.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
    return [found[k] for k in range(len(items))]


def _begin_work() -> None:
    """Of a process that works: Ctrl-C is its parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def loss_on(network: Network, corpus: Corpus, most: int = 1 << 16) -> float:
    """Nats per token on the first `most` tokens of the corpus's validation text."""
    tokenizer = corpus.tokenizer
    return validate(network, corpus.valid[:most], tokenizer.eos, tokenizer.unk).nats_per_token
