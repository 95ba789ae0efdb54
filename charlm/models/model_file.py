"""The model file: one safetensors file that holds all it takes to use a model.

docs/model-file.md specifies the layout. Nothing in a file is executed on loading, and nothing is
used before its digest and its shapes have been checked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..config import NetworkConfig
from ..errors import CharlmError
from ..lm import CausalLM
from ..system import storage, tensor_file
from ..system.tensor_file import Tensors
from ..text.tokenizer import Tokenizer
from ..text.tokenizer import from_dict as tokenizer_from_dict
from . import arpa
from .bidirectional import AnyLM, BidirectionalLM, causal
from .mixture import MixtureLM
from .ngram import NgramLM
from .recurrent import RecurrentLM
from .unigram_cache import UnigramCacheLM

FORMAT = 1
KIND = "charlm"
FILE_NAME = "model.safetensors"  # in a run directory
ENVIRONMENT = "CHARLM_MODEL"
LATEST = Path("runs") / "latest"


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds."""

    family: str  # one of FAMILIES
    config: dict[str, Any]  # of the family; NetworkConfig.as_dict() for "recurrent"
    tokenizer: Tokenizer
    tensors: Tensors
    training: dict[str, Any] = field(default_factory=dict)  # what it learned from, how well, when


def _recurrent(config: Mapping[str, Any], tensors: Tensors, eos: int) -> AnyLM:
    network = NetworkConfig.from_dict(config)
    return (BidirectionalLM if network.bidirectional else RecurrentLM)(network, tensors, eos)


def _mixture(config: Mapping[str, Any], tensors: Tensors, eos: int) -> CausalLM:
    """A mixture contains its parts: the tensors of part k are named "k." and their own names."""
    parts = [
        causal(_build(part["family"], part["config"], _under(f"{k}.", tensors), eos))
        for k, part in enumerate(config["parts"])
    ]
    return MixtureLM(parts, np.array(config["weights"], np.float64))


def _recent(config: Mapping[str, Any], tensors: Tensors, eos: int) -> CausalLM:
    part = config["part"]
    inner = _build(part["family"], part["config"], _under("0.", tensors), eos)
    return UnigramCacheLM(causal(inner), eos, config["share"], config["window"])


# Families: what makes a language model of a configuration and its tensors.
FAMILIES: dict[str, Callable[[Mapping[str, Any], Tensors, int], AnyLM]] = {
    "recurrent": _recurrent,
    "ngram": NgramLM.from_tensors,
    "mixture": _mixture,
    "recent": _recent,
}


def write(path: str | Path, modelfile: ModelFile) -> None:
    """Write a model file, whole or not at all. The same model makes the same bytes.

    Raises OSError as the disk does.
    """
    contents = {
        "format": FORMAT,
        "family": modelfile.family,
        "config": modelfile.config,
        "tokenizer": modelfile.tokenizer.as_dict(),
        "training": modelfile.training,
    }
    tensor_file.write(Path(path), KIND, contents, modelfile.tensors)


def read(path: str | Path) -> ModelFile:
    """Read and check a model file; an n-gram model in an ARPA file of any tool will do.

    Raises CharlmError if it is missing, not ours, damaged in any byte, or of a newer format.
    """
    path = Path(path)
    if arpa.is_arpa(path):
        lm, tokenizer = arpa.read(path)
        return ModelFile("ngram", lm.config(), tokenizer, lm.tensors())
    contents, tensors = tensor_file.read(path, KIND)
    version = contents.get("format")
    if version != FORMAT:
        raise CharlmError(
            f"{path} has model format {version}, and this charlm reads format {FORMAT}: "
            "upgrade charlm (pip install --upgrade charlm)"
        )
    try:
        return ModelFile(
            family=contents["family"],
            config=contents["config"],
            tokenizer=tokenizer_from_dict(contents["tokenizer"]),
            tensors=tensors,
            training=contents["training"],
        )
    except KeyError as error:
        raise tensor_file.damaged(path, f"it has no {error}") from None


def build_lm(modelfile: ModelFile) -> CausalLM:
    """The language model of a model file. Raises as `build_any`, and for a bidirectional one."""
    return causal(build_any(modelfile))


def build_any(modelfile: ModelFile) -> AnyLM:
    """The language model of a model file, of whatever kind.

    Raises CharlmError for an unknown family, and where tensors, tokenizer and configuration
    do not fit together.
    """
    lm = _build(modelfile.family, modelfile.config, modelfile.tensors, modelfile.tokenizer.eos)
    if lm.vocab_size != modelfile.tokenizer.vocab_size:
        raise CharlmError(
            f"the network has {lm.vocab_size} tokens and its tokenizer "
            f"{modelfile.tokenizer.vocab_size}: the model file is damaged"
        )
    return lm


