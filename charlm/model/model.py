"""The public `Model`, which `charlm.load` returns."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Self

from ..errors import require
from ..lm import causal
from ..models import model_file
from ..runs import locate
from ..runs.options import DEVICES
from .choosing import Choosing
from .compressing import Compressing
from .generating import Generating
from .scoring import Scoring

ADAPTATIONS = ("dynamic", "cache")


class Model(Scoring, Generating, Choosing, Compressing):
    """A language model with its tokenizer, ready for use.

    >>> model = charlm.load("runs/latest")
    >>> model
    <charlm.Model runs/latest: 4-gram model, 95,506 numbers, word level, 772 tokens; ...>
    >>> model.score("The apple and pear salad.").logprob
    -6.294...

    Log-probabilities are in nats, surprisals and entropies in bits. A setting out of range, and a
    use that the model does not support (sampling from a bidirectional one, say), raise CharlmError.
    """

    @classmethod
    def load(cls, path: str | Path | None = None, *, device: str | None = None) -> Self:
        """Load a model.

        path: a run directory, a model file or an ARPA file; None: $CHARLM_MODEL, else runs/latest.
        device: None: NumPy, which starts faster; "auto", "cpu" or "cuda": score in bulk with torch.

        Raises CharlmError if there is no model, if it is damaged, or if the device is unknown or
        the model cannot use it.
        """
        require(
            device is None or device in DEVICES,
            f"unknown device {device!r}: choose {' | '.join(DEVICES)}",
        )
        file = locate.resolve(path)
        contents = model_file.read(file)
        lm = model_file.build(contents)
        if device is not None:
            from ..network.bulk_scoring import on_device

            require(not lm.pseudo, "`device` is not for bidirectional models: leave it out")
            lm = on_device(causal(lm), device)
        again = partial(cls.load, file.absolute(), device=device)
        return cls(lm, contents.tokenizer, model_file.describe(file, contents), again)

    def adapted(self, how: str) -> Self:
        """The same model, learning from what it has just read.

        how: "dynamic", gradient steps (Krause et al. 2018; needs torch), or "cache", a cache of its
        hidden states (Grave et al. 2017).

        Of a mixture, the networks in it learn. Raises CharlmError for models without a network.
        """
        from ..models.adapted_mixture import Adapt, adapt_networks

        require(how in ADAPTATIONS, f"unknown adaptation {how!r}: choose dynamic | cache")
        adapt: Adapt
        if how == "cache":
            from ..tasks.neural_cache import NeuralCacheLM

            adapt = NeuralCacheLM
        else:
            from ..network.dynamic_evaluation import DynamicLM

            adapt = DynamicLM
        return type(self)(adapt_networks(self.lm, adapt), self.tokenizer, self._info)


def load(path: str | Path | None = None, *, device: str | None = None) -> Model:
    """Load a model.

    path: a run directory, a model file or an ARPA file; None: $CHARLM_MODEL, else runs/latest.
    device: None: NumPy, which starts faster; "auto", "cpu" or "cuda": score in bulk with torch.

    Raises CharlmError if there is no model, if it is damaged, and for a device that is unknown or
    that the model cannot use.
    """
    return Model.load(path, device=device)
