"""The training loop: golden values, bit-identical resume, and what happens when things go wrong."""

from __future__ import annotations

import json
import signal
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import charlm
from charlm.config import OPTIMIZERS, NetworkConfig, TrainConfig
from charlm.errors import CharlmError
from charlm.measures import Measures
from charlm.models import model_file
from charlm.network.network import Network
from charlm.runs.events import Events, Outcome, Plan, Step
from charlm.system.tensor_file import read
from charlm.training import checkpoint, loop, optimiser
from charlm.training.run import resume, train

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


def test_it_learns_and_leaves_a_whole_run_directory(text: Path) -> None:
    heard = Recorder()
    outcome = train(text, steps=150, lr=0.02, out="run", events=heard, **SMALL)
    assert not outcome.interrupted
    assert outcome.steps == 150
    assert heard.losses[-1] < 0.5 * heard.losses[0]
    names = {path.name for path in Path("run").iterdir()}
    assert names == {
        "model.safetensors",
        "checkpoint.safetensors",
        "config.toml",
        "metrics.jsonl",
        "curves.png",
    }
    assert Path("run/curves.png").read_bytes().startswith(b"\x89PNG")
    rows = [json.loads(line) for line in Path("run/metrics.jsonl").read_text().splitlines()]
    assert [r["step"] for r in rows if "valid" in r] == [s for s, _, _ in heard.validations]
    best = max(heard.validations, key=lambda v: v[1].logprob)
    assert outcome.best_step == best[0]
    assert outcome.best == best[1].as_dict()
    assert heard.written[-1]
    model = charlm.load(outcome.model)
    got = model.score("the cat sleeps.")
    assert got.measures.perplexity < model.score("cat the slepes.").measures.perplexity


def test_validation_agrees_with_eval_of_the_saved_model(text: Path) -> None:
    outcome = train(text, steps=60, lr=0.02, **SMALL)
    whole = text.read_text()
    tail = whole[len(whole) - outcome.best["chars"] :]
    measures = charlm.load(outcome.model).evaluate([tail])
    assert measures.tokens == outcome.best["tokens"]
    assert measures.nats_per_char == pytest.approx(outcome.best["nats_per_char"], rel=0.02)


@pytest.mark.parametrize("cell", ["lstm", "gru", "lstm-peephole"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resume_is_bit_identical(
    text: Path, cell: str, optimizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    how: dict[str, Any] = {
        **SMALL,
        "cell": cell,
        "layers": 2,
        "dropout": 0.3,
        "optimizer": optimizer,
        "eval_every": 7,
        "steps": 40,
        "learned_start": True,
    }
    straight = train(text, out="straight", **how)
    heard = Recorder()
    heard.at = {13: lambda: signal.raise_signal(signal.SIGINT)}
    broken = train(text, out="broken", events=heard, **how)
    assert broken.interrupted
    assert broken.steps == 13
    assert broken.model.exists()
    heard.at = {29: lambda: signal.raise_signal(signal.SIGTERM)}
    assert resume("broken", heard).steps == 29
    last = resume("broken")
    assert last.steps == 40
    assert weights(last) == weights(straight)
    one, two = (read(Path(r, "checkpoint.safetensors"), checkpoint.KIND)[1] for r in
                ("straight", "broken"))  # fmt: skip
    assert one.keys() == two.keys()
    for name in one:
        assert one[name].tobytes() == two[name].tobytes(), name
    assert resume("broken").steps == 40  # a finished run stays as it is
    assert weights(last) == weights(straight)


def test_resume_after_a_crash_repeats_what_was_lost(
    text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how: dict[str, Any] = {**SMALL, "dropout": 0.3, "steps": 30, "eval_every": 10}
    straight = train(text, out="straight", **how)

    class PowerCutError(Exception):
        pass

    def cut() -> None:
        raise PowerCutError

    heard = Recorder()
    heard.at = {17: cut}
    with pytest.raises(PowerCutError):
        train(text, out="broken", events=heard, **how)
    assert resume("broken").steps == 30
    assert Path("broken/model.safetensors").read_bytes() == weights(straight)
    rows = [json.loads(line) for line in Path("broken/metrics.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in rows if "valid" in row]
    assert steps == [10, 20, 30]


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
    with pytest.raises(CharlmError, match=r"diverges.*`lr`"):
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


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])  # muon: test_muon.py
def test_optimizers_against_their_definition(optimizer: str) -> None:
    """One step from zero moments, written out (Kingma and Ba 2015; Loshchilov and Hutter 2019)."""
    config = TrainConfig(optimizer=optimizer, lr=0.1, weight_decay=0.5)
    layer = torch.nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    layer.weight.grad, layer.bias.grad = torch.ones(2, 3), torch.ones(2)
    optimiser.build(config, layer).step()
    g = torch.ones(2, 3)
    if optimizer == "adamw":
        expected = before * (1 - 0.1 * 0.5) - 0.1 * g.sign()
    elif optimizer == "adam":
        expected = before - 0.1 * (g + 0.5 * before).sign()
    else:
        expected = before - 0.1 * (g + 0.5 * before)
    torch.testing.assert_close(layer.weight.detach(), expected, atol=1e-5, rtol=1e-5)


def test_learning_rate_schedule() -> None:
    config = TrainConfig(steps=110, warmup=10, lr=2.0, min_lr=0.5)
    rates = [optimiser.learning_rate(config, step, max(0, step - 10) / 100) for step in range(111)]
    assert rates[0] == pytest.approx(0.2)
    assert rates[10] == pytest.approx(2.0)
    assert rates[60] == pytest.approx(1.25)  # half way down
    assert rates[110] == pytest.approx(0.5)
    assert all(a >= b for a, b in pairwise(rates[10:]))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"clip_norm": 1.0}, [0.6, -0.8]),
        ({"clip_norm": 50.0}, [3.0, -4.0]),
        ({"clip_norm": 0.0, "clip_max": 2.0}, [1.5, -2.0]),
        ({"clip_norm": 0.0, "clip_value": 3.5}, [3.0, -3.5]),
        ({"clip_norm": 0.0}, [3.0, -4.0]),
    ],
)
def test_clipping(settings: dict[str, float], expected: list[float]) -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor([3.0, -4.0])
    assert optimiser.clip(TrainConfig(**settings), [parameter]) == pytest.approx(5.0)  # type: ignore[arg-type]
    assert parameter.grad.tolist() == pytest.approx(expected)


