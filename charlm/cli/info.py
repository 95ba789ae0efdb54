"""`charlm info`: describe a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import CharlmError
from . import show
from .open_files import open_model
from .options import Json, ModelPath

if TYPE_CHECKING:
    from ..text.tokenizer import Tokenizer

BYTE_NAME = re.compile("0x[0-9A-F]{2}")
SHOWN_TOKENS = 16


def info(
    path: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="Run directory or model file, which --model may name as well.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    model: ModelPath = None,
) -> None:
    r"""Show what a model is and what it learned from.

    \b
    charlm info
    charlm info runs/corpus --json
    """
    from ..models.family import describe
    from ..models.model_file import parameter_noun

    if path is not None and model is not None:
        raise CharlmError("two models: give one, as MODEL or as `model`")
    used = open_model(path if model is None else model)
    if json:
        show.emit_json(used.info)
        return
    about = used.info
    rows = [
        ("model", f"{about['path']} · {show.size(about['bytes'])}"),
        ("network", describe(about["family"], about["config"])),
        (parameter_noun(about), f"{about['parameters']:,}"),
        ("vocabulary", _vocabulary(used.tokenizer)),
    ]
    if "ngrams" in about:
        sizes = " · ".join(f"{n}: {size:,}" for n, size in enumerate(about["ngrams"], 1))
        rows.insert(3, ("n-grams", sizes))
    rows += _training(about["training"], used.lm.pseudo)
    show.pairs(rows)


def _training(about: Mapping[str, Any], pseudo: bool) -> list[tuple[str, str]]:
    """The training text, result and settings, as far as the file has them.

    pseudo: of a bidirectional model.
    """
    from ..runs.describe import settings

    rows = []
    if "corpus" in about:
        rows.append(("corpus", f"{about['corpus']} · sha256 {about.get('sha256', '–')[:12]}…"))
    for key, name in (("train", "learned from"), ("valid", "validated on")):
        if key in about:
            rows.append((name, _text_size(about[key])))
    best = about.get("best")
    if best:
        result = (
            f"{best['bits_per_char']:.3f} bits/char · perplexity {show.number(best['perplexity'])}"
        )
        if pseudo:
            result = f"pseudo-perplexity {show.number(best['perplexity'])}"
        if best["oov"]:
            result += f", {show.number(best['perplexity_excluding_oov'])} w/o OOV"
        at = f" · at step {about['step']:,}" if "step" in about else ""
        rows.append(("best result", result + at))
    if "settings" in about:
        rows.append(("settings", settings(about["settings"])))
    if "version" in about:
        rows.append(("made by", f"charlm {about['version']}"))
    return rows


def _text_size(stats: Mapping[str, int]) -> str:
    parts = [
        show.count(stats["chars"], "character"),
        show.count(stats["tokens"], "token"),
        show.count(stats["lines"], "line"),
    ]
    if stats["oov"]:
        parts.append(f"{stats['oov']:,} OOV")
    return " · ".join(parts)


def _vocabulary(tokenizer: Tokenizer) -> str:
    """A line such as: 66 characters · lossless · </s> <UNK> ␣ e t …."""
    unit = "character" if tokenizer.level == "char" else tokenizer.level
    lossless = "lossless" if tokenizer.lossless else "not lossless"
    names = (show.one_line(tokenizer.token(k)) for k in range(tokenizer.vocab_size))
    shown_names = (name.replace(" ", "␣") for name in names if not BYTE_NAME.fullmatch(name))
    shown = " ".join(islice(shown_names, SHOWN_TOKENS)) + " …"
    text = f"{show.count(tokenizer.vocab_size, unit)} · {lossless}"
    return text if tokenizer.level == "byte" else f"{text} · {shown}"
