"""How long commands take from a cold start, compared with `python -c "import torch"`.

    python benchmarks/startup.py --model runs/corpus [--json FILE]

Each command is a whole process, timed from start to end, the best of seven rounds. Every round runs
each command once, so that other work on the machine affects all of them alike.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

ROUNDS = 7
TORCH = "import torch"
CHARLM = [sys.executable, "-m", "charlm"]
COMMANDS = {
    TORCH: [sys.executable, "-c", TORCH],
    "import numpy": [sys.executable, "-c", "import numpy"],
    "charlm --help": [*CHARLM, "--help"],
    "charlm score": [*CHARLM, "score", "The cat, which already ate fish, was full."],
    "charlm sample": [*CHARLM, "sample", "--seed", "1"],
    "charlm info": [*CHARLM, "info"],
}
LIMIT_S, LIMIT_RATIO = 0.5, 1 / 3


def measure(rounds: int, model: Path) -> dict[str, list[float]]:
    """Seconds of every command in each round."""
    environment = {**os.environ, "CHARLM_MODEL": str(model)}
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=True,
            )
            seconds[name].append(time.perf_counter() - start)
    return seconds


def random_model(path: Path) -> Path:
    """A character model of the default shape, 1 × 512, with random weights."""
    import numpy as np

    from charlm.config import NetworkConfig, TokenizerConfig
    from charlm.models import model_file
    from charlm.text import tokenizer

    tokens = tokenizer.build(TokenizerConfig(), [bytes(range(32, 127)).decode()])
    config = NetworkConfig(tokens.vocab_size)
    rng = np.random.default_rng(1)
    tensors = {
        name: rng.normal(0, 0.1, shape).astype(np.float32)
        for name, shape in config.shapes().items()
    }
    model_file.write(path, model_file.ModelFile("recurrent", config.as_dict(), tokens, tensors))
    return path


def main(
    model: Annotated[
        Path | None, typer.Option(help="Run directory or model file; else random weights.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1)] = ROUNDS,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the measurements there.")
    ] = None,
) -> None:
    """Time cold starts; exit code 1 if one is over its limit."""
    with tempfile.TemporaryDirectory() as directory:
        seconds = measure(rounds, model or random_model(Path(directory) / "model.safetensors"))
    best = {name: min(times) for name, times in seconds.items()}
    table = Table("command", box=None, title=f"cold start, best of {rounds}", title_justify="left")
    for heading in ("best, s", "median, s", "of import torch"):
        table.add_column(heading, justify="right")
    late = []
    for name, times in seconds.items():
        ratio = best[name] / best[TORCH]
        within = best[name] <= LIMIT_S and ratio <= LIMIT_RATIO
        if name.startswith("charlm") and not within:
            late.append(name)
        middle = sorted(times)[len(times) // 2]
        table.add_row(name, f"{best[name]:.3f}", f"{middle:.3f}", f"{ratio:.2f}")
    Console().print(table)
    if json_file is not None:
        results = {
            name: {"seconds": times, "best": best[name], "ratio": best[name] / best[TORCH]}
            for name, times in seconds.items()
        }
        about = {"python": platform.python_version(), "machine": platform.machine()}
        json_file.write_text(json.dumps({**about, "results": results}, indent=2) + "\n")
    if late:
        Console(stderr=True).print(f"over the limit: {', '.join(late)}")
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