def test_minutes_fix_the_number_of_steps(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charlm.training.timing.seconds_per_step", lambda *_: 0.5)
    monkeypatch.setattr(loop.Trainer, "fit", lambda self: self.config)
    config: Any = train(text, minutes=10, **SMALL)
    assert 0.9 * 1200 < config.steps <= 1200
    assert config.as_dict() == charlm_config("runs/text")["training"]


def test_the_number_of_steps_follows_the_clock(text: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine turns out to be ten times slower than measured: the run still ends in time."""
    monkeypatch.setattr("charlm.training.timing.seconds_per_step", lambda *_: 0.0005)
    rates: list[float] = []

    class Slow(Recorder):
        def step(self, step: Step) -> None:
            time.sleep(0.005)
            rates.append(step.learning_rate)

    began = time.monotonic()
    outcome = train(text, minutes=0.08, eval_every=50, events=Slow(), **SMALL)
    assert time.monotonic() - began < 8
    assert outcome.steps < 1500
    falls = [a - b for a, b in pairwise(rates[50:])]
    assert min(falls) >= 0  # the schedule never jumps back
    assert rates[-1] < 0.02 * max(rates)  # and reaches its end


def charlm_config(run: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(Path(run, "config.toml").read_text())


def test_bad_requests(text: Path, tmp_path: Path) -> None:
    with pytest.raises(CharlmError, match="`steps` and `minutes`"):
        train(text, steps=3, minutes=1)
    with pytest.raises(CharlmError, match="unknown setting `hiden`"):
        train(text, steps=3, hiden=4)  # type: ignore[call-arg]
    with pytest.raises(CharlmError, match="unknown cell 'lsdm'"):
        train(text, steps=3, cell="lsdm")
    (tmp_path / "short.txt").write_text("abc\ndef\n" * 12)
    with pytest.raises(CharlmError, match="fewer than one batch"):
        train(tmp_path / "short.txt", steps=3, batch_size=64)
    assert not any(p.name != ".cache" for p in Path("runs").iterdir())
    with pytest.raises(CharlmError, match="nothing to resume"):
        resume("nowhere")


def test_resume_refuses_other_text_and_other_settings(text: Path) -> None:
    train(text, steps=3, out="run", **SMALL)
    config = Path("run/config.toml")
    good = config.read_text()
    config.write_text(good.replace("hidden = 16", "hidden = 24"))
    with pytest.raises(CharlmError, match=r"different settings.*hidden"):
        resume("run")
    config.write_text(good.replace("[network]", "[netwrk]"))
    with pytest.raises(CharlmError, match="damaged"):
        resume("run")
    config.write_text(good)
    text.write_text(text.read_text() + "one more line\n")
    with pytest.raises(CharlmError, match="has changed"):
        resume("run")
    with pytest.raises(CharlmError, match="already holds a run"):
        train(text, steps=3, out="run", **SMALL)


def test_a_damaged_checkpoint_is_refused(text: Path) -> None:
    train(text, steps=3, out="run", **SMALL)
    path = Path("run/checkpoint.safetensors")
    data = path.read_bytes()
    for k in range(20):
        path.write_bytes(data[: len(data) * k // 20])
        with pytest.raises(CharlmError, match="damaged"):
            resume("run")
    flipped = bytearray(data)
    flipped[-5] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(CharlmError, match="damaged"):
        resume("run")


def test_network_configurations_are_checked() -> None:
    for wrong in ({"hidden": 0}, {"layers": -1}, {"dropout_output": 1.0}, {"cell": "x"}):
        with pytest.raises(CharlmError):
            NetworkConfig(**{"vocab_size": 5, **wrong})  # type: ignore[arg-type]
    with pytest.raises(CharlmError, match="newer charlm"):
        NetworkConfig.from_dict({"vocab_size": 5, "attention": 8})
