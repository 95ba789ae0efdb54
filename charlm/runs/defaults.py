"""Default settings of a run, chosen to fit the text: each choice with its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from ..config import NetworkConfig, TokenizerConfig, TrainConfig
from ..errors import require

DEFAULT_MINUTES = 3.0  # the budget when none is given
MUON = {"optimizer": "muon", "muon_scale": 2.0, "muon_interval": 4}  # docs/decisions/0021
FINE_TUNING = {"lr": 4e-3, "muon_scale": 1.0}  # more is no better and forgets more
STREAMS, WIDE_STREAMS, WIDE = 32, 64, 2048  # more streams from so many units on
LARGE_SOFTMAX = 2000  # vocabulary size above which the softmax is most of the network
SAMPLED_SOFTMAX = 8000  # above which it is trained on a sample of
ONLY_OF = {"muon_scale": "muon", "muon_interval": "muon", "momentum": "sgd"}  # setting: optimiser
SAMPLE_SIZE = 2000  # words (docs/decisions/0036)


@dataclass(frozen=True)
class Facts:
    """What the defaults depend on."""

    level: str
    tokens: int  # of training text
    vocab_size: int
    plain: bool = False  # whether the textbook's network is wanted


def tokenizer(settings: Mapping[str, Any]) -> TokenizerConfig:
    """Characters by default: no unknown words, any language, any file."""
    return TokenizerConfig(**_pick(TokenizerConfig, settings))


def network(settings: Mapping[str, Any], facts: Facts) -> NetworkConfig:
    """Width by corpus size; a small embedding for a small vocabulary.

    An embedding wider than the vocabulary adds cost and nothing else: for 65 characters, 64
    instead of 512 makes LSTM 512 training 1.5 times as fast. A large softmax shares its matrix
    with the embedding (Press and Wolf 2017), so both are as wide as the layer.

    Further layers are added to the first, where two layers learn 2 to 10 % more from as many steps
    than stacked (docs/decisions/0022).
    """
    hidden = settings.get("hidden") or (256 if facts.tokens < 200_000 else 512)
    chosen: dict[str, Any] = {"vocab_size": facts.vocab_size, "hidden": hidden}
    stacked = (settings.get("layers") or 1) > 1
    require(stacked or not settings.get("residual"), "`residual` is for two layers or more")
    chosen["residual"] = stacked and not facts.plain and not settings.get("bidirectional")
    if facts.vocab_size > LARGE_SOFTMAX:
        chosen |= {"tied": True, "embed": hidden}
    else:
        chosen["embed"] = min(hidden, 64 if facts.vocab_size <= 256 else 128)
    return NetworkConfig(**(chosen | _pick(NetworkConfig, settings)))


def dropout(
    network: NetworkConfig,
    settings: Mapping[str, Any],
    facts: Facts,
    epochs: float,
    rate: float | None = None,
) -> NetworkConfig:
    """`network` with dropout to suit the number of epochs, unless the user has set it.

    rate: the setting `dropout`, which applies wherever `settings` has no specific rate.

    The best rate grows with the number of epochs. tinyshakespeare, LSTM 512, one run each, nats per
    character (docs/decisions/0021): 1.4 epochs 1.607 without, 1.625 with 0.1; 4.5 epochs 1.558 with
    0.12, 1.555 with 0.24. Recurrent weights: on a quarter of the text, 25 epochs, 1.87 with a fifth
    of them dropped, 1.91 with two fifths, 1.92 and rising without (record 7). Values in between,
    and both bounds for words, are estimates.
    """
    large = facts.vocab_size > LARGE_SOFTMAX
    doublings = math.log2(max(epochs, 1e-9) / 1.4)
    use_default = rate is None
    if rate is None:
        rate = (epochs - 2) / 12 if large else 0.14 * doublings
        rate = round(min(0.5, max(0.0, rate)), 2)
    rates = {"dropout_between": rate, "dropout_output": rate}
    rates["dropout_input"] = rate if large else round(rate / 4, 2)
    if not large and use_default:
        rates["weight_drop"] = round(min(0.2, max(0.0, 0.1 * (doublings - 2.5))), 2)
    given = _pick(NetworkConfig, settings)
    return replace(network, **{name: given.get(name, value) for name, value in rates.items()})


def training(
    settings: Mapping[str, Any], facts: Facts, *, fine_tuning: bool = False
) -> TrainConfig:
    """Few enough streams that a small corpus still gives many steps per epoch.

    Half a minute on 73 kB of English, bits per character with 32 and with 8 streams: one layer
    2.251 and 2.210, three layers 2.986 and 2.600; a megabyte: 2.451 and 2.477. With a large softmax
    all are alike (docs/decisions/0017). A wide layer has more of them, since its recurrent weights
    are read from memory once for all streams (docs/decisions/0037).

    fine_tuning: the network is trained already, and its learning rate is lower.
    """
    bptt = 64 if facts.vocab_size <= LARGE_SOFTMAX else 48
    wide = (settings.get("hidden") or 0) >= WIDE and not fine_tuning
    streams = WIDE_STREAMS if wide else STREAMS
    while streams > 4:
        wanted = 96 if streams > 8 and facts.vocab_size <= LARGE_SOFTMAX else 16
        if facts.tokens // (streams * bptt) >= wanted:
            break
        streams //= 2
    shortest = settings.get("bptt") or 32
    streams = settings.get("batch_size") or max(1, min(streams, facts.tokens // shortest))
    bptt = min(bptt, max(1, facts.tokens // (4 * streams)))  # of a few lines: four steps an epoch
    small = facts.vocab_size <= LARGE_SOFTMAX
    chosen: dict[str, Any] = {"batch_size": streams, "bptt": bptt, "lr": 1e-2 if small else 6e-3}
    chosen |= MUON
    if facts.vocab_size > SAMPLED_SOFTMAX:
        chosen["softmax_sample"] = SAMPLE_SIZE
    if fine_tuning:
        chosen |= FINE_TUNING if small else {"optimizer": "adamw", "lr": 3e-3}
    if settings.get("optimizer") == "sgd":
        chosen |= {"lr": 1.0, "clip_norm": 0.25}  # the classical recipe (Zaremba et al. 2014)
    config = TrainConfig(**(chosen | _pick(TrainConfig, settings)))
    for name, optimizer in ONLY_OF.items():
        given = settings.get(name) is not None
        require(
            not given or config.optimizer == optimizer,
            f"`{name}` is a setting of {optimizer}, and the optimiser is {config.optimizer}",
        )
    return config


def rate(
    config: TrainConfig, settings: Mapping[str, Any], facts: Facts, *, fine_tuning: bool = False
) -> TrainConfig:
    """`config` with a learning rate to suit its number of steps: a short run needs larger ones.

    lr = base · (2000 / steps)^⅓, within bounds; an estimate between and beyond what was measured
    (docs/decisions/0021). tinyshakespeare, nats/char of text held out, with Muon: 150 steps 1.94 at
    1.6e-2, 1.86 at 2.4e-2; 600 steps 1.614 at 1.2e-2, 1.606 at 1.6e-2, 1.627 at 2.4e-2; 2,000 steps
    1.557 at 8e-3, 1.559 at 1.2e-2 and 1.6e-2. Brown, 300 steps: 1.058 at 6e-3, 1.054 at 1.2e-2.
    """
    if settings.get("lr") is not None or config.optimizer == "sgd" or fine_tuning:
        return config
    factor = min(2.5, max(0.5, (2000 / config.steps) ** (1 / 3)))
    return replace(config, lr=round(config.lr * factor, 5))


def ngrams(level: str, vocab_size: int) -> tuple[int, tuple[int, ...]]:
    """N and minimum counts (see `kneser_ney.estimate`) of an n-gram model.

    Five words span a phrase. What is long and rare helps beside a network: ten characters, of which
    more than five must have been seen twice, or the model would be four times as large
    (docs/decisions/0018). Six of a script with thousands of characters.
    """
    if level not in ("char", "byte"):
        return 5, ()
    return (6, ()) if vocab_size > LARGE_SOFTMAX else (10, (1, 1, 1, 1, 1, 2))


def ngram_context(level: str) -> str:
    """Lines of characters are often parts of sentences; lines of words are sentences."""
    return "stream" if level in ("char", "byte") else "sentence"


def _pick(kind: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are fields of `kind`; a network's V comes from its tokenizer."""
    names = {f.name for f in fields(kind)}
    if kind is NetworkConfig:
        names.discard("vocab_size")
    return {k: v for k, v in settings.items() if k in names and v is not None}
