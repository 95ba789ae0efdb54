"""charlm: recurrent language models you train on your own text, then score and generate with.

>>> import charlm                                      # doctest: +SKIP
>>> model = charlm.load("runs/latest")                 # doctest: +SKIP
>>> model.score("the apple and pear salad").logprob    # doctest: +SKIP
>>> model.sample(prompt="The cat", num_samples=3)      # doctest: +SKIP

Everything is imported when first asked for: `import charlm` is instant, and only `charlm.train`
brings torch in.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import CharlmError
    from .model import Model, load
    from .training.run import train

from .system.version import __version__

__all__ = ["CharlmError", "Model", "__version__", "load", "train"]

_HOMES = {"CharlmError": "errors", "Model": "model", "load": "model", "train": "training.run"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
