"""Weights under torch's names: `torch.nn` loads them, and computes what charlm computes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load
from torch import nn
from toys import random_tensors, small_model_file, variety

from charlm.config import NetworkConfig
from charlm.export.plain_tensors import CONFIG, is_ours, safetensors, torch_names
from charlm.models.recurrent import RecurrentLM

pytestmark = pytest.mark.train
MODULES: dict[str, Any] = {"rnn": nn.RNN, "rnn-relu": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
NETWORKS = {name: lm for name, lm in variety().items() if lm.config.cell in MODULES}


def loaded(lm: RecurrentLM) -> tuple[list[nn.Module], dict[str, torch.Tensor]]:
    """The recurrent layers as modules of `torch.nn`, one if possible, and all tensors."""
    config = lm.config
    tensors = {k: torch.from_numpy(v) for k, v in torch_names(config, lm.tensors).items()}
    how = {"nonlinearity": "relu"} if config.cell == "rnn-relu" else {}
    alone = config.residual and config.layers > 1
    modules = []
    for k in range(config.layers if alone else 1):
        prefix = f"rnn.{k}." if alone else "rnn."
        width = config.embed if k == 0 else config.hidden
        layers = 1 if alone else config.layers
        module = MODULES[config.cell](width, config.hidden, layers, **how)
        weights = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        module.load_state_dict(weights)  # strictly: all names, and no others
        modules.append(module)
    return modules, tensors


@pytest.mark.parametrize("lm", NETWORKS.values(), ids=NETWORKS.keys())
def test_torch_computes_the_same(lm: RecurrentLM) -> None:
    modules, w = loaded(lm)
    ids = np.random.default_rng(1).integers(11, size=(9, 3))
    x, config = w["embedding.weight"][torch.from_numpy(ids)], lm.config
    tops: list[torch.Tensor] = []
    for module in modules:
        state = None
        if config.learned_start:
            parts = [w[name].expand(-1, 3, -1).contiguous() for name in config.cell_shape.memory]
            state = tuple(parts) if len(parts) > 1 else parts[0]
        tops.append(module(x, state)[0])
        x = torch.stack(tops).sum(0)
    x = torch.stack(tops).sum(0)
    for k in range(config.dense):
        x = torch.tanh(x @ w[f"dense.{k}.weight"].T + w[f"dense.{k}.bias"])
    if "projection.weight" in w:
        x = x @ w["projection.weight"].T
    found = torch.log_softmax(x @ w["output.weight"].T + w["output.bias"], -1)
    rows, _ = lm.read_all(lm.empty(3), np.concatenate([ids, ids[:1]]).T)
    np.testing.assert_allclose(found.detach().numpy(), rows[:, 1:].swapaxes(0, 1), atol=1e-5)


def test_what_torch_lacks_has_a_name_too() -> None:
    config = NetworkConfig(
        11, cell="lstm-peephole", embed=3, hidden=4, bidirectional=True, learned_start=True
    )
    names = torch_names(config, random_tensors(config))
    assert names["rnn.peephole_l0"].shape == names["back.peephole_l0"].shape == (3, 4)
    assert names["h0"].shape == names["back.c0"].shape == (1, 1, 4)
    assert len(names) == len(config.shapes())


def test_the_file_has_its_configuration(tmp_path: Any) -> None:
    model = small_model_file(cell="gru", tied=True, layers=2)
    data = safetensors(model)
    assert data == safetensors(model)
    tensors = load(data)
    assert torch.equal(tensors["output.weight"], tensors["embedding.weight"])
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with safe_open(path, "np") as file:
        about = file.metadata()
    assert NetworkConfig.from_dict(json.loads(about[CONFIG])).layers == 2
    assert is_ours(data[:4096])
