"""The training loop: golden values, and what happens when things go wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from charlm.errors import CharlmError
from charlm.measures import Measures
from charlm.models import model_file
from charlm.network.network import Network
from charlm.runs.events import Events, Outcome, Plan, Step
from charlm.system.tensor_file import read
from charlm.training import checkpoint, optimiser
from charlm.training.run import train

SMALL: dict[str, Any] = {
    "hidden": 16,
    "embed": 8,
    "batch_size": 4,
    "bptt": 16,
    "precision": "fp32",
    "threads": 1,
    "device": "cpu",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """A few thousand characters with something to learn in them."""
    rng = np.random.default_rng(0)
    who, what = ["the cat", "a dog", "my bird"], ["sleeps", "eats fish", "sees the sea"]
    lines = [f"{rng.choice(who)} {rng.choice(what)}." for _ in range(300)]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


class Recorder(Events):
    """Keeps what it is told; can act at a step."""

    wants_samples = True

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.warnings: list[str] = []
        self.written: list[str] = []
        self.validations: list[tuple[int, Measures, bool]] = []
        self.plan: Plan | None = None
        self.at: dict[int, Any] = {}

    def started(self, plan: Plan) -> None:
        self.plan = plan

    def step(self, step: Step) -> None:
        self.losses.append(step.loss)
        if step.step in self.at:
            self.at.pop(step.step)()

    def validated(self, step: int, measures: Measures, is_best: bool) -> None:
        self.validations.append((step, measures, is_best))

    def wrote(self, text: str) -> None:
        self.written.append(text)

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def weights(outcome: Outcome) -> bytes:
    return outcome.model.read_bytes()


def test_golden_losses_of_twenty_steps(text: Path) -> None:
    heard = Recorder()
    train(text, steps=20, warmup=5, lr=0.01, dropout=0.2, events=heard, **SMALL)
    golden = [
        3.028335, 3.016174, 3.023421, 2.928298, 2.927782, 2.882299, 2.851099, 2.740988, 2.812513,
        2.761967, 2.879975, 2.697757, 2.684812, 2.590034, 2.643152, 2.620648, 2.745828, 2.746907,
        2.817008, 2.605471,
    ]  # fmt: skip
    np.testing.assert_allclose(heard.losses, golden, rtol=2e-4)


def test_non_finite_loss_is_skipped_then_rolled_back(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Network.forward
    calls = 0

    def sometimes_nan(self: Network, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        loss, state = real(self, *args)
        return (loss * float("nan") if calls in (5, 9, 10, 11) else loss), state

    monkeypatch.setattr(Network, "forward", sometimes_nan)
    monkeypatch.setattr("charlm.training.timing.seconds_per_step", lambda *_: 0.01)
    heard = Recorder()
    outcome = train(text, steps=25, out="run", events=heard, **SMALL)
    assert outcome.steps == 25
    assert ["skipped" in w for w in heard.warnings] == [True, True, True, False]
    assert "back to step 0" in heard.warnings[-1]
    assert "× 0.5" in heard.warnings[-1]
    assert np.isfinite(heard.losses).all()
    for tensor in model_file.read(outcome.model).tensors.values():
        assert np.isfinite(tensor).all()


def test_hopeless_divergence_ends_with_a_word_and_keeps_the_best(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = train(text, steps=10, out="run", eval_every=5, **SMALL)
    kept = weights(good)
    real = Network.forward
    monkeypatch.setattr(
        Network, "forward", lambda self, *a: (real(self, *a)[0] * float("inf"), a[2])
    )
    with pytest.raises(CharlmError, match=r"diverges.*--lr"):
        train(text, steps=10, out="bad", **SMALL)
    assert not Path("bad/model.safetensors").exists()
    assert weights(good) == kept


def test_patience_and_plateau(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimiser, "learning_rate", lambda *_: 0.0)  # nothing improves
    heard = Recorder()
    outcome = train(text, steps=500, eval_every=5, patience=3, events=heard, **SMALL)
    assert [best for *_, best in heard.validations] == [True, False, False, False]
    assert outcome.steps == 20
    train(text, steps=30, eval_every=5, schedule="plateau", out="plateau", **SMALL)
    contents, _ = read(Path("plateau/checkpoint.safetensors"), checkpoint.KIND)
    assert contents["progress"]["lr_scale"] == 0.5**5
