"""`charlm sample`: sample texts from a model."""

from __future__ import annotations

import itertools
import os
import secrets
import stat
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CharlmError
from .open_files import only_once, open_lines, open_model
from .options import Encoding, Errors, Json, ModelPath
from .show import (
    console,
    count,
    emit_json,
    is_terminal,
    keep_lines,
    line,
    one_line,
    valid_unicode,
)
from .talk import detail, note, progress_bar, warn

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
            "--num-samples", "-n", min=1, max=100_000, help="Number of texts, drawn in batches."
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
    min_p: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Sample only from tokens at least p times as probable as the most probable one.",
        ),
    ] = 0.0,
    typical: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="Sample only from the most typical tokens with total probability p: those whose "
            "surprisal is nearest to the entropy.",
        ),
    ] = 1.0,
    no_repeat: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Never write more than N tokens in a row that the text (or the prompt) already "
            "has; 0 = no limit.",
        ),
    ] = 0,
    no_copy: Annotated[
        int,
        typer.Option(
            min=0,
            max=1000,
            metavar="N",
            help="Never write more than N tokens in a row of the training text; 0 = no limit.",
        ),
    ] = 0,
    training_text: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The text for --no-copy. Default: what the model's run was trained on.",
            show_default=False,
        ),
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX",
            help="Every line must match this regular expression in full.",
            show_default=False,
        ),
    ] = None,
    words: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write only words that are in this file; punctuation is free.",
            show_default=False,
        ),
    ] = None,
    allow_unk: Annotated[
        bool,
        typer.Option("--allow-unk", help="Allow <UNK> to be sampled."),
    ] = False,
    allow_new_words: Annotated[
        bool,
        typer.Option("--allow-new-words", help="Spell a new word where a word model has <UNK>."),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Same seed, same text. Default: a new seed each time, shown by -v.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    model: ModelPath = None,
) -> None:
    r"""Sample texts from a model.

    Temperature is applied first, then --top-k, --top-p, --min-p and --typical, as Hugging Face
    does, to the tokens that --no-repeat and --no-copy leave. --match and --words refuse what is
    drawn until it fits. In a pipe each sample is one line; if --lines or --max-tokens lets samples
    span lines, an empty line separates them.

    \b
    charlm sample
    charlm sample --prompt "The cat" -n 5
    charlm sample --max-tokens 500 --temperature 0.7
    charlm sample -n 100 --seed 1 --json > samples.json
    charlm sample --max-tokens 500 --min-p 0.05 --no-repeat 8 --no-copy 20
    charlm sample -n 5 --match "The( [a-z]+){3,6}\."
    """
    only_once(words, training_text)
    used = open_model(model)
    seed = secrets.randbelow(1 << 32) if seed is None else seed
    spelled = words is not None and used.tokenizer.level != "word"
    detail(f"seed: {seed}")
    _warn_of_unknown(prompt, used.tokenizer)
    if lines is None:
        lines = 1 if max_tokens is None else max_tokens  # every line takes at least a token
    listed = None if words is None else _listed(words, used.tokenizer, encoding, errors)
    if max_tokens is None:
        max_tokens = lines * TOKENS_PER_LINE

    def write(
        on_text: Callable[[str], None] | None = None,
        on_sample: Callable[[Sample], None] | None = None,
    ) -> list[Sample]:
        return used.sample(
            prompt=prompt,
            num_samples=num_samples,
            max_tokens=max_tokens,
            lines=lines,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            typical=typical,
            no_repeat=no_repeat,
            no_copy=no_copy,
            training_text=training_text,
            match=match,
            words=listed,
            seed=seed,
            allow_unk=allow_unk,
            allow_new_words=allow_new_words,
            on_text=on_text,
            on_sample=on_sample,
            encoding=encoding,
            errors=errors,
        )

    if num_samples == 1 and not json:
        printer = Printer(prompt)
        with progress_bar("writing") if _into_a_file() else nullcontext():
            try:
                samples = write(printer)
            except CharlmError:  # stuck in the middle of a line
                printer.end_line()
                raise
        printer.close(samples[0].ended)
        _warn_of_ends(samples, match, spelled=spelled)
        return
    if json:
        with progress_bar("writing"):
            samples = write()
        _warn_of_ends(samples, match, spelled=spelled)
        emit_json([one.as_dict() | {"seed": seed} for one in samples])
        return
    numbers = itertools.count(1)

    def show(one: Sample) -> None:
        number = next(numbers)
        if number > 1 and not is_terminal(sys.stdout) and lines > 1:
            line()
        if is_terminal(sys.stdout):
            line(f"── {number} ──", "dim")
        printer = Printer(prompt)
        printer(one.text)
        printer.close(one.ended)

    with progress_bar("writing") if _into_a_file() else nullcontext():
        samples = write(on_sample=show)
    _warn_of_ends(samples, match, spelled=spelled)


class Printer:
    """Streams a text to stdout, and closes its last line."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt  # if it has not been written yet
        self.last = ""

    def __call__(self, text: str) -> None:
        if self.prompt:
            prompt, self.prompt = self.prompt, ""
            self._write(prompt, "dim")
        self._write(text)

    def close(self, ended: str) -> None:
        """Write the line break that a text which `ended` as it did does not have itself."""
        self("")
        if ended == "lines" or self.last != "\n":
            self._write("\n")

    def end_line(self) -> None:
        """Close a line that has been begun."""
        if self.last not in ("", "\n"):
            self._write("\n")

    def _write(self, text: str, style: str = "") -> None:
        if not text:
            return
        if style and is_terminal(sys.stdout):
            console().print(keep_lines(text), style=style, end="", soft_wrap=True)
        else:
            safe = keep_lines if is_terminal(sys.stdout) else valid_unicode
            sys.stdout.write(safe(text))
            sys.stdout.flush()
        self.last = text[-1]


def _into_a_file() -> bool:
    """Whether output goes to a file, where nobody sees it grow."""
    try:
        return stat.S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):
        return False


def _listed(file: str, tokenizer: Tokenizer, encoding: str, errors: str) -> list[str]:
    """The lines of the file of words, with a note on those that the model cannot write."""
    from ..tasks.word_list import known_words

    with open_lines(file, encoding=encoding, errors=errors) as (name, lines):
        entries = list(lines)
    known, unknown = known_words(tokenizer, entries)
    if unknown:
        total = len(known.words) + unknown
        verb = "is" if unknown == 1 else "are"
        note(f"{unknown:,} of {count(total, 'word')} in {name} {verb} unknown to the model")
    return entries


def _warn_of_ends(samples: list[Sample], match: str | None, *, spelled: bool) -> None:
    """Say of how many texts the end is not what it should be; spelled: words of a list are."""
    stuck = sum(one.ended == "stuck" for one in samples)
    if stuck:
        ends = "text ends" if stuck == 1 else "texts end"
        warn(f"{stuck:,} {ends} early: nothing that could follow is allowed")
    last = [one.text[-1:] for one in samples if one.ended == "max_tokens"]
    cut = sum(char not in ("", "\n") for char in last)
    if match is not None and cut:
        were = "text was" if cut == 1 else "texts were"
        warn(f"{cut:,} {were} cut off by `max_tokens`: the last line may match only in part")
    cut = sum(map(str.isalnum, last))
    if spelled and cut:
        were = "text was" if cut == 1 else "texts were"
        warn(f"{cut:,} {were} cut off by `max_tokens`: the last word may be part of one")


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
