"""A recurrent network as an ONNX graph, written node by node; PyTorch is not needed.

The operators LSTM, GRU and RNN of ONNX compute what the cells in `models/cells.py` do: the GRU with
`linear_before_reset` (the reset gate after the product), the LSTM with Gers's peepholes. ONNX has
its own order of gates.

A network that reads from left to right:

    ids (T, B), h (L, B, H)[, c (L, B, H)]  →  logprobs (T, B, V), next_h[, next_c]

with log P(next token) in nats after each of T tokens of B texts. The state before any token is
zero or learned; a text begins with <EOS>. A bidirectional network has no state:

    ids (T, B), T ≥ 2, closed by <EOS>  →  logprobs (T, B, V)

with log P(every token there | all others of its text).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..config import NetworkConfig
from ..errors import CharlmError
from ..models.arithmetic import Array
from ..models.model_file import ModelFile
from ..system.extras import require_packages
from ..system.version import __version__

OPSET, IR_VERSION = 17, 8  # old enough for any runtime since 2022
MAX_BYTES = (1 << 31) - (1 << 16)  # of a protocol buffer
PRODUCER = "charlm"

# by cell: the operator, its gates as places in the order of torch, its further attributes
OPERATORS: dict[str, tuple[str, tuple[int, ...], dict[str, Any]]] = {
    "rnn": ("RNN", (0,), {"activations": ["Tanh"]}),
    "rnn-relu": ("RNN", (0,), {"activations": ["Relu"]}),
    "lstm": ("LSTM", (0, 3, 1, 2), {}),  # i, o, f, c
    "lstm-peephole": ("LSTM", (0, 3, 1, 2), {}),
    "gru": ("GRU", (1, 0, 2), {"linear_before_reset": 1}),  # z, r, h
}
PEEPHOLES = (0, 2, 1)  # i, o, f from i, f, o


def onnx(network: ModelFile) -> bytes:
    """A recurrent network as an ONNX file.

    Raises CharlmError if the package `onnx` is missing, or the network too large for the format.
    """
    require_packages("export --to onnx", "onnx")
    config = NetworkConfig.from_dict(network.config)
    size = sum(tensor.nbytes for tensor in network.tensors.values())
    if size > MAX_BYTES:
        raise CharlmError(f"an ONNX file holds at most 2 GB; the weights are {size:,} bytes")
    graph = _Graph(config, network.tensors)
    if config.bidirectional:
        graph.both_directions(network.tokenizer.eos)
    else:
        graph.one_direction()
    return graph.file({"config": json.dumps(network.config), "level": network.tokenizer.level})


def is_ours(head: bytes) -> bool:
    """Whether a file that begins so is an ONNX file of charlm's."""
    return PRODUCER.encode() in head[:32]


