"""The weights of a recurrent network under the names that `torch.nn` has for them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from ..config import NetworkConfig
from ..models.model_file import ModelFile

PART = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "peephole")
CONFIG = "exported by charlm from"  # the header's single entry: with several, their order varies

Array = npt.NDArray[np.float32]


def safetensors(network: ModelFile) -> bytes:
    """A recurrent network as a plain safetensors file, whose header holds its configuration."""
    config = NetworkConfig.from_dict(network.config)
    header = {CONFIG: json.dumps(network.config, sort_keys=True)}
    return save(dict(torch_names(config, network.tensors)), header)


def is_ours(head: bytes) -> bool:
    """Whether a file that begins so is one of these."""
    return CONFIG.encode() in head


def torch_names(config: NetworkConfig, tensors: Mapping[str, Array]) -> dict[str, Array]:
    """The tensors of a model file, renamed.

    `rnn.weight_ih_l0` … are the parameters of one `nn.LSTM` (`nn.GRU`, `nn.RNN`) of all layers. In
    a residual network each layer is one of its own: `rnn.0.weight_ih_l0` …. What reads from the
    right in a bidirectional one is `back.…`, likewise. Peepholes, which `torch.nn` has not, are
    `rnn.peephole_l0`, (3, H). `output.weight` (V, …) is there where it is the embedding, too;
    `h0` and `c0`, (L, 1, H), where the initial state is learned (`back.h0` … from the right).
    """
    found: dict[str, Array] = {}
    split = config.residual and config.layers > 1
    for stack in ("rnn", "back") if config.bidirectional else ("rnn",):
        for k in range(config.layers):
            for part in PART:
                if (tensor := tensors.get(f"{stack}.{k}.{part}")) is not None:
                    name = f"{stack}.{k}.{part}_l0" if split else f"{stack}.{part}_l{k}"
                    found[name] = tensor
        if config.learned_start:
            for memory in config.cell_shape.memory:
                rows = [tensors[f"{stack}.{k}.{memory}"] for k in range(config.layers)]
                prefix = "" if stack == "rnn" else f"{stack}."
                found[f"{prefix}{memory}"] = np.stack(rows)[:, None]
    for name, tensor in tensors.items():
        if not name.startswith(("rnn.", "back.")):
            found[name] = tensor
    if config.tied:
        found["output.weight"] = tensors["embedding.weight"].copy()
    return {name: np.ascontiguousarray(tensor) for name, tensor in found.items()}
