"""Files of a run whose digests are right and whose contents are not: one line, and no harm."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tomli_w
import torch

from charlm.config import MAX_THREADS
from charlm.errors import CharlmError
from charlm.runs.run_directory import RunDirectory
from charlm.system import tensor_file
from charlm.text import corpus
from charlm.training import checkpoint
from charlm.training.run import resume

Tensors = dict[str, npt.NDArray[Any]]
Change = Callable[[dict[str, Any], Tensors], object]

BIAS = "optimizer/output.bias/exp_avg"
COUNTS = ("step", "steps", "threads", "max_steps", "best_step", "stalled", "rollbacks")


@pytest.fixture
def run(begun: Path, elsewhere: Path) -> RunDirectory:
    """A copy of a run, and of its text."""
    shutil.copytree(begun, elsewhere, dirs_exist_ok=True, symlinks=True)
    run = RunDirectory(Path("run"))
    config = run.config.read_text("utf-8").replace(str(begun), str(elsewhere))
    run.config.write_text(config, "utf-8")
    return run


def reshaped(name: str, *shape: int) -> Change:
    return lambda _, tensors: tensors.update({name: np.zeros(shape, np.float32)})


def progress(name: str, value: float) -> Change:
    return lambda contents, _: contents["progress"].update({name: value})


def generator(left: int, place: int) -> Change:
    """Numbers still to be taken, and the place of the next, in torch's generator."""

    def change(_: dict[str, Any], tensors: Tensors) -> None:
        state = tensors["generator/cpu"]
        state[8:12] = np.array([left], np.int32).view(np.uint8)
        state[16:24] = np.array([place], np.uint64).view(np.uint8)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (reshaped(BIAS, 0), rf"'{BIAS}' is float32 \(0,\), not float32"),
        (reshaped(BIAS, 400), rf"'{BIAS}' is float32 \(400,\)"),
        (reshaped(BIAS, 1, 1), rf"'{BIAS}' is float32 \(1, 1\)"),
        (reshaped("optimizer/rnn.0.weight_hh/momentum", 2, 2), "momentum' is float32"),
        (reshaped("weights/output.bias", 1), "'weights/output.bias' is float32"),
        (reshaped("state/0/1", 4, 7), r"'state/0/1' is float32 \(4, 7\)"),
        (reshaped("state/1/0", 4, 8), "'state/1/0' does not belong there"),
        (reshaped("optimizer/nothing/exp_avg", 1), "does not belong there"),
        (reshaped("optimizer/output.bias/momentum_buffer", 1), "does not belong there"),
        (reshaped("generator/cpu", 5), "'generator/cpu' is float32"),
        (lambda _, t: t.update({"generator/cpu": t["generator/cpu"][:-8]}), "'generator/cpu' is"),
        (lambda _, t: t["generator/cpu"].fill(255), "damaged"),
        (generator(left=624, place=624), "the random generator is none"),
        (generator(left=0, place=1), "the random generator is none"),
        (generator(left=-1, place=1), "the random generator is none"),
        (generator(left=1, place=1 << 63), "the random generator is none"),
        (lambda _, t: t.pop("generator/cpu"), "'generator/cpu' is missing"),
        (lambda _, t: t.pop("state/0/0"), "'state/0/0' is missing"),
        (lambda _, t: t.pop("weights/embedding.weight"), "'weights/embedding.weight' is missing"),
        (lambda _, t: t.pop(BIAS), f"'{BIAS}' is missing"),
        (lambda _, t: t.update({BIAS: np.zeros(3, np.int64)}), f"'{BIAS}' is int64"),
        (lambda c, _: c.pop("progress"), "progress is missing"),
        *((progress(name, -1), "a number in progress is negative") for name in COUNTS),
        (lambda c, _: c["progress"].update(step="3"), "progress.step must be a whole number"),
        *(
            (progress(name, to), "a number in progress is out of bounds")
            for name in ("annealed", "lr_scale")
            for to in (-1e-9, 1 + 1e-9)
        ),
        (lambda c, _: c["progress"].update(threads=1 << 40), "out of bounds"),
        (lambda c, _: c["progress"].update(annealed=float("nan")), "annealed must be a number"),
        (lambda c, _: c["progress"].update(best=[]), "best must be a table"),
        (lambda c, _: c["progress"].update(best={}), "progress.best.tokens is missing"),
        (lambda c, _: c["progress"]["best"].update(perplexity="x"), "perplexity must be a number"),
        (lambda c, _: c["progress"].update(steps=10**400), "steps must be a whole number"),
        (lambda c, _: c["progress"].update(seconds=10**400), "seconds must be a number"),
        (lambda c, _: c["progress"].update(kept=[1.0]), "two numbers, or none"),
        (lambda c, _: c["progress"].update(odd=1), "odd is unknown"),
        (lambda c, _: c.update(settings=[]), "settings must be a table"),
        (lambda c, _: c["settings"].update(network={}), "damaged"),
        (lambda c, _: c["settings"].pop("corpus"), "settings.corpus is missing"),
        (
            lambda c, _: c["settings"]["training"].update(seed=7),
            r"is from a run with different settings \(seed 7, not 1\): training cannot resume with",
        ),
        (lambda c, _: c["settings"].update(corpus="x"), r"settings \(corpus 'x', not '\w+'\)"),
    ],
)
def test_a_checkpoint_that_was_sealed_again(
    run: RunDirectory, change: Change, message: str
) -> None:
    contents, read_only = tensor_file.read(run.checkpoint, checkpoint.KIND)
    tensors = {name: tensor.copy() for name, tensor in read_only.items()}
    change(contents, tensors)
    tensor_file.write(run.checkpoint, checkpoint.KIND, contents, tensors)
    before = run.checkpoint.read_bytes()
    with pytest.raises(CharlmError, match=message) as caught:
        resume(run.path)
    assert str(run.checkpoint) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert run.checkpoint.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        {"annealed": 0.0, "lr_scale": 0.0, "kept": []},
        {"annealed": 1.0, "lr_scale": 1.0, "kept": [2.0, 1.5], "threads": MAX_THREADS},
        dict.fromkeys(COUNTS, 0),
    ],
)
def test_progress_within_its_bounds_is_read(run: RunDirectory, change: dict[str, Any]) -> None:
    contents, tensors = tensor_file.read(run.checkpoint, checkpoint.KIND)
    contents["progress"].update(change)
    tensor_file.write(run.checkpoint, checkpoint.KIND, contents, tensors)
    saved = checkpoint.read(run.checkpoint, contents["settings"])
    assert saved.progress == contents["progress"]


