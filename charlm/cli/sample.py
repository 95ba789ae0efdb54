"""`charlm sample`: sample texts from a model."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from .open_files import open_model
from .options import Json, ModelPath
from .show import console, emit_json, is_terminal, keep_lines, line, one_line, valid_unicode
from .talk import detail, progress_bar, warn

if TYPE_CHECKING:
    from ..tasks.sample import Sample
    from ..text.tokenizer import Tokenizer

TOKENS_PER_LINE = 1000  # maximum length of a line, unless --max-tokens is given


def sample(
    prompt: Annotated[
        str, typer.Option("--prompt", "-p", help="Text to continue.", show_default=False)
    ] = "",
    num_samples: Annotated[
        int,
        typer.Option(
            "--num-samples", "-n", min=1, max=100_000, help="Number of texts, drawn as one batch."
        ),
    ] = 1,
    lines: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Stop after this many lines (<EOS>). Default: one line, or with --max-tokens "
            "as many as fit.",
            show_default=False,
        ),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Stop after this many tokens. Default: {TOKENS_PER_LINE:,} per line.",
            show_default=False,
        ),
    ] = None,
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature",
            "-t",
            min=0,
            help="Below 1 sharpens the distribution; 0 always takes the most probable token.",
        ),
    ] = 1.0,
    top_k: Annotated[
        int, typer.Option(min=0, help="Sample only from the k most probable tokens; 0 = all.")
    ] = 0,
    top_p: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Sample only from the most probable tokens with total probability p."
        ),
    ] = 1.0,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Same seed, same text. Default: a new seed each time, shown by -v.",
            show_default=False,
        ),
    ] = None,
    allow_unk: Annotated[
        bool, typer.Option("--allow-unk", help="Allow <UNK> to be sampled.")
    ] = False,
    json: Json = False,
    model: ModelPath = None,
) -> None:
    r"""Sample texts from a model.

    Temperature is applied first, then --top-k, then --top-p. In a pipe each sample is one line;
    if --lines or --max-tokens lets samples span lines, an empty line separates them.

    \b
    charlm sample
    charlm sample --prompt "The cat" -n 5
    charlm sample --max-tokens 500 --temperature 0.7
    charlm sample -n 100 --seed 1 --json > samples.json
    """
    from ..tasks.sample import sample as draw

    used = open_model(model)
    seed = secrets.randbelow(1 << 32) if seed is None else seed
    detail(f"seed: {seed}")
    _warn_of_unknown(prompt, used.tokenizer)
    if lines is None:
        lines = 1 if max_tokens is None else max_tokens  # every line takes at least a token
    if max_tokens is None:
        max_tokens = lines * TOKENS_PER_LINE

    def write(on_text: Callable[[str], None] | None) -> list[Sample]:
        return draw(
            used.causal,
            used.tokenizer,
            prompt=prompt,
            num_samples=num_samples,
            max_tokens=max_tokens,
            lines=lines,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            seed=seed,
            allow_unk=allow_unk,
            on_text=on_text,
        )

    if num_samples == 1 and not json:
        printer = Printer(prompt)
        with progress_bar("writing") if _into_a_file() else nullcontext():
            write(printer)
        printer.close()
        return
    with progress_bar("writing"):
        samples = write(None)
    if json:
        emit_json([one.as_dict() | {"seed": seed} for one in samples])
        return
    for k, one in enumerate(samples):
        if k and not is_terminal(sys.stdout) and lines > 1:
            line()
        if is_terminal(sys.stdout):
            line(f"── {k + 1} ──", "dim")
        printer = Printer(prompt)
        printer(one.text)
        printer.close()


class Printer:
    """Streams a text to stdout; its last line ends with one newline."""

    def __init__(self, prompt: str) -> None:
        self.safe = keep_lines if is_terminal(sys.stdout) else valid_unicode
        self.last = "\n"
        if prompt and is_terminal(sys.stdout):
            console().print(keep_lines(prompt), style="dim", end="", soft_wrap=True)
            self.last = prompt[-1]
        else:
            self(prompt)

    def __call__(self, text: str) -> None:
        if text:
            sys.stdout.write(self.safe(text))
            sys.stdout.flush()
            self.last = text[-1]

    def close(self) -> None:
        if self.last != "\n":
            self("\n")


def _into_a_file() -> bool:
    """Whether output goes to a file, where nobody sees it grow."""
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _warn_of_unknown(prompt: str, tokenizer: Tokenizer) -> None:
    """Say which characters (or words) of the prompt the model has never seen."""
    if tokenizer.unk is None or not prompt:
        return
    pieces = prompt.split() if tokenizer.level == "word" else list(prompt)
    unknown = [
        piece
        for piece in dict.fromkeys(pieces)
        if any(int(token) == tokenizer.unk for token in tokenizer.encode(piece))
    ]
    if unknown:
        shown = ", ".join(f"'{one_line(piece)}'" for piece in unknown[:8])
        more = f" and {len(unknown) - 8} more" if len(unknown) > 8 else ""
        warn(f"the model has never seen {shown}{more}: read as <UNK>")
