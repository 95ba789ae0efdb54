"""`charlm pairs`: score minimal pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from json import dumps, loads
from typing import TYPE_CHECKING, Annotated

import typer

from ..display.difference import marked
from . import shards, show
from .items import Items, check_items, write_items
from .open_files import count_unknown, note_unknown, only_once, open_model
from .options import Device, Encoding, Errors, Force, Json, ModelPath
from .shards import Jobs, ShardOption, ShardsOut
from .talk import note, progress_bar

if TYPE_CHECKING:
    from ..model.model import Model
    from ..tasks.pairs import Accuracy, Pair, PairScore, PairScores
    from ..text.shards import Shard


class Norm(StrEnum):
    """What log P is divided by."""

    none = "none"
    token = "token"
    char = "char"


def pairs(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help='TSV, JSON lines (BLiMP), directories; "-" is stdin.'),
    ],
    region: Annotated[
        bool, typer.Option("--region", help="Score only the region where the two sentences differ.")
    ] = False,
    norm: Annotated[
        Norm, typer.Option(help="Divide log P by the length in tokens or characters.")
    ] = Norm.none,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column to group by. Default: linguistics_term, phenomenon or UID.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="The sentences, a line each, of files of position, right word and wrong word.",
            show_default=False,
        ),
    ] = None,
    skip_oov: Annotated[
        bool, typer.Option("--skip-oov", help="Leave out pairs with a word the model lacks.")
    ] = False,
    worst: Annotated[
        int, typer.Option(min=0, help="Number of failures to list, worst first.")
    ] = 10,
    items: Items = None,
    force: Force = False,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    model: ModelPath = None,
    device: Device = None,
    jobs: Jobs = 1,
    shard: ShardOption = None,
    out: ShardsOut = None,
) -> None:
    r"""Score minimal pairs: is the good sentence the more probable?

    Each line holds a good sentence, a bad one and optionally a phenomenon, separated by tabs; or a
    JSON object with sentence_good and sentence_bad. A first line of good, bad, … names the columns.
    With sentence, correct and wrong, only these two words are compared, after what stands before
    ___ in the sentence, or before the word at `position`, counted from 0.

    A pair whose sentences are equally probable is undecided, and counts as half right. Intervals
    are 95 % (Wilson). In --items and --json log-probabilities are in nats, surprisals in bits.

    \b
    charlm pairs pairs.tsv
    charlm pairs blimp/ --by UID --items items.tsv
    charlm pairs agreement.gold --text agreement.text --skip-oov
    charlm pairs blimp/ --shard 3/8 --out parts
    """
    from ..tasks.pair_files import collect

    only_once(*files, text)
    one_part = items is not None and not (shard or shards.ALL).startswith(shards.ALL)
    others = {"stdin": "-" in [*files, text], "--items, except for all/N": one_part}
    in_shards = shards.check(shard, out, others)
    check_items(items, [*files, text], force)
    used = open_model(model, device)
    reading = {"encoding": encoding, "errors": errors}
    collected = collect(files, by, text=text, level=used.tokenizer.level, **reading)
    how = _How(region, norm.value, skip_oov, jobs)
    scored: PairScores | None
    if in_shards:
        scored = _in_shards(used, collected, how, by, shard or "", out or "", model)
        if scored is None:
            return
    else:
        scored = _score(used, collected, how)
    overall, failures = scored.overall, scored.worst(worst)
    _remarks(used, scored)
    rows = [one.as_dict() for one in scored.pairs]
    write_items(items, [row | {"id": row["id"] or k} for k, row in enumerate(rows, 1)])
    if json:
        show.emit_json(
            {
                "model": used.info["path"],
                **scored.as_dict(),
                "worst": [one.as_dict() for one in failures],
            }
        )
        return
    _print(overall, scored.by_phenomenon, failures)


@dataclass(frozen=True)
class _How:
    """How pairs are scored."""

    region: bool
    norm: str
    skip_oov: bool
    jobs: int


def _score(used: Model, pairs: Sequence[Pair], how: _How, part: str = "") -> PairScores:
    with progress_bar(f"scoring {show.count(len(pairs), 'pair')}{part}") as report:
        return used.pairs(pairs, **vars(how), progress=report)


def _in_shards(
    used: Model,
    pairs: Sequence[Pair],
    how: _How,
    by: str | None,
    shard: str,
    out: str,
    model: str | None,
) -> PairScores | None:
    """Score the shards that are wanted; all pairs, if all are."""
    from ..tasks.pairs import Pair, PairScore, PairScores, nothing_known, without_unknown

    def scored(one: Shard) -> Iterator[str]:
        own = one.of(pairs)
        kept = without_unknown(used.tokenizer, own) if how.skip_oov else own
        known = replace(how, skip_oov=False)
        found = _score(used, kept, known, f", shard {one}").pairs if kept else ()
        yield dumps({"skipped": len(own) - len(kept), "pairs": [asdict(each) for each in found]})

    given = [(pair.good, pair.bad, pair.shared) for pair in pairs]
    text = sha256(dumps(given).encode()).hexdigest()
    options = [how.region, how.norm, how.skip_oov, by]
    about = shards.identity("pairs", model, text, options)
    files = shards.finished(shard, out, ".json", about, scored)
    if files is None:
        return None
    parts = [loads(path.read_bytes()) for path in files]
    rows = [row for part in parts for row in part["pairs"]]
    if not rows:
        raise nothing_known(used.tokenizer)
    all_pairs = (PairScore(**row | {"pair": Pair(**row["pair"])}) for row in rows)
    return PairScores(tuple(all_pairs), sum(part["skipped"] for part in parts))


def _remarks(model: Model, scored: PairScores) -> None:
    """What one should know of the numbers."""
    if scored.skipped:
        total = len(scored.pairs) + scored.skipped
        note(f"{scored.skipped:,} of {show.count(total, 'pair')} left out for unknown words")
    pairs = (one.pair for one in scored.pairs)
    note_unknown(*count_unknown(model, (text for pair in pairs for text in (pair.good, pair.bad))))
    if scored.overall.undecided:
        tied = [one for one in scored.pairs if one.decision == "undecided"]
        unknown = all(one.good_oov or one.bad_oov for one in tied)
        blame = " (the sentences differ only in unknown words)" if unknown else ""
        many = "1 pair is" if len(tied) == 1 else f"{len(tied):,} pairs are"
        note(f"{many} undecided, both sentences equally probable{blame}: half right")
        tokenizer = model.tokenizer.as_dict()
        if unknown and tokenizer["level"] == "word" and tokenizer["split"] == "whitespace":
            note('to it "cat." is one word; a model trained with --split unicode reads two')


def _print(overall: Accuracy, groups: dict[str, Accuracy], failures: Sequence[PairScore]) -> None:
    from ..measures import surprisal

    rows = [["", "pairs", "right", "95 %", "mean Δ (bits)", "undecided"]]
    named = groups if len(groups) > 1 or "" not in groups else {}
    rows += [_row(name or "(none)", group) for name, group in named.items()]
    rows.append(_row("all", overall))
    if not overall.undecided:
        rows = [row[:-1] for row in rows]
    head, *lines = show.columns(rows, "<" + ">" * (len(rows[0]) - 1))
    show.line(head, "dim")
    for line in lines[:-1]:
        show.line(line)
    show.line(lines[-1], "bold")
    if failures:
        show.line()
        show.line("worst failures: bits by which the bad sentence is more probable", "dim")
    for one in failures:
        bits = show.number(surprisal(one.difference))
        bad, good = marked(one.pair.bad, one.pair.good), marked(one.pair.good, one.pair.bad)
        show.paragraph(f"{bits:>7}  {show.one_line(bad)}", indent=9, first=0)
        show.paragraph(f"{'not':>7}  {show.one_line(good)}", indent=9, first=0, style="dim")


def _row(name: str, group: Accuracy) -> list[str]:
    low, high = group.interval
    bits = group.as_dict()["mean_difference_bits"]
    return [
        name,
        f"{group.total:,}",
        f"{group.rate:.1%}",
        f"{low:.1%}–{high:.1%}",
        show.number(bits),
        str(group.undecided),
    ]
