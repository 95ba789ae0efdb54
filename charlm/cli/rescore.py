"""`charlm rescore`: reranking n-best lists."""

from __future__ import annotations

import math
import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CharlmError
from . import show
from .opening import note_unknown, only_once, open_lines, open_model
from .options import Device, Encoding, Errors, Json, ModelPath
from .talk import aside, progress_bar, warn

if TYPE_CHECKING:
    from ..tasks.nbest import Utterance
    from ..tasks.rescore import Ranked

KALDI = "Kaldi"


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
    json: Json = False,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    model: ModelPath = None,
    device: Device = None,
) -> None:
    r"""Rerank n-best lists: first pass + α · (LM − old LM) + β · words.

    Scores are log-probabilities, higher is better; the language model's are nats. The list is
    printed as TSV, the best hypothesis of each utterance first. The first line of the list may name
    the columns.

    \b
    charlm rescore dev.tsv --tune dev.ref --out reranked.tsv
    charlm rescore test.tsv --alpha 0.6 --beta 0.4 --ref test.ref
    charlm rescore text --scores ac_cost --lm-scores lm_cost --best
    """
    from ..system.storage import check_output, is_among
    from ..tasks.nbest import read_references
    from ..tasks.rescore import Weights, count_errors, score
    from ..tasks.rescore import tune as fit

    if tune and (alpha is not None or beta is not None):
        raise CharlmError("--tune finds α and β: leave out --alpha and --beta")
    if tune and ref:
        raise CharlmError("--tune reports the error rates too: leave out --ref")
    for name, value in (("alpha", alpha), ("beta", beta), ("acoustic-scale", acoustic_scale)):
        if value is not None and not math.isfinite(value):
            raise CharlmError(f"--{name} must be a finite number, not {value}")
    if acoustic_scale != 1 and not scores:
        raise CharlmError("--acoustic-scale goes with --scores")
    only_once(nbest, tune, ref, scores, lm_scores)
    out = None if out == "-" else out
    if out is not None:
        check_output(Path(out))
        if is_among(Path(out), [nbest, tune, ref, scores, lm_scores]):
            raise CharlmError(f"{out} is one of the files to read: name another with --out")
    used = open_model(model, device)
    level = used.tokenizer.level
    given = _read([nbest, scores, lm_scores], acoustic_scale, encoding, errors, level)
    counted = None
    if tune or ref:
        with open_lines(tune or ref or "", encoding, errors, level) as (name, lines):
            references = read_references(lines, name)
        counted = count_errors(given, references, metric.value)
        left = len(references.keys() - {utterance.id for utterance in given})
        if left:
            warn(f"{show.count(left, 'reference')} without hypotheses: left out of the error rates")
    texts = [h.text for utterance in given for h in utterance.hypotheses]
    with progress_bar(f"scoring {len(texts):,} hypotheses"):
        scored = score(used.causal, used.tokenizer, given)
    weights = Weights(1.0 if alpha is None else alpha, beta or 0.0)
    rates = None
    if counted is not None:
        if tune:
            with progress_bar("tuning"):
                weights = fit(scored, counted)
        before, after = (counted.rate(scored.best(w)) for w in (Weights(0, 0), weights))
        rates = {"before": before, "after": after, "oracle": counted.oracle(scored)}
    ranked = scored.ranked(weights)
    note_unknown(used, texts)
    if json:
        show.emit_json(
            {
                "alpha": weights.alpha,
                "beta": weights.beta,
                "metric": metric.value,
                "error_rates": rates,
                "utterances": [
                    {"utterance": u.id, "hypotheses": [_record(one) for one in _kept(own, best)]}
                    for u, own in zip(given, ranked, strict=True)
                ],
            }
        )
    if out is not None or not json:
        _write(given, ranked, out, best)
    found = [f"α {weights.alpha:.6g}", f"β {weights.beta:.6g}"]
    if rates:
        name = metric.value.upper()
        found += [f"{name} {key} {rate:.2%}" for key, rate in rates.items()]
    summary = " · ".join(found)
    if out is None or json:
        aside(summary)
    else:
        show.line(summary)


def _read(
    files: list[str | None], scale: float, encoding: str, errors: str, level: str
) -> list[Utterance]:
    """The n-best list of a file, or of Kaldi's text, scores and perhaps scores of the old LM."""
    from ..tasks.nbest import read, read_kaldi

    if files[2] and not files[1]:
        raise CharlmError("--lm-scores goes with --scores")
    with ExitStack() as stack:
        given = [file for file in files if file]
        opened = [stack.enter_context(open_lines(f, encoding, errors, level)) for f in given]
        names, lines = [name for name, _ in opened], [lines for _, lines in opened]
        if len(given) == 1:
            return read(lines[0], names[0])
        old = lines[2] if len(given) == 3 else None
        return read_kaldi(lines[0], lines[1], old, names, scale)


def _kept(ranked: list[Ranked], best: bool) -> list[Ranked]:
    return ranked[:1] if best else ranked


def _record(one: Ranked) -> dict[str, object]:
    return {
        "place": one.place,
        "hypothesis": one.hypothesis.text,
        "combined": one.combined,
        "score": one.hypothesis.score,
        "lm": one.lm,
        "old_lm_score": one.hypothesis.old_lm,
    }


def _write(given: list[Utterance], ranked: list[list[Ranked]], out: str | None, best: bool) -> None:
    """The list as TSV, to a file or stdout; with old scores where there are any."""
    from ..system.storage import output
    from ..text.pieces import utf8

    old = given[0].hypotheses[0].old_lm is not None
    heads = ["utterance", "hypothesis", "combined", "score", "lm"]
    rows = [[*heads, *(["old_lm_score"] if old else [])]]
    for utterance, own in zip(given, ranked, strict=True):
        for one in _kept(own, best):
            h = one.hypothesis
            numbers = [one.combined, h.score, one.lm, *([h.old_lm] if old else [])]
            rows.append([utterance.id, h.text, *(repr(n) for n in numbers if n is not None)])
    if out is not None:
        with output(Path(out)) as file:
            file.write(utf8("".join("\t".join(row) + "\n" for row in rows)))
    elif show.is_terminal(sys.stdout):
        short = [[*row[:2], *(f"{float(n):.2f}" for n in row[2:])] for row in rows[1:]]
        for line in show.columns([rows[0], *short], "<<" + ">" * (len(rows[0]) - 2)):
            show.line(show.keep_lines(line))
    else:
        for row in rows:
            show.line(show.valid_unicode("\t".join(row)))
    sys.stdout.flush()
