"""Find the model file: from a path, $CHARLM_MODEL, or runs/latest."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..errors import CharlmError
from ..system import storage
from .run_directory import RUNS, RunDirectory

ENVIRONMENT = "CHARLM_MODEL"
LATEST = RUNS / "latest"


def resolve(model: str | Path | None = None) -> Path:
    """The model file named by `model`, else by $CHARLM_MODEL, else by runs/latest.

    `model` is a model file or a run directory. Raises CharlmError if there is none.
    """
    if model is not None and not str(model):
        raise CharlmError("`model` is empty: name a run directory or a model file")
    named = model or os.environ.get(ENVIRONMENT) or None
    if named is None and not os.path.lexists(LATEST):
        raise CharlmError(
            f"no model: there is no {LATEST} here. Train one (charlm train FILE), "
            f"or name one with `model` or ${ENVIRONMENT}"
        )
    path = Path(named) if named is not None else LATEST
    if path.name == LATEST.name and path.is_file():  # a text file, on systems without links
        with suppress(OSError, UnicodeDecodeError):
            if path.stat().st_size < 4096:
                path = path.parent / path.read_text("utf-8").strip()
    if path.is_dir():
        model = RunDirectory(path).model
        if not model.exists():
            raise CharlmError(
                f"{path} has no {model.name}: its training has not saved a model yet. "
                "Name another with `model`"
            )
        path = model
    if not path.exists():
        raise CharlmError(f"there is no model {path}: name a run directory or a model file")
    return path


def mark_latest(run: Path, warn: Callable[[str], None]) -> None:
    """Point runs/latest to the directory `run`: a link, or a text file if links fail.

    If neither can be written, `warn` is called: the run itself is whole.
    """
    try:
        _mark_latest(run)
    except OSError as error:
        warn(f"{LATEST} cannot be written ({error.strerror}): name this run with `model`")


def _mark_latest(run: Path) -> None:
    LATEST.parent.mkdir(exist_ok=True)
    storage.sweep_old(LATEST.parent.glob(f".{LATEST.name}.*.tmp"))
    target = os.path.relpath(run, LATEST.parent)
    temporary = LATEST.with_name(f".{LATEST.name}.{os.getpid()}.tmp")
    try:
        with suppress(FileNotFoundError):
            temporary.unlink()
        temporary.symlink_to(target, target_is_directory=True)
        temporary.replace(LATEST)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        storage.write_text(LATEST, target + "\n")
