"""Optional dependencies: what training and plotting need and using a model does not."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import CharlmError

NAMES = {"torch": "PyTorch", "matplotlib": "matplotlib"}  # all that the extra `train` brings
INSTALL = 'pip install "charlm[train]"'
CPU_BUILD = "pip install torch --index-url https://download.pytorch.org/whl/cpu"


def require_packages(what: str, *packages: str) -> None:
    """Raise CharlmError, with the command to install them, if any of `packages` is missing.

    A package that cannot work without them calls this on import: before the work, not after it.
    `what` names it in the message.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        names = " and ".join(NAMES[package] for package in missing)
        laptop = f" (on a laptop without a GPU, first: {CPU_BUILD})" if "torch" in missing else ""
        raise CharlmError(f"{what} needs {names}: {INSTALL}{laptop}")
