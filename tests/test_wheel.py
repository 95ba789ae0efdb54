"""The wheel, installed bare: using a model needs neither PyTorch nor matplotlib.

It takes a minute at most and an index to install from: `pytest -m "not wheel"` leaves it out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FIXTURES = ROOT / "tests" / "fixtures" / "0.1"
SOURCES = ("charlm", "pyproject.toml", "README.md", "LICENSE", "constraints.txt")
OFFLINE = "connection broken"  # what pip says of an index that it cannot reach
MAX_MEGABYTES = 160
CPU_INDEX = "https://download.pytorch.org/whl/cpu"

pytestmark = pytest.mark.wheel


class Bare:
    """A fresh virtual environment that holds charlm and what it depends on, nothing else."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.home = place / "venv"
        scripts = self.home / ("Scripts" if os.name == "nt" else "bin")
        self.python, self.charlm = (str(scripts / name) for name in ("python", "charlm"))
        own = ("PYTHONPATH", "VIRTUAL_ENV", "CHARLM_MODEL")
        self.environment = {k: v for k, v in os.environ.items() if k not in own} | {
            "PYTHONUTF8": "1"
        }
        venv.create(self.home)
        sources = place / "sources"  # a build leaves files behind
        sources.mkdir()
        for name in SOURCES:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, sources / name)
        self._pip("wheel", "--no-deps", "--wheel-dir", str(place), str(sources))
        (wheel,) = place.glob("charlm-*.whl")
        self._pip("--python", self.python, "install", str(wheel))

    def _pip(self, *args: str) -> None:
        options = ("--quiet", "--disable-pip-version-check", "--retries", "1")
        pinned = [*options, *args, "-c", str(ROOT / "constraints.txt")]
        done = self._run([sys.executable, "-m", "pip", *pinned])
        if done.returncode and OFFLINE in done.stderr:
            pytest.skip("no index of packages can be reached")
        assert done.returncode == 0, done.stderr

    def _run(self, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            timeout=300,
        )

    def __call__(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run `charlm args`."""
        return self._run([self.charlm, *args])

    def program(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run a Python program."""
        return self._run([self.python, "-c", code])

    def megabytes(self) -> float:
        """Size of all that was installed."""
        files = (path for path in self.home.rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in files) / 1e6


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    pytest.importorskip("pip", reason="this Python has no pip to install with")
    made = Bare(tmp_path_factory.mktemp("bare"))
    for name in ("word-peephole", "word-3gram", "subword-gru", "char-bidirectional"):
        (file,) = (FIXTURES / "models").glob(f"{name}.*")
        shutil.copy(file, made.place)
    shutil.copy(FIXTURES / "text.txt", made.place)
    files = {
        "pairs.tsv": "the cat sat\tthe cat sit\nthe cats sit\tthe cats sat\n",
        "nbest.tsv": "u1\tthe cat sat\t-1\nu1\tthe cat sit\t-2\nu2\ta dog\t-1\nu2\tthe dog\t-3\n",
        "refs.tsv": "u1\tthe cat sat\nu2\tthe dog\n",
    }
    for file_name, text in files.items():
        (made.place / file_name).write_text(text, "utf-8")
    return made


WORD, SUBWORD = ("--model", "word-peephole.safetensors"), ("--model", "subword-gru.safetensors")


def test_size_and_start(bare: Bare, record_property: Callable[[str, object], None]) -> None:
    began = time.perf_counter()
    done = bare("score", "the cat", *WORD)
    cold = time.perf_counter() - began
    assert done.returncode == 0, done.stderr
    began = time.perf_counter()
    bare("score", "the cat", *WORD)
    warm = time.perf_counter() - began
    size = bare.megabytes()
    record_property(
        "measured",
        f"charlm and its dependencies: {size:.0f} MB installed; "
        f"`charlm score` takes {cold:.2f} s the first time, then {warm:.2f} s",
    )
    assert size <= MAX_MEGABYTES


def test_the_wheel_says_that_it_is_typed(bare: Bare) -> None:
    code = "from importlib.resources import files; print((files('charlm') / 'py.typed').is_file())"
    assert bare.program(code).stdout == "True\n"


def test_from_python(bare: Bare) -> None:
    code = (
        "import charlm; m = charlm.load('subword-gru.safetensors'); "
        "print(m.score('the cat').logprob < 0, len(m.sample(num_samples=2, max_tokens=5)))"
    )
    done = bare.program(code)
    assert (done.stdout, done.stderr) == ("True 2\n", "")
    code = "import charlm\ntry: charlm.train('text.txt')\nexcept charlm.CharlmError as e: print(e)"
    assert 'training needs PyTorch and matplotlib: pip install "charlm' in bare.program(code).stdout


@pytest.mark.parametrize(
    "args",
    [
        ("score", "--words", "the cat sat", *WORD),
        ("score", "--tokens", "the cat sat", *SUBWORD),
        ("score", "the cat", "--model", "word-3gram.arpa"),
        ("sample", "--prompt", "the", "--seed", "1", *SUBWORD),
        ("eval", "text.txt", *WORD),
        ("eval", "text.txt", "--adapt", "cache", *WORD),
        ("info", *WORD),
        ("pairs", "pairs.tsv", *WORD),
        ("rescore", "nbest.tsv", "--alpha", "0.5", "--beta", "0", *WORD),
        ("rescore", "nbest.tsv", "--tune", "refs.tsv", *WORD),
        ("next", "the", *WORD),
        ("complete", "the", *WORD),
        ("fill", "a_c", "--model", "char-bidirectional.safetensors"),
        ("compare", "word-peephole.safetensors", "word-3gram.arpa", "text.txt"),
        ("classify", "text.txt", "-m", "a=word-peephole.safetensors", "-m", "b=word-3gram.arpa"),
        ("ngram", "text.txt", "--order", "2", "--out", "bigram"),
        ("mix", "bigram", "bigram", "--dev", "text.txt", "--out", "mixed"),
    ],
    ids=" ".join,
)
def test_commands_that_use_a_model(bare: Bare, args: Sequence[str]) -> None:
    done = bare(*args)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (("train", "text.txt"), "training needs PyTorch and matplotlib"),
        (("report", "bigram"), "a report needs PyTorch and matplotlib"),
        (("lab", "memory"), "the laboratory needs PyTorch and matplotlib"),
        (("eval", "text.txt", "--device", "cpu", *WORD), "this needs PyTorch"),
        (("eval", "text.txt", "--adapt", "dynamic", *WORD), "this needs PyTorch"),
    ],
    ids=lambda part: part if isinstance(part, str) else " ".join(part),
)
def test_commands_that_say_what_to_install(bare: Bare, args: Sequence[str], what: str) -> None:
    done = bare(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f'error: {what}: pip install "charlm[train]" (on a laptop without a GPU, first: '
        f"pip install torch --index-url {CPU_INDEX})\n"
    )


def test_numbers_are_those_of_the_full_installation(bare: Bare) -> None:
    import charlm

    (scored,) = json.loads(bare("score", "the cat sat", "--json", *WORD).stdout)
    model = charlm.load(FIXTURES / "models" / "word-peephole.safetensors")
    assert scored["logprob"] == pytest.approx(model.score("the cat sat").logprob)
