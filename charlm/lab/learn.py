"""Small networks trained in seconds, for the experiments: no run directory, nothing saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from .. import allocator, optimise, pace
from ..config import NetworkConfig, TokenizerConfig, TrainConfig
from ..corpus import Corpus, Streams, prepare
from ..network import Network, detach
from ..text import open_text
from ..validation import validate

Progress = Callable[[float], None]  # hears of the share done, 0 to 1


@contextmanager
def corpus_of(
    path: str, config: TokenizerConfig, encoding: str = "utf-8", errors: str = "strict"
) -> Iterator[Corpus]:
    """A text as token ids for the time of an experiment. Raises CharlmError as `prepare` does."""
    with TemporaryDirectory(prefix="charlm-") as directory:
        cache = Path(directory)
        yield prepare(open_text([path], encoding, errors, cache / "stdin"), None, config, cache)


def train(
    network: NetworkConfig,
    config: TrainConfig,
    corpus: Corpus,
    progress: Progress | None = None,
) -> Network:
    """A network trained on the corpus's training text by truncated BPTT, `config.steps` steps.

    The same configurations make the same network. Raises CharlmError if the text is too short.
    """
    allocator.keep_pages()
    learner = pace.start(network, config)
    optimizer = optimise.build(config, learner)
    eos = corpus.tokenizer.eos
    streams = Streams(corpus.train, config.batch_size, config.bptt, config.seed, eos)
    state = learner.start(config.batch_size)
    for step in range(config.steps):
        batch = streams.next()
        if batch.fresh:
            state = learner.start(config.batch_size)
        optimizer.zero_grad(set_to_none=True)
        loss, after = learner(torch.from_numpy(batch.x_TB), torch.from_numpy(batch.y_TB), state)
        loss.backward()
        state = detach(after)
        optimise.clip(config, learner.parameters())
        for group in optimizer.param_groups:
            group["lr"] = optimise.learning_rate(config, step, step / config.steps)
        optimizer.step()
        if progress is not None:
            progress((step + 1) / config.steps)
    return learner.eval()


def loss_on(network: Network, corpus: Corpus, most: int = 1 << 16) -> float:
    """Nats per token on the first `most` tokens of the corpus's validation text."""
    tokenizer = corpus.tokenizer
    return validate(network, corpus.valid[:most], tokenizer.eos, tokenizer.unk).nats_per_token