class _Graph:
    """A graph under construction. Values are known by their names."""

    def __init__(self, config: NetworkConfig, tensors: Mapping[str, Array]) -> None:
        self.config, self.tensors = config, tensors
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.memory = [name[0] for name in config.cell_shape.memory]  # h, perhaps c

    # Pieces ------------------------------------------------------------------------------------

    def node(self, operator: str, inputs: Sequence[str], outputs: int = 1, **how: Any) -> Any:
        """Add a node; the name of its output, or a list of names."""
        from onnx import helper

        names = [f"{operator.lower()}_{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, **how))
        return names[0] if outputs == 1 else names

    def constant(self, name: str, value: Any) -> str:
        from onnx import numpy_helper

        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def whole(self, *values: int) -> str:
        """Whole numbers, as an operator's input."""
        return self.constant("whole_" + "_".join(map(str, values)), np.array(values, np.int64))

    def declare(self, name: str, shape: Sequence[str | int], *, ids: bool = False) -> Any:
        from onnx import TensorProto, helper

        kind = TensorProto.INT64 if ids else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, list(shape))

    # Networks ----------------------------------------------------------------------------------

    def one_direction(self) -> None:
        """The network that reads from left to right, state in and state out."""
        config = self.config
        shape = (config.layers, "B", config.hidden)
        self.inputs = [self.declare("ids", ("T", "B"), ids=True)]
        self.inputs += [self.declare(name, shape) for name in self.memory]
        states = {name: self._rows(name, config.layers) for name in self.memory}
        layers = [tuple(states[name][k] for name in self.memory) for k in range(config.layers)]
        top, after = self.stack("rnn", self.embedded("ids"), layers)
        self.head(top)
        for place, name in enumerate(self.memory):
            joined = [layer[place] for layer in after]
            self._name(self.node("Concat", joined, axis=0), f"next_{name}")
            self.outputs.append(self.declare(f"next_{name}", shape))

    def both_directions(self, eos: int) -> None:
        """The network that reads in both directions."""
        self.inputs = [self.declare("ids", ("T", "B"), ids=True)]
        batch = self.node("Slice", [self.node("Shape", ["ids"]), *map(self.whole, (1, 2, 0))])
        row = self.node("Concat", [self.whole(1), batch], axis=0)
        first = self.node("Expand", [self.constant("eos", np.array([[eos]], np.int64)), row])
        early = self.node("Slice", ["ids", *map(self.whole, (0, -1, 0))])
        late = self.node(
            "Slice", ["ids", self.whole(1), self.whole(np.iinfo(np.int64).max), self.whole(0)]
        )
        started = {stack: self._initial(stack, batch) for stack in ("rnn", "back")}
        read = self.node("Concat", [first, early], axis=0)
        before, _ = self.stack("rnn", self.embedded(read), started["rnn"])
        after, _ = self.stack("back", self.embedded(late), started["back"], reverse=True)
        last = [layer[0] for layer in started["back"]]
        end = self._sum(last) if self.config.residual else last[-1]
        self.head(self.node("Concat", [before, self.node("Concat", [after, end], axis=0)], axis=2))

    def embedded(self, ids: str) -> str:
        table = self.constant("embedding.weight", self.tensors["embedding.weight"])
        return str(self.node("Gather", [table, ids], axis=0))

    def stack(
        self, name: str, x: str, states: Sequence[tuple[str, ...]], *, reverse: bool = False
    ) -> tuple[str, list[tuple[str, ...]]]:
        """Layers from inputs (T, B, E): what leaves them, (T, B, H), and their last states."""
        tops: list[str] = []
        after = []
        for k, state in enumerate(states):
            every, *last = self.layer(f"{name}.{k}", x, state, reverse)
            tops.append(self.node("Squeeze", [every, self.whole(1)]))
            x = self._sum(tops) if self.config.residual else tops[-1]
            after.append(tuple(last))
        return x, after

    def layer(self, name: str, x: str, state: tuple[str, ...], reverse: bool) -> list[str]:
        """One layer: all h, (T, 1, B, H), and the last state."""
        operator, gates, how = OPERATORS[self.config.cell]
        H = self.config.hidden

        def ordered(part: str) -> Array:
            blocks = np.split(self.tensors[f"{name}.{part}"], len(gates))
            return np.concatenate([blocks[k] for k in gates])

        biases = np.concatenate([ordered("bias_ih"), ordered("bias_hh")])
        inputs = [
            x,
            self.constant(f"{name}.W", ordered("weight_ih")[None]),
            self.constant(f"{name}.R", ordered("weight_hh")[None]),
            self.constant(f"{name}.B", biases[None]),
            "",  # all texts are equally long
            *state,
        ]
        if (peephole := self.tensors.get(f"{name}.peephole")) is not None:
            rows = np.concatenate([peephole[k] for k in PEEPHOLES])
            inputs.append(self.constant(f"{name}.P", rows[None]))
        direction = "reverse" if reverse else "forward"
        found: list[str] = self.node(
            operator, inputs, 1 + len(state), hidden_size=H, direction=direction, **how
        )
        return found

    def head(self, top: str) -> None:
        """From what leaves the layers to the output `logprobs`."""
        config, x = self.config, top
        for k in range(config.dense):
            x = self.node("Tanh", [self._linear(x, f"dense.{k}.weight", f"dense.{k}.bias")])
        if "projection.weight" in self.tensors:
            x = self._linear(x, "projection.weight")
        weight = "embedding.weight" if config.tied else "output.weight"
        logits = self._linear(x, weight, "output.bias")
        self._name(self.node("LogSoftmax", [logits], axis=-1), "logprobs")
        self.outputs.insert(0, self.declare("logprobs", ("T", "B", config.vocab_size)))

    def file(self, about: Mapping[str, str]) -> bytes:
        """The finished file, checked."""
        from onnx import checker, helper

        initializers = list(self.constants.values())
        graph = helper.make_graph(self.nodes, "charlm", self.inputs, self.outputs, initializers)
        model = helper.make_model(
            graph,
            producer_name=PRODUCER,
            producer_version=__version__,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )
        helper.set_model_props(model, dict(about))
        checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))

    # Small things ------------------------------------------------------------------------------

    def _rows(self, name: str, layers: int) -> list[str]:
        """The state `name` of each layer, (1, B, H)."""
        if layers == 1:
            return [name]
        rows: list[str] = self.node("Split", [name], layers, axis=0)
        return rows

    def _initial(self, stack: str, batch: str) -> list[tuple[str, ...]]:
        """The states before any token, (1, B, H) each, layer by layer."""
        H = self.config.hidden
        shape = self.node("Concat", [self.whole(1), batch, self.whole(H)], axis=0)
        layers = []
        for k in range(self.config.layers):
            parts = []
            for memory in self.config.cell_shape.memory:
                value = self.tensors.get(f"{stack}.{k}.{memory}", np.zeros(H, np.float32))
                given = self.constant(f"{stack}.{k}.{memory}", value[None, None])
                parts.append(self.node("Expand", [given, shape]))
            layers.append(tuple(parts))
        return layers

    def _linear(self, x: str, weight: str, bias: str | None = None) -> str:
        """x Wᵀ + b."""
        turned = self.node("Transpose", [self.constant(weight, self.tensors[weight])], perm=[1, 0])
        product = self.node("MatMul", [x, turned])
        if bias is None:
            return str(product)
        return str(self.node("Add", [product, self.constant(bias, self.tensors[bias])]))

    def _sum(self, names: Sequence[str]) -> str:
        return names[0] if len(names) == 1 else str(self.node("Sum", names))

    def _name(self, value: str, name: str) -> None:
        """Give a value that is an output its name."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [value], [name]))
