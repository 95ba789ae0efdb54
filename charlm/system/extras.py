"""What `pip install charlm` leaves out, because using a model does not need it."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import CharlmError

NAMES = {"torch": "PyTorch", "matplotlib": "matplotlib"}  # all that the extra `train` brings
INSTALL = 'pip install "charlm[train]"'
CPU_BUILD = "pip install torch --index-url https://download.pytorch.org/whl/cpu"


def need(what: str, *packages: str) -> None:
    """Raise CharlmError, with the line to install them by, if `what` lacks any of `packages`.

    A wing that cannot do without them asks as it is imported: before the work, not after it.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        names = " and ".join(NAMES[package] for package in missing)
        laptop = f" (on a laptop without a GPU, first: {CPU_BUILD})" if "torch" in missing else ""
        raise CharlmError(f"{what} needs {names}: {INSTALL}{laptop}")
