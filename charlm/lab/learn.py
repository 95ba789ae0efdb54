"""Small networks trained in seconds, for the experiments: no run directory, nothing saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from .. import allocator, optimise, pace
from ..config import NetworkConfig, TokenizerConfig, TrainConfig
from ..corpus import Corpus, Streams, prepare
from ..defaults import Facts
from ..errors import CharlmError
from ..network import Network, NetworkState, detach
from ..text import open_text
from ..validation import validate
from .progress import Progress as Progress
from .progress import shares as shares

Watch = Callable[[float, float], None]  # … of a step's loss (nats per token) and its gradient's
# L2 norm before clipping


@contextmanager
def corpus_of(
    path: str, config: TokenizerConfig, encoding: str = "utf-8", errors: str = "strict"
) -> Iterator[Corpus]:
    """A text as token ids for the time of an experiment. Raises CharlmError as `prepare` does."""
    with TemporaryDirectory(prefix="charlm-") as directory:
        cache = Path(directory)
        yield prepare(open_text([path], encoding, errors, cache / "stdin"), None, config, cache)


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
    return teach(pace.start(network, config), config, corpus, progress)


def teach(
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
    optimizer = optimise.build(config, learner)
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
        norm = optimise.clip(config, learner.parameters())
        if watch is not None:
            watch(float(loss.detach()), norm)
        for group in optimizer.param_groups:
            group["lr"] = optimise.learning_rate(config, step, step / config.steps)
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
        states.append(learner.tops(piece, states[-1])[1])
    layers = zip(*states[:-1], strict=True)
    starts = tuple(tuple(torch.cat(part) for part in zip(*own, strict=True)) for own in layers)
    return starts, states[-1]


def _beside(ids_TB: Tensor, reach: int) -> Tensor:
    """Pieces of `reach` tokens side by side: (reach, T / reach · B)."""
    return torch.cat(torch.split(ids_TB, reach), 1)


def loss_on(network: Network, corpus: Corpus, most: int = 1 << 16) -> float:
    """Nats per token on the first `most` tokens of the corpus's validation text."""
    tokenizer = corpus.tokenizer
    return validate(network, corpus.valid[:most], tokenizer.eos, tokenizer.unk).nats_per_token
