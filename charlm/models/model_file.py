"""The model file: one safetensors file that holds everything needed to use a model.

docs/model-file.md specifies the layout. Nothing in a file is executed on loading, and nothing is
used before its digest and its shapes have been checked, but for tables that are mapped into memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CharlmError
from ..lm import CausalLM, LanguageModel, State, causal
from ..system import tensor_file
from ..system.checked import checked
from ..system.tensor_file import Stored, Tensors
from ..text.tokenizer import Tokenizer
from ..text.tokenizer import from_dict as tokenizer_from_dict
from . import arpa, family, hashed_ngram, ngram
from . import families as families  # registers the families of charlm
from .file_contents import FileContents
from .ngram import MAX_NGRAM_ORDER

FORMAT = 1
MAPPED_BYTES = 1 << 30  # of a file: a larger n-gram model is not read as a whole
KIND = "charlm"


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds."""

    family: str  # its name, see families.py
    config: dict[str, Any]  # of the family; NetworkConfig.as_dict() for "recurrent"
    tokenizer: Tokenizer
    tensors: Tensors
    training: dict[str, Any] = field(default_factory=dict)  # what it learned from, how well, when


def write(path: str | Path, contents: ModelFile) -> None:
    """Write a model file atomically. The same model gives the same bytes. Raises OSError."""
    tensor_file.write(Path(path), KIND, _body(contents), contents.tensors)


def write_stored(path: str | Path, contents: ModelFile, tensors: Mapping[str, Stored]) -> None:
    """`write` with these tensors, which need not fit into memory. Raises OSError."""
    tensor_file.write_stored(Path(path), KIND, _body(contents), tensors)


def _body(contents: ModelFile) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "family": contents.family,
        "config": contents.config,
        "tokenizer": contents.tokenizer.as_dict(),
        "training": contents.training,
    }


def read(path: str | Path, *, mapped: bool = False) -> ModelFile:
    """Read and check a model file, or an n-gram model in an ARPA file from any tool.

    mapped: leave the tables of a hashed n-gram model on disk, mapped into memory. An n-gram model
    of more than MAPPED_BYTES always is. Then nothing says whether numbers are as they were written.
    Raises CharlmError if the file is missing, not ours, has a single byte wrong, or is of a newer
    format.
    """
    path = Path(path)
    arpa.refuse_kenlm_binary(path)
    if arpa.is_arpa(path):
        lm, tokenizer = arpa.read(path)
        return ModelFile("ngram", lm.config(), tokenizer, lm.tensors())
    large = path.is_file() and path.stat().st_size > MAPPED_BYTES
    contents, tensors = tensor_file.mapped(path, KIND) if mapped or large else ({}, {})
    families = (hashed_ngram.FAMILY.name, *([ngram.FAMILY.name] if large else []))
    if contents.get("family") not in families:
        contents, tensors = tensor_file.read(path, KIND)
    version = contents.get("format")
    if version != FORMAT:
        raise CharlmError(
            f"{path} has model format {version}, and this charlm reads format {FORMAT}: "
            "upgrade charlm (pip install --upgrade charlm)"
        )
    try:
        checked(contents, FileContents, "it")
    except ValueError as error:
        raise tensor_file.damaged(path, str(error)) from None
    return ModelFile(
        family=contents["family"],
        config=contents["config"],
        tokenizer=tokenizer_from_dict(contents["tokenizer"]),
        tensors=tensors,
        training=contents["training"],
    )


def build(contents: ModelFile) -> LanguageModel:
    """The language model in a model file, of any family.

    Raises CharlmError for an unknown family, and if tensors, tokenizer and configuration do not
    match.
    """
    tokenizer = contents.tokenizer
    lm = family.build(contents.family, contents.config, contents.tensors, tokenizer.eos)
    if lm.vocab_size != tokenizer.vocab_size:
        raise CharlmError(
            f"the network has {lm.vocab_size} tokens and its tokenizer {tokenizer.vocab_size}: "
            "the model file is damaged"
        )
    return lm


def build_causal(contents: ModelFile) -> CausalLM[State]:
    """`build`, for models that predict the next token. Raises CharlmError for others."""
    return causal(build(contents))


def describe(file: Path, contents: ModelFile) -> dict[str, Any]:
    """A model file's contents as plain values for JSON."""
    tokenizer = contents.tokenizer
    sizes = ngram_counts(contents.tensors)
    return {
        "path": str(file),
        "bytes": file.stat().st_size,
        "format": FORMAT,
        "family": contents.family,
        "config": contents.config,
        "parameters": sum(int(tensor.size) for tensor in contents.tensors.values()),
        **({"ngrams": sizes} if sizes else {}),
        "level": tokenizer.level,
        "vocab_size": tokenizer.vocab_size,
        "lossless": tokenizer.lossless,
        "training": contents.training,
    }


def ngram_counts(tensors: Tensors) -> list[int]:
    """The number of n-grams of each order, from 1, of an n-gram model; none for other models."""
    found = []
    for n in range(1, MAX_NGRAM_ORDER + 1):
        nats, table = tensors.get(f"order.{n}.nats"), tensors.get(f"order.{n}.table")
        if nats is not None:
            found.append(len(nats))
        elif table is not None and table.ndim == 2:
            found.append(int((table[:, 0] >= 0).sum()))
    return found


def parameter_noun(about: Mapping[str, Any]) -> str:
    """What `parameters` of `describe` are called: those of an n-gram model are just numbers."""
    registered = family.FAMILIES.get(about["family"])
    return registered.numbers if registered else "numbers"
