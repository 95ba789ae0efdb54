"""ONNX graphs: ONNX Runtime computes what charlm computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from toys import random_tensors, recurrent_lm, small_model_file, variety

from charlm.config import CELLS, NetworkConfig
from charlm.errors import CharlmError
from charlm.export import onnx_graph
from charlm.models.bidirectional import BidirectionalLM
from charlm.models.model_file import ModelFile
from charlm.models.recurrent import RecurrentLM

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def session(config: NetworkConfig, tensors: Any) -> Any:
    """A running session of the graph of a network."""
    file = replace(small_model_file(), config=config.as_dict(), tensors=tensors)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(onnx_graph.onnx(file), options)


def state_of(lm: RecurrentLM, batch: int) -> dict[str, Any]:
    """The state before any token, as the graph takes it."""
    layers = lm.empty(batch).layers
    names = [name[0] for name in lm.config.cell_shape.memory]
    return {name: np.stack([layer[k] for layer in layers]) for k, name in enumerate(names)}


@pytest.mark.parametrize("lm", variety().values(), ids=variety().keys())
def test_reading_and_stepping(lm: RecurrentLM) -> None:
    graph = session(lm.config, lm.tensors)
    ids_TB = np.random.default_rng(1).integers(11, size=(8, 3))
    state = state_of(lm, 3)
    names = [f"next_{name}" for name in state]
    assert [one.name for one in graph.get_outputs()] == ["logprobs", *names]
    expected, _ = lm.read_all(lm.empty(3), np.concatenate([ids_TB, ids_TB[:1]]).T)
    whole, *last = graph.run(None, {"ids": ids_TB, **state})
    np.testing.assert_allclose(whole, expected[:, 1:].swapaxes(0, 1), atol=1e-5)
    for t in range(8):
        rows, *after = graph.run(None, {"ids": ids_TB[t : t + 1], **state})
        np.testing.assert_allclose(rows[0], whole[t], atol=1e-5)
        state = dict(zip(state, after, strict=True))
    for one, other in zip(last, after, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layers": 2, "learned_start": True, "tied": True},
        {"layers": 3, "residual": True, "dense": 1},
    ],
    ids=["plain", "deep", "residual"],
)
def test_both_directions(cell: str, options: dict[str, Any]) -> None:
    config = NetworkConfig(11, cell=cell, embed=6, hidden=7, bidirectional=True, **options)
    tensors = random_tensors(config, seed=2)
    lm, graph = BidirectionalLM(config, tensors, 0), session(config, tensors)
    assert [one.name for one in graph.get_inputs()] == ["ids"]
    for length in (2, 3, 9):
        ids_TB = np.random.default_rng(length).integers(11, size=(length, 4))
        (found,) = graph.run(None, {"ids": ids_TB})
        for b in range(4):
            np.testing.assert_allclose(found[:, b], lm.predict(ids_TB[:, b]), atol=1e-5)


def test_the_same_network_makes_the_same_file() -> None:
    model = small_model_file(layers=2)
    first = onnx_graph.onnx(model)
    assert first == onnx_graph.onnx(model)
    assert onnx_graph.is_ours(first[:4096])
    assert not onnx_graph.is_ours(b"\x08\x08\x12\x07pytorch")


def test_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    lm = recurrent_lm()
    model = ModelFile("recurrent", lm.config.as_dict(), small_model_file().tokenizer, lm.tensors)
    monkeypatch.setattr(onnx_graph, "MAX_BYTES", 100)
    with pytest.raises(CharlmError, match="at most 2 GB"):
        onnx_graph.onnx(model)
    monkeypatch.setattr("charlm.system.extras.find_spec", lambda name: None)
    with pytest.raises(CharlmError, match=r"charlm\[onnx\]"):
        onnx_graph.onnx(model)
