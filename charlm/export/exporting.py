"""Write a model in another program's format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CharlmError
from ..models import arpa, hashed_ngram, model_file, model_parts
from ..models.family import short
from ..models.ngram import NgramLM
from ..runs import locate
from ..system import output_file
from . import one_page, onnx_graph, plain_tensors, tokenizer_json

TOKENIZER = ".tokenizer.json"  # in place of the suffix of a network's file


@dataclass(frozen=True)
class Format:
    """What `--to` may name."""

    suffix: str
    family: str | None  # of the models that can be written so; None: any
    is_ours: Callable[[bytes], bool]  # whether charlm writes files that begin with these bytes


FORMATS: Mapping[str, Format] = {
    "safetensors": Format(".safetensors", "recurrent", plain_tensors.is_ours),
    "onnx": Format(".onnx", "recurrent", onnx_graph.is_ours),
    "arpa": Format(".arpa", "ngram", arpa.is_ours),
    "html": Format(".html", None, one_page.is_ours),
}
NETWORKS = {"safetensors": plain_tensors.safetensors, "onnx": onnx_graph.onnx}


@dataclass(frozen=True)
class Exported:
    """What was written."""

    to: str
    model: str  # such as: LSTM 1 × 512
    is_part: bool  # of the model that was given
    files: tuple[Path, ...]

    def as_dict(self) -> dict[str, Any]:
        files = [str(file) for file in self.files]
        return {"to": self.to, "model": self.model, "is_part": self.is_part, "files": files}


def export(
    path: str | None = None, *, to: str, out: str | Path | None = None, force: bool = False
) -> Exported:
    """Write the model of a run or file (default: as `charlm.load`) in the format `to`.

    A page of HTML has the whole model. Otherwise, of a mixture, its network or its n-gram model is
    written, and beside a network its tokenizer. out: default, the name of the run or file,
    here. Files are replaced that charlm exported, others with `force`.
    Raises CharlmError for a model that has no part which the format can hold, and OSError.
    """
    if to not in FORMATS:
        raise CharlmError(f"no format {to!r}: choose {' | '.join(FORMATS)}")
    how = FORMATS[to]
    file = locate.resolve(path)
    contents = model_file.read(file)
    part = model_parts.first_of(contents, how.family) if how.family else contents
    if part is None and contents.family == hashed_ngram.FAMILY.name:
        raise CharlmError(f"{file} is a table of hashes: export the model that it was made from")
    if part is None:
        kind = "recurrent network" if how.family == "recurrent" else "n-gram model"
        raise CharlmError(f"{file} has no {kind}, and nothing else can be written as {to}")
    target = Path(out) if out is not None else Path(name_of(file) + how.suffix)
    beside = target.with_name(target.name.removesuffix(how.suffix) + TOKENIZER)
    _check(target, file, how.is_ours, force)
    files: tuple[Path, ...] = (target,)
    if to == "html":
        _write(target, one_page.html(part, file, name_of(file)))
    elif to in NETWORKS:
        _check(beside, file, tokenizer_json.is_ours, force)
        _write(target, NETWORKS[to](part))
        _write(beside, tokenizer_json.tokenizer_json(part))
        files = (target, beside)
    else:
        lm = model_file.build_causal(part)
        assert isinstance(lm, NgramLM)
        arpa.write(target, lm, part.tokenizer)
    return Exported(to, short(part.family, part.config), part is not contents, files)


def _write(target: Path, data: bytes) -> None:
    with output_file.writing(target) as file:
        file.write(data)


def name_of(file: Path) -> str:
    """Of the run that a model file lies in, or of the file."""
    return file.parent.resolve().name if file.name == "model.safetensors" else file.stem


def _check(target: Path, model: Path, is_ours: Callable[[bytes], bool], force: bool) -> None:
    output_file.check_apart(target, [model])
    output_file.check(target, is_ours, force=force)
