"""`charlm rescore`: rerank n-best lists."""

from __future__ import annotations

import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CharlmError
from . import show
from .open_files import count_unknown, note_unknown, only_once, open_model
from .options import Device, Encoding, Errors, Force, Json, ModelPath, OovTreatment
from .talk import aside, progress_bar, warn

if TYPE_CHECKING:
    from ..tasks.rescore import Rescored

KALDI = "Kaldi"
COLUMNS = ("utterance", "hypothesis", "combined", "score", "lm")


class Metric(StrEnum):
    """Word or character errors."""

    wer = "wer"
    cer = "cer"


def rescore(
    nbest: Annotated[
        str,
        typer.Argument(
            metavar="NBEST",
            help='TSV (utterance, hypothesis, score, optionally old_lm_score) or JSON lines; "-" '
            "reads stdin. With --scores: Kaldi's text.",
        ),
    ],
    tune: Annotated[
        str | None,
        typer.Option(metavar="REF", help="Fit α and β to these references (utterance words…)."),
    ] = None,
    ref: Annotated[
        str | None,
        typer.Option(metavar="REF", help="Only report error rates against these references."),
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Weight of the language model (default 1).")
    ] = None,
    beta: Annotated[float | None, typer.Option(help="Nats added per word (default 0).")] = None,
    metric: Annotated[Metric, typer.Option(help="Count errors in words or characters.")] = (
        Metric.wer
    ),
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the reranked list to this file.")
    ] = None,
    force: Force = False,
    best: Annotated[
        bool, typer.Option("--best", help="Keep only the best hypothesis of each utterance.")
    ] = False,
    scores: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="First-pass costs.", rich_help_panel=KALDI),
    ] = None,
    lm_scores: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Old language-model costs.", rich_help_panel=KALDI),
    ] = None,
    acoustic_scale: Annotated[
        float, typer.Option(help="Scale of the first-pass costs.", rich_help_panel=KALDI)
    ] = 1.0,
    oov: OovTreatment = None,
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    model: ModelPath = None,
    device: Device = None,
) -> None:
    r"""Rerank n-best lists: first pass + α · (LM − old LM) + β · words.

    Scores are log-probabilities, higher is better; the language model's are nats. The list is
    printed as TSV, the best hypothesis of each utterance first. The list may have a header line.

    \b
    charlm rescore dev.tsv --tune dev.ref --out reranked.tsv
    charlm rescore test.tsv --alpha 0.6 --beta 0.4 --ref test.ref
    charlm rescore text --scores ac_cost --lm-scores lm_cost --best
    """
    from ..system.output_file import check, is_among
    from ..tasks.nbest import read_files, read_reference_file
    from ..tasks.rescore import rescore as rerank

    if tune and (alpha is not None or beta is not None):
        raise CharlmError("--tune finds α and β: leave out --alpha and --beta")
    if tune and ref:
        raise CharlmError("--tune reports the error rates too: leave out --ref")
    if lm_scores and not scores:
        raise CharlmError("--lm-scores needs --scores")
    if acoustic_scale != 1 and not scores:
        raise CharlmError("--acoustic-scale needs --scores")
    only_once(nbest, tune, ref, scores, lm_scores)
    out = None if out == "-" else out
    if out is not None:
        if is_among(Path(out), [nbest, tune, ref, scores, lm_scores]):
            raise CharlmError(f"{out} is one of the files to read: name another with --out")
        check(Path(out), lambda head: head.startswith("\t".join(COLUMNS).encode()), force=force)
    used = open_model(model, device)
    how = {"encoding": encoding, "errors": errors, "level": used.tokenizer.level}
    given = read_files(nbest, scores, lm_scores, acoustic_scale=acoustic_scale, **how)
    reference = tune or ref
    references = read_reference_file(reference, **how) if reference else None
    texts = [h.text for utterance in given for h in utterance.hypotheses]
    with progress_bar(f"rescoring {len(texts):,} hypotheses"):
        found = rerank(
            used.causal,
            used.tokenizer,
            given,
            references,
            alpha=alpha,
            beta=beta,
            tune=bool(tune),
            metric=metric.value,
            oov=oov,
        )
    if found.unmatched:
        left = show.count(found.unmatched, "reference")
        warn(f"{left} without hypotheses: left out of the error rates")
    note_unknown(*count_unknown(used, texts), found.oov)
    if json:
        show.emit_json(found.as_dict(best=best))
    if out is not None or not json:
        _write(found, out, best)
    summary = _summary(found)
    if out is None or json:
        aside(summary)
    else:
        show.line(summary)


def _summary(found: Rescored) -> str:
    parts = [f"α {found.weights.alpha:.6g}", f"β {found.weights.beta:.6g}"]
    if found.rates is not None:
        name = found.metric.upper()
        parts += [f"{name} {key} {rate:.2%}" for key, rate in asdict(found.rates).items()]
    return " · ".join(parts)


def _write(found: Rescored, out: str | None, best: bool) -> None:
    """The list as TSV, to a file or stdout; with old scores where there are any."""
    from ..system.output_file import writing
    from ..text.pieces import utf8

    old = found.utterances[0].hypotheses[0].old_lm is not None
    rows = [[*COLUMNS, *(["old_lm_score"] if old else [])]]
    for utterance, ranked in zip(found.utterances, found.ranked, strict=True):
        for one in ranked[: 1 if best else None]:
            h = one.hypothesis
            numbers = [one.combined, h.score, one.lm, *([h.old_lm] if old else [])]
            rows.append([utterance.id, h.text, *(repr(n) for n in numbers if n is not None)])
    if out is not None:
        with writing(Path(out)) as file:
            file.write(utf8("".join("\t".join(row) + "\n" for row in rows)))
    elif show.is_terminal(sys.stdout):
        short = [[*row[:2], *(f"{float(n):.2f}" for n in row[2:])] for row in rows[1:]]
        for line in show.columns([rows[0], *short], "<<" + ">" * (len(rows[0]) - 2)):
            show.line(show.keep_lines(line))
    else:
        for row in rows:
            show.line(show.valid_unicode("\t".join(row)))
    sys.stdout.flush()
