"""Start a training from a model: its weights and vocabulary, and what is forgotten of its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..config import NetworkConfig, TokenizerConfig
from ..errors import CharlmError
from ..lm import Ids
from ..models import model_file, model_parts
from ..network.network import Network
from ..runs import locate
from ..text.pieces import utf8
from ..text.source import TextSource, no_text
from ..text.tokenizer import Tokenizer

CHANGEABLE = ("dropout_input", "dropout_between", "dropout_output", "weight_drop")  # of a network


@dataclass(frozen=True)
class BaseModel:
    """A network to start from."""

    path: Path
    network: NetworkConfig
    tokenizer: Tokenizer
    tensors: Mapping[str, npt.NDArray[np.float32]]

    @classmethod
    def read(cls, model: str | Path) -> BaseModel:
        """The network of a run or model file; of a mixture, the network in it.

        Raises CharlmError if there is none, or the file is damaged.
        """
        path = locate.resolve(model)
        contents = model_file.read(path)
        found = model_parts.network(contents)
        if found is None:
            raise CharlmError(f"{path} holds no network to start from: train one, or name another")
        model_file.build(found)  # checks the shapes
        return cls(path, NetworkConfig.from_dict(found.config), found.tokenizer, found.tensors)

    def tokenizer_config(self, settings: Mapping[str, Any]) -> TokenizerConfig:
        """How new words are found in a text: all of them, or as `settings` say.

        Raises CharlmError for a setting that is the model's own.
        """
        described = self.tokenizer.as_dict()
        own: dict[str, Any] = {
            name: described[name] for name in ("level", "split", "lower") if name in described
        }
        for name in (f.name for f in fields(TokenizerConfig)):
            free = name in ("vocab_size", "min_count") and self.tokenizer.level == "word"
            if settings.get(name) not in (None, own.get(name)) and not free:
                raise CharlmError(f"the tokens are those of {self.path}: leave out `{name}`")
        chosen = {n: settings[n] for n in ("vocab_size", "min_count") if settings.get(n)}
        return TokenizerConfig(**own, **chosen)

    def network_config(self, settings: Mapping[str, Any], vocab_size: int) -> NetworkConfig:
        """The model's network with a vocabulary of this size and the dropout of `settings`.

        Raises CharlmError for a setting that is the model's own.
        """
        config = self.network.as_dict()
        for name, value in settings.items():
            if name not in config or name == "vocab_size":
                continue
            if name in CHANGEABLE:
                config[name] = value
            elif config[name] != value:
                raise CharlmError(f"the network's shape is that of {self.path}: leave out `{name}`")
        return NetworkConfig.from_dict({**config, "vocab_size": vocab_size})

    @torch.no_grad()
    def fill(self, network: Network) -> None:
        """Give `network` the model's weights; the rows of tokens that it lacks stay fresh."""
        own = dict(network.named_parameters())
        for name, tensor in self.tensors.items():
            own[name][: len(tensor)].copy_(torch.from_numpy(np.ascontiguousarray(tensor)))


@dataclass(frozen=True)
class KeptText:
    """Held-out text of the kind that the model was trained on before."""

    name: str
    ids: Ids  # (N,)
    chars: int
    bytes: int

    @classmethod
    def read(cls, source: TextSource, tokenizer: Tokenizer, max_chars: int) -> KeptText:
        """The first characters of what training on `source` would hold out, its last tenth.

        Raises CharlmError if there is no text, or it is unreadable.
        """
        text = ""
        for chunk, held_out in source.for_level(tokenizer.level).split_chunks(0.9):
            if held_out:
                text += chunk
            if len(text) > max_chars:
                text = text[: text.rfind("\n", 0, max_chars) + 1 or max_chars]
                break
        if not text.strip():
            raise no_text(source.name, "nothing to hold out")
        text = text.removesuffix("\n") + "\n"
        return cls(source.name, tokenizer.encode(text), len(text), len(utf8(text)))
