"""`charlm rescore`: rerank n-best lists."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import CharlmError
from . import show
from .open_files import count_unknown, note_unknown, only_once, open_model
from .options import Device, Encoding, Errors, Force, Json, ModelPath, OovTreatment
from .talk import aside, progress_bar, warn

KALDI = "Kaldi"


class Best(StrEnum):
    """What is written of each utterance's best hypothesis."""

    tsv = "tsv"
    text = "text"
    trn = "trn"


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
        typer.Option(
            metavar="REF",
            help="Fit α and β to these references (utterance words…), of NBEST or of --dev.",
        ),
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
        Best | None,
        typer.Option(
            help="Only the best hypothesis of each utterance: a row of the list (tsv), Kaldi's "
            "`utterance words…` (text), or sclite's `words… (utterance)` (trn).",
            show_default=False,
        ),
    ] = None,
    dev: Annotated[
        str | None,
        typer.Option(
            metavar="NBEST",
            help="Other lists to fit α and β to, with the references of --tune.",
            show_default=False,
        ),
    ] = None,
    oov_penalty: Annotated[
        float | None,
        typer.Option(metavar="NATS", help="Taken off for each unknown word.", show_default=False),
    ] = None,
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
    dev_scores: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="First-pass costs of --dev.", rich_help_panel=KALDI),
    ] = None,
    dev_lm_scores: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Old LM costs of --dev.", rich_help_panel=KALDI),
    ] = None,
    lm_out: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write the new LM's costs there, as --lm-scores has the old.",
            rich_help_panel=KALDI,
        ),
    ] = None,
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

    With references there is a report: errors, the substitutions, insertions and deletions in them,
    and 95 % intervals by a bootstrap over utterances.

    \b
    charlm rescore dev.tsv --tune dev.ref --out reranked.tsv
    charlm rescore test.tsv --dev dev.tsv --tune dev.ref --ref test.ref
    charlm rescore text --scores ac_cost --lm-scores lm_cost --best text --lm-out lm_cost.new
    """
    from ..system.output_file import check_new
    from ..tasks.nbest import read_files, read_reference_file
    from ..tasks.rescore import rescore as rerank
    from .rescore_output import check_list, report, write_costs, write_list

    if tune and (alpha is not None or beta is not None):
        raise CharlmError("--tune finds α and β: leave out --alpha and --beta")
    if tune and ref and not dev:
        raise CharlmError("--tune reports the error rates too: leave out --ref")
    if dev and not tune:
        raise CharlmError("--dev needs its references: --tune REF")
    if (dev_scores or dev_lm_scores) and not dev:
        raise CharlmError("--dev-scores and --dev-lm-scores need --dev")
    if lm_scores and not scores:
        raise CharlmError("--lm-scores needs --scores")
    if dev_lm_scores and not dev_scores:
        raise CharlmError("--dev-lm-scores needs --dev-scores")
    if acoustic_scale != 1 and not scores:
        raise CharlmError("--acoustic-scale needs --scores")
    read = [nbest, tune, ref, scores, lm_scores, dev, dev_scores, dev_lm_scores]
    only_once(*read)
    out = None if out == "-" else out
    if out is not None:
        check_list(out, read, force=force)
    if lm_out is not None:
        check_new(Path(lm_out), read, force=force)
        if out is not None and Path(lm_out).resolve() == Path(out).resolve():
            raise CharlmError("--out and --lm-out name the same file: name two")
    used = open_model(model, device)
    how = {"encoding": encoding, "errors": errors, "level": used.tokenizer.level}
    given = read_files(nbest, scores, lm_scores, acoustic_scale=acoustic_scale, **how)
    reference = ref if dev else tune or ref
    references = read_reference_file(reference, **how) if reference else None
    tuning = None
    if dev and tune:
        scale = acoustic_scale if dev_scores else 1.0
        lists = read_files(dev, dev_scores, dev_lm_scores, acoustic_scale=scale, **how)
        tuning = lists, read_reference_file(tune, **how)
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
            dev=tuning,
            metric=metric.value,
            oov=oov,
            oov_penalty=oov_penalty,
        )
    if found.unmatched:
        left = show.count(found.unmatched, "reference")
        warn(f"{left} without hypotheses: left out of the error rates")
    note_unknown(*count_unknown(used, texts), found.oov)
    if lm_out is not None:
        write_costs(found, lm_out)
    if json:
        show.emit_json(found.as_dict(best=best is not None))
    if out is not None or not json:
        write_list(found, out, None if best is None else best.value)
    for line in report(found):
        if out is None or json:
            aside(line)
        else:
            show.line(line)
