"""What the benchmarks share: the machine's description, separate processes, and the plain loop.

`PlainLM` is what a tutorial shows, and what charlm is measured against: torch's own layer, fp32,
one learning rate, everything else left alone.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from charlm.network.products import times
from charlm.system import allocator

PLAIN_BATCH, PLAIN_BPTT = 32, 64  # streams, and tokens a gradient flows back
PLAIN_LR = 3e-3  # AdamW's, where most tutorials stand between 1e-3 and 1e-2
CLIP = 1.0


class PlainLM(nn.Module):
    """Embedding, `nn.LSTM` (or GRU, RNN), linear softmax: fp32, as in a tutorial."""

    def __init__(
        self, V: int, E: int, H: int, layers: int = 1, cell: str = "lstm", tied: bool = False
    ) -> None:
        super().__init__()
        kinds: dict[str, Callable[[int, int, int], nn.RNNBase]] = {
            "lstm": nn.LSTM,
            "gru": nn.GRU,
            "rnn": nn.RNN,
        }
        self.embedding = nn.Embedding(V, E)
        self.rnn = kinds[cell](E, H, layers)
        self.output = nn.Linear(H, V)
        if tied:
            nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
            self.output.weight = self.embedding.weight

    def forward(self, x_TB: Tensor, y_TB: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Mean −log P(y) in nats per token, and the state after step T."""
        h_TBH, state = self.rnn(self.embedding(x_TB), state)
        logits = self.output(h_TBH)
        return functional.cross_entropy(logits.flatten(0, 1), y_TB.flatten()), state


def cut(state: Any) -> Any:
    """The state without its gradient."""
    return tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()


def train_step(
    model: PlainLM, optimizer: torch.optim.Optimizer, x_TB: Tensor, y_TB: Tensor, state: Any
) -> tuple[float, Any]:
    """One step of the tutorial's loop: the loss in nats per token, and the state to carry on."""
    loss, state = model(x_TB, y_TB, state)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    optimizer.step()
    return loss.item(), cut(state)


def gemm_peak(precision: torch.dtype, size: int = 2048) -> float:
    """GFLOP/s of square matrix products, the better of torch's `@` and oneDNN: the machine's best.

    (In fp32 torch's own products go to a library that is slow on some processors.)
    """
    a, b = (torch.randn(size, size).to(precision) for _ in "ab")
    packed = times(b, size)
    seconds = min(best_of(lambda: a @ b, seconds=1.0), best_of(lambda: packed(a), seconds=1.0))
    return 2 * size**3 / seconds / 1e9


def best_of(what: Callable[[], object], seconds: float) -> float:
    """Fewest seconds that `what` took, repeated for about `seconds`."""
    what()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        what()
        best = min(best, time.perf_counter() - began)
    return best


def environment(*, tuned: bool) -> dict[str, str]:
    """The environment of a process with charlm's allocator settings, or as a user has it."""
    kept = {k: v for k, v in os.environ.items() if k not in (allocator.TUNABLES, allocator.SWITCH)}
    if not tuned or not allocator.enabled():
        return {**kept, allocator.SWITCH: "off"}
    return {**kept, allocator.SWITCH: "tuned", allocator.TUNABLES: allocator.HUGE_PAGES}


def child(script: str, spec: dict[str, Any], *, tuned: bool) -> Any:
    """What `script --child SPEC` prints as JSON, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, script, "--child", json.dumps(spec)],
        env=environment(tuned=tuned),
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def about() -> dict[str, Any]:
    """The machine and software that the numbers come from."""
    names = [
        line.split(":", 1)[1].strip()
        for line in _lines(Path("/proc/cpuinfo"))
        if line.startswith("model name")
    ]
    found = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "bf16": [name for name in ("amx_bf16", "avx512_bf16") if found.get(name)],
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def write_json(path: Path | None, results: dict[str, Any]) -> None:
    """Write `results` and a description of the machine where --json says."""
    if path is not None:
        path.write_text(json.dumps({"about": about(), **results}, indent=2) + "\n")


# Whole commands on parts of texts ---------------------------------------------------------------


def charlm(*words: str, code: Path | None = None) -> Any:
    """The JSON that a charlm command prints last; code: the checkout to run it from."""
    done = subprocess.run(
        [sys.executable, "-m", "charlm", "-q", *words, "--json"],
        env=os.environ if code is None else {**os.environ, "PYTHONPATH": str(code)},
        cwd=code,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def bits_per_char(model: Path, text: Path) -> float:
    """Of a text, by a model file or a run."""
    return float(charlm("eval", str(text), "-m", str(model))["bits_per_char"])


def head_and_next(
    text: Path,
    size: int,
    next_bytes: tuple[int, int],
    train: Path,
    test: Path,
    begin: float = 0.0,
) -> None:
    """Write `size` bytes of a text in whole lines to `train`, and the lines that follow to `test`.

    They begin after the fraction `begin` of the text. The second part is as long as the first,
    within the bounds `next_bytes`. Raises SystemExit if less than half the least is left.
    """
    data = text.read_bytes()
    start = data.rfind(b"\n", 0, int(begin * len(data))) + 1 if begin else 0
    cut = data.rfind(b"\n", start, start + size) + 1 or start + size
    least, most = next_bytes
    end = cut + min(most, max(least, cut - start))
    if len(data) - cut < least / 2:
        raise SystemExit(f"{text} has too little text after {cut - start:,} bytes of it")
    end = len(data) if end >= len(data) else data.rfind(b"\n", cut, end) + 1 or end
    train.write_bytes(data[start:cut])
    test.write_bytes(data[cut:end])
