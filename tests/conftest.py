"""What every test runs under.

Without PyTorch and matplotlib, tests that need them are left out: files that import them or a wing
that does, and tests marked `train`. Without FastAPI and uvicorn, those of the server.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from report_support import TRAINING, write_text
from wings import ROOT, TORCH, imports

from charlm.display.charts import Panel, png
from charlm.errors import CharlmError
from charlm.runs import learning_curves
from charlm.system import machine


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """What workers, and the hundreds of processes that tests start, find in their environment."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # a worker a core: more threads would only wait
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each would compile all code anew


for _name in ("SIGINT", "SIGTERM", "SIGHUP"):  # as on a terminal: nohup ignores some
    if signal.getsignal(_number := getattr(signal, _name, signal.SIGINT)) is signal.SIG_IGN:
        _usual = signal.default_int_handler if _name == "SIGINT" else signal.SIG_DFL
        signal.signal(_number, _usual)

CAN_TRAIN = find_spec("torch") is not None and find_spec("matplotlib") is not None


def _needs_torch(name: str) -> bool:
    """Is the module of this name torch, or of a wing of charlm that imports it?"""
    package, _, rest = name.partition(".")
    return package == "torch" or (package == "charlm" and rest.partition(".")[0] in TORCH)


if not CAN_TRAIN:
    collect_ignore = [
        str(path)
        for path in (ROOT / "tests").rglob("test_*.py")
        if any(map(_needs_torch, imports(path)))
    ]

if find_spec("fastapi") is None or find_spec("uvicorn") is None:
    ignored = [ROOT / "tests" / "serve", ROOT / "tests" / "cli" / "test_cli_serve.py"]
    collect_ignore = [*globals().get("collect_ignore", []), *map(str, ignored)]

settings.register_profile("charlm", deadline=None)  # no test depends on how fast a machine is
settings.load_profile("charlm")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random letters; of so few, so that a network soon knows how often each comes."""
    path = tmp_path_factory.mktemp("corpus") / "letters.txt"
    path.write_text("".join(np.random.default_rng(5).choice(list("abcd \n"), size=12_000)), "utf-8")
    return path


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """What is so small is quicker in one thread, much so where the processor is busy."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def one_core() -> Iterator[None]:
    """Experiments without processes of their own, which would take longer to begin than to work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "cores", lambda: 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def curves_drawn_once() -> Iterator[None]:
    """Hundreds of short trainings take longer to draw than to run: all have the first's picture."""
    drawn: list[bytes] = []

    def once(panels: Sequence[Panel]) -> bytes:
        if not drawn:
            drawn.append(png(panels))
        return drawn[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning_curves, "png", once)
        yield


@pytest.fixture
def chinese_font() -> str:
    """The name of a font with Chinese characters; skips where there is none."""
    from charlm.display.fonts import chinese_fonts

    try:
        return chinese_fonts()[0]
    except CharlmError:
        pytest.skip("no font with Chinese characters is installed")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a text and a run on it."""
    from charlm.training.run import train

    place = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        train(write_text(place / "text.txt"), level="char", out=place / "runs" / "tiny", **TRAINING)
    return place


@pytest.fixture
def run(finished: Path, elsewhere: Path) -> Path:
    """A copy of the run, to be tampered with, and of its text."""
    shutil.copytree(finished, elsewhere, dirs_exist_ok=True, symlinks=True)
    config = Path("runs/tiny/config.toml")
    config.write_text(config.read_text("utf-8").replace(str(finished), str(elsewhere)), "utf-8")
    return elsewhere / "runs" / "tiny"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not CAN_TRAIN:
        left_out = pytest.mark.skip(reason='training is not installed: pip install "charlm[train]"')
        for item in items:
            if item.get_closest_marker("train"):
                item.add_marker(left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have measured, which a worker of xdist cannot do itself."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(str(value))
