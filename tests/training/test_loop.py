"""The training loop: golden values, and what happens when things go wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from trainings import SMALL, Recorder

from charlm.errors import CharlmError
from charlm.models import model_file
from charlm.network.network import Network
from charlm.runs.events import Outcome, Step
from charlm.system.tensor_file import read
from charlm.training import checkpoint, loop, optimiser
from charlm.training.run import resume, train


def weights(outcome: Outcome) -> bytes:
    return outcome.model.read_bytes()


def test_golden_losses_of_twenty_steps(text: Path) -> None:
    heard = Recorder()
    train(text, steps=20, warmup=5, lr=0.01, dropout=0.2, events=heard, **SMALL)
    golden = [
        2.841368, 2.847763, 2.868969, 2.699137, 2.749034, 2.785408, 2.701521, 2.540953, 2.753027,
        2.651359, 2.827690, 2.605693, 2.584001, 2.469400, 2.522671, 2.525022, 2.665605, 2.664863,
        2.730559, 2.486885,
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
    with pytest.raises(CharlmError, match=r"diverges.*`resume=bad`.*`lr`"):
        train(text, steps=10, out="bad", **SMALL)
    assert not Path("bad/model.safetensors").exists()
    assert weights(good) == kept
    monkeypatch.setattr(Network, "forward", real)
    heard = Recorder()
    assert resume("bad", heard).steps == 10
    contents, _ = read(Path("bad/checkpoint.safetensors"), checkpoint.KIND)
    assert contents["progress"]["lr_scale"] == 1 / 128


@pytest.mark.parametrize("seconds", [0.0, 2.0])
def test_a_roll_back_ends_at_a_sound_state_however_often_it_is_saved(
    text: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """The network is spoilt at step 12, shows it at step 16, and was last validated at step 10."""
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", seconds)
    monkeypatch.setattr(loop, "CHECKPOINT_TIME_FRACTION", 1e9)
    real = Network.forward
    spoilt: list[int] = []

    def forward(self: Network, *args: Any) -> Any:
        step = heard.last
        if step == 12 and not spoilt:
            spoilt.append(step)
            with torch.no_grad():
                self.output.bias.fill_(1e30)
                self.output.bias[0] = -1e30
        loss, state = real(self, *args)
        return (loss * float("nan") if spoilt == [12] and step >= 16 else loss), state

    class Last(Recorder):
        last = 0

        def step(self, step: Step) -> None:
            super().step(step)
            self.last = step.step

        def warn(self, message: str) -> None:
            super().warn(message)
            if "back to step" in message:
                spoilt.append(0)
                self.last = int(message.split("back to step ")[1].split()[0])

    heard = Last()
    monkeypatch.setattr(Network, "forward", forward)
    outcome = train(text, steps=25, eval_every=10, out="run", events=heard, **SMALL)
    back = [message for message in heard.warnings if "back to step" in message]
    assert len(back) == 1
    assert f"back to step {10 if seconds == 0 else 0} " in back[0]
    assert outcome.steps == 25
    assert outcome.best_step == 25
    assert np.isfinite(outcome.best["perplexity"])


def test_what_was_best_before_a_roll_back_is_still_the_best(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Network.forward
    calls = 0

    def forward(self: Network, *args: Any) -> Any:
        nonlocal calls
        calls += 1
        loss, state = real(self, *args)
        return (loss * float("nan") if 17 < calls < 21 else loss), state

    monkeypatch.setattr(Network, "forward", forward)
    heard = Recorder()
    outcome = train(text, steps=25, eval_every=5, out="run", events=heard, **SMALL)
    assert "back to step 0" in heard.warnings[-1]
    better = [step for step, _, is_best in heard.validations if is_best]
    assert better[:3] == [5, 10, 15]
    worse = [m.nats_per_token for step, m, is_best in heard.validations[3:] if not is_best]
    best = min(m.nats_per_token for _, m, _ in heard.validations)
    assert all(nats > best for nats in worse)
    assert outcome.best["nats_per_char"] == pytest.approx(best, rel=1e-6)


def test_patience_and_plateau(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimiser, "learning_rate", lambda *_: 0.0)  # nothing improves
    heard = Recorder()
    outcome = train(text, steps=500, eval_every=5, patience=3, events=heard, **SMALL)
    assert [best for *_, best in heard.validations] == [True, False, False, False]
    assert outcome.steps == 20
    train(text, steps=30, eval_every=5, schedule="plateau", out="plateau", **SMALL)
    contents, _ = read(Path("plateau/checkpoint.safetensors"), checkpoint.KIND)
    assert contents["progress"]["lr_scale"] == 0.5**5