def _build(family: str, config: Mapping[str, Any], tensors: Tensors, eos: int) -> AnyLM:
    maker = FAMILIES.get(family)
    if maker is None:
        raise CharlmError(f"unknown model family {family!r}: made by a newer charlm? Upgrade it")
    try:
        return maker(config, tensors, eos)
    except (KeyError, TypeError, ValueError) as error:
        raise CharlmError(f"the {family} model's settings are damaged: {error!r}") from None


def _under(prefix: str, tensors: Tensors) -> Tensors:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def within(contents: ModelFile) -> ModelFile:
    """The model file of what a cache stands over; a file of another family as it is."""
    while contents.family == "recent":
        own, tensors = contents.config["part"], _under("0.", contents.tensors)
        contents = replace(contents, family=own["family"], config=own["config"], tensors=tensors)
    return contents


def part(contents: ModelFile, k: int) -> ModelFile:
    """The model file of part `k` of a mixture; a file of another family is its own part 0.

    Of a mixture with a cache, that of the mixture.
    """
    contents = within(contents)
    if contents.family != "mixture":
        return contents
    own = contents.config["parts"][k]
    training = {**contents.training, "best": contents.training.get("network")} if k == 0 else {}
    return ModelFile(
        own["family"],
        own["config"],
        contents.tokenizer,
        _under(f"{k}.", contents.tensors),
        training,
    )


def network(contents: ModelFile) -> ModelFile | None:
    """The first network in a model file, however it is mixed; None where there is none."""
    contents = within(contents)
    if contents.family != "mixture":
        return contents if contents.family == "recurrent" else None
    found = (network(part(contents, k)) for k in range(len(contents.config["parts"])))
    return next((one for one in found if one is not None), None)


def mixture(lm: MixtureLM, parts: Sequence[ModelFile], training: dict[str, Any]) -> ModelFile:
    """The model file of `lm`, a mixture of the models in `parts`.

    Raises CharlmError unless all have the same tokens.
    """
    own = parts[0].tokenizer
    for part in parts[1:]:
        if part.tokenizer.as_dict() != own.as_dict():
            raise CharlmError("models of different vocabularies cannot be mixed")
    config = {
        "weights": lm.weights.tolist(),
        "parts": [{"family": part.family, "config": part.config} for part in parts],
    }
    tensors = {
        f"{k}.{name}": tensor
        for k, part in enumerate(parts)
        for name, tensor in part.tensors.items()
    }
    return ModelFile("mixture", config, own, tensors, training)


def with_cache(contents: ModelFile, lm: UnigramCacheLM) -> ModelFile:
    """The model file of `lm`, a cache over the model in `contents`."""
    config = {
        "window": lm.window,
        "share": lm.weight,
        "part": {"family": contents.family, "config": contents.config},
    }
    tensors = {f"0.{name}": tensor for name, tensor in contents.tensors.items()}
    return ModelFile("recent", config, contents.tokenizer, tensors, contents.training)


def resolve(model: str | Path | None = None) -> Path:
    """The model file meant by `model`, else by $CHARLM_MODEL, else by runs/latest.

    `model` is a model file or a run directory. Raises CharlmError where there is none.
    """
    if model is not None and not str(model):
        raise CharlmError("--model is empty: name a run directory or a model file")
    named = model or os.environ.get(ENVIRONMENT) or None
    if named is None and not os.path.lexists(LATEST):
        raise CharlmError(
            f"no model: there is no {LATEST} here. Train one (charlm train FILE), "
            f"or name one with --model or ${ENVIRONMENT}"
        )
    path = Path(named) if named is not None else LATEST
    if path.name == LATEST.name and path.is_file():  # where links cannot be made, a file names it
        with suppress(OSError, UnicodeDecodeError):
            if path.stat().st_size < 4096:
                path = path.parent / path.read_text("utf-8").strip()
    if path.is_dir():
        if not (path / FILE_NAME).exists():
            raise CharlmError(
                f"{path} holds no {FILE_NAME}: its training saved no model yet. "
                "Name another with --model"
            )
        path = path / FILE_NAME
    if not path.exists():
        raise CharlmError(f"there is no model {path}: name a run directory or a model file")
    return path


def mark_latest(run: Path) -> None:
    """Make runs/latest here name the directory `run`: a link, or a file where links fail."""
    LATEST.parent.mkdir(exist_ok=True)
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


def describe(file: Path, contents: ModelFile) -> dict[str, Any]:
    """What a model file is: plain values, JSON-able."""
    tokenizer = contents.tokenizer
    return {
        "path": str(file),
        "bytes": file.stat().st_size,
        "format": FORMAT,
        "family": contents.family,
        "config": contents.config,
        "parameters": sum(int(tensor.size) for tensor in contents.tensors.values()),
        "level": tokenizer.level,
        "vocab_size": tokenizer.vocab_size,
        "lossless": tokenizer.lossless,
        "training": contents.training,
    }


def counted(about: Mapping[str, Any]) -> str:
    """What the count of `describe` counts: a mixture's tables, say, are no parameters."""
    return "parameters" if about["family"] == "recurrent" else "numbers"
