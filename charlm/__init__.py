"""charlm: recurrent language models you train on your own text, then score and generate with.

>>> import charlm
>>> model = charlm.load("runs/latest")
>>> model.score("The apple and pear salad.").perplexity
2.45...
>>> [one.full_text for one in model.sample(prompt="The cat", num_samples=2, seed=6)]
['The cat, which slept, were tired.', 'The cat, which ran from the hill.']

Everything is imported on first use: `import charlm` is instant, and only `charlm.train` and
`charlm.report` import torch. It sets the environment variables GOMP_SPINCOUNT and
OPENBLAS_THREAD_TIMEOUT, unless they are set, so that threads do not starve each other beside other
work on the machine.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cli.python_api import mix, ngram, report, train
    from .errors import CharlmError
    from .model.classify import classify
    from .model.model import Model, load

from .system.threads import wait_briefly
from .system.version import __version__

wait_briefly()  # libraries read this when they load, torch among them

__all__ = [
    "CharlmError",
    "Model",
    "__version__",
    "classify",
    "load",
    "mix",
    "ngram",
    "report",
    "train",
]

_MODULES = {
    "CharlmError": "errors",
    "Model": "model.model",
    "classify": "model.classify",
    "load": "model.model",
    "mix": "cli.python_api",
    "ngram": "cli.python_api",
    "report": "cli.python_api",
    "train": "cli.python_api",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
