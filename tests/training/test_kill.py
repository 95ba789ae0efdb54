"""kill -9 in the middle of training: nothing half-written, and the resumed run ends the same."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from charlm.models import model_file
from charlm.system import tensor_file
from charlm.training import checkpoint

KILLS = int(os.environ.get("CHARLM_TEST_KILLS", "2"))
HOW = "--hidden 64 --layers 2 --dropout 0.2 --batch-size 8 --bptt 32 --precision fp32 --threads 1"


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "charlm", "train", *words]


def check_files(run: Path) -> None:
    """Whatever is there is whole."""
    for path in run.iterdir():
        if path.name == "model.safetensors":
            model_file.read(path)
        elif path.name in ("checkpoint.safetensors", "fallback.safetensors"):
            tensor_file.read(path, checkpoint.KIND)
        elif path.name == "metrics.jsonl":
            for line in path.read_text("utf-8").splitlines():
                json.loads(line)
        else:
            assert path.name in ("config.toml", "curves.png") or path.suffix == ".tmp"


def test_kill_and_resume(tmp_path: Path) -> None:
    rng = random.Random(4)
    text = tmp_path / "text.txt"
    words = ["sea", "see", "pear", "pair", "cat", "cats", "was", "were"]
    text.write_text("\n".join(" ".join(rng.choices(words, k=6)) for _ in range(3000)) + "\n")
    start = [str(text), "--steps", str(250 * KILLS), "--eval-every", "90", *HOW.split()]
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    with subprocess.Popen(
        command(*start, "--out", str(straight)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as undisturbed:
        arguments = [*start, "--out", str(broken)]
        reached = 0
        for _ in range(KILLS):
            process = subprocess.Popen(
                command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while not (broken / "checkpoint.safetensors").exists() and process.poll() is None:
                time.sleep(0.02)
            time.sleep(rng.uniform(0.5, 3.0))
            process.kill()
            process.wait()
            check_files(broken)
            contents, _ = tensor_file.read(broken / "checkpoint.safetensors", checkpoint.KIND)
            assert contents["progress"]["step"] >= reached
            reached = contents["progress"]["step"]
            arguments = ["--resume", str(broken)]
        subprocess.run(command("--resume", str(broken)), check=True, capture_output=True)
    check_files(broken)
    assert undisturbed.returncode == 0
    assert (broken / "model.safetensors").read_bytes() == (
        straight / "model.safetensors"
    ).read_bytes()
    ours, theirs = (
        tensor_file.read(run / "checkpoint.safetensors", checkpoint.KIND)[1]
        for run in (broken, straight)
    )
    for name in theirs:
        assert ours[name].tobytes() == theirs[name].tobytes(), name
