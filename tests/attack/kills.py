"""Processes killed at random moments, and disks that fill: what is on disk must be whole."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from charlm.models import model_file
from charlm.system import tensor_file

ROOT = Path(__file__).parents[2]
TRAIN = "--hidden 48 --layers 2 --dropout 0.2 --batch-size 8 --bptt 32 --precision fp32 --threads 1"
TRAIN += " --steps 500 --eval-every 60"
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)


@dataclass
class Counted:
    """What came of the kills of one verb."""

    kills: int = 0  # of processes that were still running
    intact: int = 0  # after which every file was whole
    runs: int = 0  # brought to their end
    identical: int = 0  # with the result of a run that nobody disturbed
    wrong: list[str] = field(default_factory=list)


def start(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    """A command, in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "charlm", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(folder: Path, *words: str) -> str:
    """Run a command to its end; what it said if it failed."""
    process = start(folder, *words)
    _, said = process.communicate()
    return said.decode(errors="replace") if process.returncode else ""


def whole(run: Path) -> list[str]:
    """The files of a run that are not whole; half-written ones have other names."""
    bad = []
    for path in run.iterdir() if run.is_dir() else ():
        try:
            if path.name == "model.safetensors":
                model_file.build(model_file.read(path))
            elif path.suffix == ".safetensors":
                tensor_file.read(path, "charlm-checkpoint")
            elif path.name == "metrics.jsonl":
                [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            elif path.name == "config.toml":
                tomllib.loads(path.read_text("utf-8"))
            elif path.suffix not in (".tmp", ".png"):
                bad.append(f"{path.name} is not a file of a run")
        except Exception as error:
            bad.append(f"{path.name}: {error}")
    return bad


def prepare(folder: Path) -> None:
    """A text, models to mix, and what undisturbed runs make."""
    rng = random.Random(4)
    words = ["sea", "see", "pear", "pair", "cat", "cats", "was", "were"]
    lines = (" ".join(rng.choices(words, k=6)) for _ in range(3000))
    (folder / "text.txt").write_text("\n".join(lines) + "\n")
    for name, order in (("one", 2), ("two", 5)):
        _must(finish(folder, "ngram", "text.txt", "--out", name, "--order", str(order)))
    for verb, words_ in commands("straight").items():
        _must(finish(folder, *words_))
        shutil.move(folder / "straight", folder / f"straight-{verb}")


def commands(out: str) -> dict[str, list[str]]:
    """What is disturbed, by verb."""
    return {
        "train": ["train", "text.txt", "--out", out, *TRAIN.split()],
        "ngram": ["ngram", "text.txt", "--order", "8", "--out", out],
        "mix": ["mix", "one", "two", "--dev", "text.txt", "--log-linear", "--out", out],
    }


def _must(said: str) -> None:
    if said:
        raise RuntimeError(said)


def disturb(
    folder: Path, kills: int, seed: int, progress: Callable[[int], None] = lambda done: None
) -> dict[str, Counted]:
    """Kill so many processes of every verb in turn, and bring each run to its end."""
    rng = random.Random(seed)
    found = {verb: Counted() for verb in commands("")}
    seconds = dict.fromkeys(found, 6.0)  # that an undisturbed command takes, at most
    while (done := sum(one.kills for one in found.values())) < kills:
        progress(done)
        verb = min(found, key=lambda name: found[name].kills / (4 if name == "train" else 1))
        counted, out = found[verb], folder / "broken"
        shutil.rmtree(out, ignore_errors=True)
        words, ended = commands("broken")[verb], False
        while not ended:
            began = time.monotonic()
            process = start(folder, *words)
            time.sleep(rng.uniform(0, seconds[verb]))
            how = rng.choice(SIGNALS)
            ended = process.poll() is not None
            if not ended:
                process.send_signal(how)
                counted.kills += 1
            process.communicate()
            if ended:
                seconds[verb] = min(seconds[verb], 1.2 * (time.monotonic() - began))
            elif bad := whole(out):
                counted.wrong.append(f"{verb} after signal {how}: {bad}")
            else:
                counted.intact += 1
            if verb == "train" and (out / "config.toml").exists():
                words = ["train", "--resume", "broken"]
            if rng.random() < 0.5:
                break
        if not (out / "model.safetensors").exists() or verb == "train":
            said = finish(folder, *words)
            if said:
                counted.wrong.append(f"{verb}: {said}")
        counted.runs += 1
        counted.identical += same(out, folder / f"straight-{verb}", counted, verb)
    return found


def same(ours: Path, theirs: Path, counted: Counted, verb: str) -> bool:
    """Whether two runs ended alike, and left nothing half-written."""
    left = [path.name for path in ours.glob(".*.tmp")]
    model = "model.safetensors"
    if not (ours / model).exists():
        counted.wrong.append(f"{verb}: no model")
        return False
    if (ours / model).read_bytes() != (theirs / model).read_bytes():
        counted.wrong.append(f"{verb}: another model")
        return False
    if left and verb == "train":  # the next start of the run removes them
        counted.wrong.append(f"{verb}: left {left}")
        return False
    return True


def fill(folder: Path, disk: Path, places: Sequence[int], size: int) -> list[str]:
    """Train onto a disk (a mount point of `size` bytes) with so much space left; what was lost.

    A run that ends because the disk is full must leave everything whole that had been, say so in
    one line, and go on when there is space again.
    """
    wrong = []
    words = commands(str(disk / "run"))["train"]
    for place in places:
        filler = disk / "filler"
        shutil.rmtree(disk / "run", ignore_errors=True)
        shutil.rmtree(disk / ".cache", ignore_errors=True)
        with filler.open("wb") as file:
            file.write(bytes(max(0, size - place)))
        said = finish(folder, *words)
        errors = [line for line in said.splitlines() if line.startswith("error: ")]
        if said and (len(errors) != 1 or "Traceback" in said):
            wrong.append(f"{place} bytes left: {said[-400:]}")
        if bad := whole(disk / "run"):
            wrong.append(f"{place} bytes left: {bad}")
        filler.unlink()
        if said:
            again = ["train", "--resume", str(disk / "run")]
            started = (disk / "run" / "config.toml").exists()
            if not started:
                shutil.rmtree(disk / "run", ignore_errors=True)
            said = finish(folder, *(again if started else words))
            if said:
                wrong.append(f"{place} bytes left, then resumed: {said[-400:]}")
        model = "model.safetensors"
        if (disk / "run" / model).read_bytes() != (folder / "straight-train" / model).read_bytes():
            wrong.append(f"{place} bytes left: another model")
    return wrong
