"""Exported networks against charlm: every cell, level and direction over the same text.

    python benchmarks/export_parity.py FILE [--chars 10000] [--hidden 256]

Networks of two layers with random weights read the beginning of FILE, once by charlm in NumPy and
once by ONNX Runtime from what `charlm export --to onnx` writes. The table says how far the
log-probabilities of the text's tokens are apart at most, in nats, and how long ONNX Runtime takes
for them beside charlm (both with the threads that they choose themselves; all probabilities are
computed). Exits with 1 if one is further apart than 1e-5. Needs onnx and onnxruntime.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import onnxruntime

from charlm.config import CELLS, LEVELS, NetworkConfig, TokenizerConfig
from charlm.export.onnx_graph import onnx
from charlm.lm import Nats
from charlm.models.bidirectional import BidirectionalLM
from charlm.models.model_file import ModelFile
from charlm.models.recurrent import RecurrentLM
from charlm.text.tokenizer import Tokenizer, build

TOLERANCE = 1e-5  # nats
VOCAB_SIZE = 1000  # of subwords and, at most, of words


def network(tokenizer: Tokenizer, cell: str, hidden: int, bidirectional: bool) -> ModelFile:
    """A network with random weights, scaled by what a unit reads."""
    config = NetworkConfig(
        tokenizer.vocab_size,
        cell=cell,
        embed=hidden // 2,
        hidden=hidden,
        layers=2,
        bidirectional=bidirectional,
        learned_start=True,
    )
    rng = np.random.default_rng(0)
    tensors = {
        name: (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)
        for name, shape in config.shapes().items()
    }
    return ModelFile("recurrent", config.as_dict(), tokenizer, tensors)


def by_charlm(model: ModelFile, ids: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Nats:
    config, eos = NetworkConfig.from_dict(model.config), model.tokenizer.eos
    if config.bidirectional:
        return BidirectionalLM(config, model.tensors, eos).predict(ids)
    lm = RecurrentLM(config, model.tensors, eos)
    nats_1TV, _ = lm.read_all(lm.start(1), ids[None])
    found: Nats = nats_1TV[0]
    return found


def by_onnx(
    session: onnxruntime.InferenceSession,
    model: ModelFile,
    ids: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Nats:
    if model.config["bidirectional"]:
        inputs = {"ids": ids[:, None]}
    else:
        inputs = {"ids": np.concatenate([[model.tokenizer.eos], ids[:-1]])[:, None]}
        for one in session.get_inputs()[1:]:
            layers = [model.tensors[f"rnn.{k}.{one.name}0"] for k in range(one.shape[0])]
            inputs[one.name] = np.stack(layers)[:, None]
    found: Nats = session.run(["logprobs"], inputs)[0][:, 0]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--chars", type=int, default=10_000)
    parser.add_argument("--hidden", type=int, default=256)
    given = parser.parse_args()
    whole = given.file.read_text("utf-8")
    text = whole[: given.chars]
    worst = 0.0
    print("level    cell           reads  tokens  max |difference|  time, charlm = 1")
    for level in LEVELS:
        size = VOCAB_SIZE if level in ("word", "subword") else 0
        tokenizer = build(TokenizerConfig(level=level, vocab_size=size), [whole])
        ids = np.append(tokenizer.encode(text).astype(np.int64), tokenizer.eos)
        rows = np.arange(len(ids))
        for cell in CELLS:
            for bidirectional in (False, True):
                model = network(tokenizer, cell, given.hidden, bidirectional)
                session = onnxruntime.InferenceSession(onnx(model))
                begun = time.perf_counter()
                theirs = by_onnx(session, model, ids)
                between = time.perf_counter()
                ours = by_charlm(model, ids)
                ended = time.perf_counter()
                apart = float(np.abs(ours - theirs)[rows, ids].max())
                worst = max(worst, apart)
                ratio = (between - begun) / (ended - between)
                reads = "both" if bidirectional else "left"
                print(
                    f"{level:<8} {cell:<14} {reads:<6} {len(ids):>6,}  {apart:>16.1e}  {ratio:.2f}"
                )
    print(f"at most {worst:.1e} nats apart; allowed are {TOLERANCE:.0e}")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    raise SystemExit(main())
