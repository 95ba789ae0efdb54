"""Optional dependencies: what training, plotting and a few options need and other uses do not."""

from __future__ import annotations

from importlib.util import find_spec

from ..errors import CharlmError

EXTRAS = {  # all that each extra brings
    "train": {"torch": "PyTorch", "matplotlib": "matplotlib"},
    "constrain": {"regex": "regex"},
    "serve": {
        "fastapi": "FastAPI",
        "uvicorn": "uvicorn",
        "prometheus_client": "prometheus-client",
    },
    "trackers": {"tensorboard": "TensorBoard", "mlflow": "MLflow"},
    "cluster": {"ray": "Ray"},
    "onnx": {"onnx": "the package onnx"},
    "compress": {"constriction": "constriction"},
    "formats": {"pyarrow": "PyArrow", "backports.zstd": "backports.zstd"},
}
INSTALL = 'pip install "charlm[{}]"'
CPU_BUILD = "pip install torch --index-url https://download.pytorch.org/whl/cpu"


def require_packages(what: str, *packages: str) -> None:
    """Raise CharlmError, with the command to install them, if any of `packages` is missing.

    All belong to one extra. A package that cannot work without them calls this on import: before
    the work, not after it. `what` names it in the message.
    """
    missing = [package for package in packages if not _is_installed(package)]
    if missing:
        extra = next(extra for extra, brings in EXTRAS.items() if missing[0] in brings)
        names = " and ".join(EXTRAS[extra][package] for package in missing)
        laptop = f" (on a laptop without a GPU, first: {CPU_BUILD})" if "torch" in missing else ""
        raise CharlmError(f"{what} needs {names}: {INSTALL.format(extra)}{laptop}")


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False
