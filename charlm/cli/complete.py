"""`charlm complete` and `charlm next`: the most probable continuations of a text."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from . import show
from .open_files import open_model
from .options import Json, ModelPath
from .talk import progress_bar

MAX_BAR_CELLS = 40  # columns of the longest bar


def complete(
    prompt: Annotated[str, typer.Argument(metavar="TEXT", help="The beginning of the sentence.")],
    beam: Annotated[
        int, typer.Option(min=1, help="Beam width: unfinished endings kept at each step.")
    ] = 8,
    num: Annotated[int, typer.Option("--num", "-n", min=1, help="Number of endings to show.")] = 3,
    length_penalty: Annotated[
        float,
        typer.Option(min=0, max=4, help="Rank by log P / tokens^α; 0 = by log P alone."),
    ] = 0.0,
    max_tokens: Annotated[int, typer.Option(min=1, help="Maximum length of an ending.")] = 200,
    min_length: Annotated[
        int, typer.Option(min=0, help="Minimum length of an ending, in tokens; 0 = may be empty.")
    ] = 1,
    json: Json = False,
    model: ModelPath = None,
) -> None:
    r"""Find the most probable endings of a sentence, by beam search.

    For random endings: charlm sample --prompt TEXT.

    \b
    charlm complete "Cats average 15"
    charlm complete "The apple and" --num 5 --beam 32 --json
    """
    from ..tasks.complete import complete as find

    used = open_model(model)
    with progress_bar("searching"):
        found = find(
            used.causal,
            used.tokenizer,
            prompt,
            beam=beam,
            num=num,
            length_penalty=length_penalty,
            max_tokens=max_tokens,
            min_length=min_length,
        )
    if json:
        show.emit_json([one.as_dict() for one in found])
        return
    rows = [["log P", "P", "tokens"]]
    for one in found:
        p = show.power_of_ten(one.log10prob)
        rows.append([show.number(one.logprob), p, f"{one.tokens}{'' if one.finished else '…'}"])
    head, *lines = show.columns(rows, ">>>")
    show.line(head, "dim")
    for k, (line, one) in enumerate(zip(lines, found, strict=True)):
        text = f"{line}  {show.one_line(one.full_text)}"
        show.paragraph(text, indent=len(line) + 2, first=0, style="" if k else "bold")


def next_token(
    prompt: Annotated[str, typer.Argument(metavar="TEXT", help="The text so far.")] = "",
    top_k: Annotated[
        int, typer.Option("--top-k", "-k", min=1, help="Number of tokens to show.")
    ] = 15,
    json: Json = False,
    model: ModelPath = None,
) -> None:
    r"""Show how probable each next token is, as a bar chart.

    \b
    charlm next "The apple and"
    charlm next "The cat, which already ate fish," --top-k 5 --json
    """
    from ..tasks.next_tokens import next_tokens

    used = open_model(model)
    result = next_tokens(used.causal, used.tokenizer, prompt, top_k=top_k)
    if json:
        show.emit_json(result.as_dict())
        return
    found, entropy = result
    names = [show.one_line(one.token).replace(" ", "␣") for one in found]
    wide = max(map(show.cells, names))
    columns_left = (
        min(MAX_BAR_CELLS, max(5, show.width() - wide - 12))
        if show.is_terminal(sys.stdout)
        else MAX_BAR_CELLS
    )
    largest = found[0].probability
    for name, one in zip(names, found, strict=True):
        bar = show.bar(one.probability / largest * columns_left)
        space = " " * (wide - show.cells(name))
        show.line(f"{name}{space}  {one.probability:7.2%}  {bar}")
    rest = max(0.0, 1 - sum(one.probability for one in found))
    others = used.tokenizer.vocab_size - len(found)
    tail = f"for {others:,} others; entropy {entropy:.2f} bits"
    show.line(f"{'…':<{wide}}  {rest:7.2%}  {tail}", "dim")