@pytest.mark.parametrize(
    ("left", "place", "sound"),
    [
        (1, 624, True),
        (624, 1, True),
        (300, 325, True),
        (0, 1, False),
        (625, 0, False),
        (300, 326, False),
        (2, 624, False),
    ],
)
def test_what_torch_can_draw_from(left: int, place: int, sound: bool) -> None:
    tensors = {"generator/cpu": torch.get_rng_state().numpy().copy()}
    assert checkpoint._is_generator(tensors["generator/cpu"])
    generator(left, place)({}, tensors)
    assert checkpoint._is_generator(tensors["generator/cpu"]) == sound


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("corpus"), "corpus is missing"),
        (lambda c: c.update(corpus="t.txt"), "corpus must be a table"),
        (lambda c: c["corpus"].update(paths="t.txt"), "corpus.paths must be a list"),
        (lambda c: c["corpus"].update(paths=[1]), r"corpus.paths\[0\] must be text"),
        (lambda c: c["corpus"].pop("sha256"), "corpus.sha256 is missing"),
        (lambda c: c.pop("network"), "network is missing"),
        (lambda c: c["network"].update(hidden="512"), "`hidden` must be a whole number"),
        (lambda c: c["network"].update(hidden=1 << 60), "`hidden` must be a whole number"),
        (lambda c: c["network"].update(odd=1), "unknown setting 'odd'"),
        (lambda c: c["network"].update(vocab_size=5), "vocab_size"),
        (lambda c: c["network"].update(hidden=1 << 24), "different settings"),
        (lambda c: c["training"].update(lr=-1.0), "`lr` must be"),
        (lambda c: c["training"].update(bptt=17), "different settings"),
        (lambda c: c["tokenizer"].update(level="words"), "unknown level"),
        (lambda c: c.update(base=3), "base must be a table"),
        (lambda c: c.update(ngram_tokens="many"), "ngram_tokens must be a whole number"),
        (lambda c: c.update(plain=1), "plain must be true or false"),
    ],
)
def test_settings_that_are_not_those_of_the_run(
    run: RunDirectory, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    record: dict[str, Any] = dict(run.read_config())
    change(record)
    run.config.write_text(tomli_w.dumps(record), "utf-8")
    with pytest.raises(CharlmError, match=message) as caught:
        resume(run.path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("3", "line 2 must be a table"),
        ('{"step": "x"}', "line 2.seconds is missing|line 2.step must be"),
        ('{"step": 1, "seconds": 1, "loss": "x", "learning_rate": 1}', "loss must be a number"),
        ('{"step": 1, "seconds": 1, "loss": NaN, "learning_rate": 1}', "loss must be a number"),
        ('{"step": 1, "seconds": 1, "loss": 1}', "learning_rate is missing"),
        ('{"step": 1, "seconds": 1, "valid": {}}', "valid.logprob is missing"),
        ('{"step": 1, "seconds": 1, "valid": []}', "valid must be a table"),
        (
            '{"step": 1, "seconds": 1, "valid": {"logprob": -1, "tokens": 0, "bits_per_char": 1}}',
            "without a token",
        ),
        (
            '{"step": 1, "seconds": 1, "loss": "x", "learning_rate": 1, '
            '"valid": {"logprob": -1, "tokens": 1, "bits_per_char": 1}}',
            "loss must be a number",
        ),
        (
            '{"step": 1, "seconds": 1, "loss": 1, "learning_rate": 1, "gradient_norm": "x"}',
            "gradient_norm must be a number",
        ),
        (
            '{"step": ' + "9" * 400 + ', "seconds": 1, "loss": 1, "learning_rate": 1}',
            "step must be a whole number",
        ),
        ("[" * 100_000, "damaged"),
        ("{", "damaged"),
    ],
)
def test_metrics_that_are_no_measurements(run: RunDirectory, line: str, message: str) -> None:
    first = run.metrics.read_text("utf-8").splitlines()[0]
    run.metrics.write_text(f"{first}\n{line}\n", "utf-8")
    with pytest.raises(CharlmError, match=message) as caught:
        resume(run.path)
    assert str(run.metrics) in str(caught.value)
    assert "delete it" in str(caught.value)


def test_tokens_that_the_vocabulary_lacks_are_tokenised_again(run: RunDirectory) -> None:
    (folder,) = (path for path in run.cache.iterdir() if path.is_dir())
    stream = folder / "train.bin"
    good = stream.read_bytes()
    stream.write_bytes(b"\xff" * len(good))
    stored = json.loads((folder / "corpus.json").read_bytes())
    stored["body"]["train"]["crc32"] = zlib.crc32(stream.read_bytes())
    stored["digest"] = corpus._digest(stored["body"])
    (folder / "corpus.json").write_text(json.dumps(stored), "utf-8")
    assert resume(run.path).steps == 3
    assert stream.read_bytes() == good
