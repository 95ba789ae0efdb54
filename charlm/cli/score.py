"""`charlm score`: score sentences with a model."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import CharlmError
from ..measures import oov_treatment
from . import score_report, shards, show
from .log_base import LogBase
from .open_files import drop_empty, note_unknown, only_once, open_model, open_text_file
from .options import (
    Adaptation,
    Column,
    Context,
    Device,
    Encoding,
    Errors,
    Field,
    Force,
    Json,
    ModelPath,
    OovTreatment,
)
from .shards import Jobs, ShardOption, ShardsOut
from .talk import note, progress_bar

if TYPE_CHECKING:
    from ..model.model import Model
    from ..tasks.score import SentenceScore
    from ..text.source import Reading
    from ..text.stimuli import Stimulus


LONGEST_LINE = 1 << 27  # characters; it is scored piece by piece


def score(
    sentences: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SENTENCE",
            help='The sentences, each in quotes; "-" (or nothing, in a pipe) reads lines of stdin.',
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option(
            "--file", "-f", metavar="FILE", help="Score the lines of a file.", show_default=False
        ),
    ] = None,
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Show each token: log P, surprisal in bits, rank.")
    ] = False,
    words: Annotated[
        bool, typer.Option("--words", help="Show each word: log P and surprisal of the whole word.")
    ] = False,
    context: Annotated[
        Context,
        typer.Option(
            help="Score each sentence on its own, or as following those before it (stream)."
        ),
    ] = Context.sentence,
    no_eos: Annotated[
        bool, typer.Option("--no-eos", help="Exclude <EOS> from all numbers.")
    ] = False,
    log_base: Annotated[
        LogBase, typer.Option(help="Base of printed log-probabilities (JSON: always nats).")
    ] = LogBase.e,
    oov: OovTreatment = None,
    json: Json = False,
    tsv: Annotated[
        bool,
        typer.Option(
            "--tsv", help="Print tab-separated values; with --tokens or --words, a row for each."
        ),
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="The same, separated by commas.")] = False,
    parquet: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The same, written to a file.", show_default=False),
    ] = None,
    force: Force = False,
    frequencies: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Text to count words in, or none. Default: what the model was trained on.",
            show_default=False,
        ),
    ] = None,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    field: Field = None,
    column: Column = None,
    model: ModelPath = None,
    device: Device = None,
    adapt: Adaptation = None,
    jobs: Jobs = 1,
    shard: ShardOption = None,
    out: ShardsOut = None,
) -> None:
    r"""Score sentences: their probability under a model.

    For each: log-probability, probability, perplexity per token, bits per character, and OOV,
    the number of tokens that the model does not know. Several sentences are ranked, and the most
    probable is marked ▶. Where they differ in OOV, log P, P and bits/char include the spelling of
    unknown words (--oov).

    --tsv, --csv and --parquet make a table: the line a sentence is on, counted from 1, its numbers,
    and what a table of stimuli (--column) has in its other columns. With --words a row has the
    word's surprisal and entropy reduction in bits, its log10 frequency per million, and the
    surprisals of the two words before it.

    With --shard, jobs on many machines divide a file, at line ends. Each writes a table without
    ranks, or JSON lines. In a stream, the first sentence of every part has no context.

    \b
    charlm score "the apple and pair salad" "the apple and pear salad"
    charlm score --words "The cats, which already ate fish, were full."
    charlm score -f sentences.txt --tsv > scores.tsv
    charlm score -f items.csv --column sentence --words --csv > words.csv
    echo "The cat was full." | charlm score --tokens --json
    charlm score -f large.txt --tsv --shard 3/8 --out parts
    """
    from ..tasks.shard_files import likeness
    from . import score_shards, score_tables

    formats = {"--json": json, "--tsv": tsv, "--csv": csv, "--parquet": parquet is not None}
    chosen = [name for name, wanted in formats.items() if wanted]
    if len(chosen) > 1:
        raise CharlmError(f"{' and '.join(chosen)} are mutually exclusive: choose one")
    table = bool(tsv or csv or parquet is not None)
    if table and tokens and words:
        raise CharlmError(
            f"{chosen[0]} shows --tokens or --words, not both in one table: choose one"
        )
    if adapt and (tokens or words or table):
        raise CharlmError(
            "--adapt scores whole sentences only: leave out --tokens, --words and tables"
        )
    if oov is not None and chosen and (tokens or words):
        raise CharlmError("--oov is for whole sentences: leave out --tokens and --words")
    if jobs > 1 and adapt:
        raise CharlmError("--adapt learns from one sentence after another: leave out --jobs")
    stdin = (file or (sentences or [""])[0]) == "-"
    no_shards = {"stdin": stdin, "sentences": bool(sentences), "--adapt": bool(adapt)}
    no_shards["--oov"] = oov is not None
    in_shards = score_shards.check(shard, out, chosen, file, no_shards)
    only_once(file, frequencies)
    if frequencies is not None and not (words and chosen):
        raise CharlmError("--frequencies goes with --words in JSON or a table")
    if parquet is not None:
        from ..text.parquet import check_writing

        check_writing(Path(parquet), [file, frequencies], force=force)
    used = open_model(model, device)
    how: Reading = {"encoding": encoding, "errors": errors, "field": field, "column": column}
    counted = None
    if words and chosen:
        counted = score_tables.count_words(used, frequencies, encoding, errors)

    def scores_of(given: Sequence[Stimulus], part: str = "") -> list[SentenceScore]:
        with progress_bar(f"scoring {show.count(len(given), 'sentence')}{part}") as report:
            return used.score(
                [one.text for one in given],
                eos=not no_eos,
                context=context.value,
                tokens=tokens,
                words=words,
                jobs=jobs,
                progress=report,
            )

    def rows_of(
        given: Sequence[Stimulus], scores: Sequence[SentenceScore], ranked_by: str | None
    ) -> Iterator[dict[str, Any]]:
        scored = list(zip(given, scores, strict=True))
        if json:
            from_file = sentences in (None, [], ["-"])
            return score_tables.json_records(scored, counted, from_file=from_file)
        return score_tables.rows_of(
            scored, log_base, counted, tokens=tokens, words=words, ranked_by=ranked_by
        )

    if in_shards:
        with open_text_file(file or "", used.tokenizer.level, **how) as source:
            score_shards.run(
                source,
                chosen[0],
                lambda given, part: rows_of(given, scores_of(given, part), None),
                LONGEST_LINE,
                stream=context is Context.stream,
                shard=shard or "",
                out=out or "",
                about=shards.identity(
                    "score",
                    model,
                    likeness(source.paths),
                    [*how.values(), context, no_eos, tokens, words, log_base, frequencies, *chosen],
                ),
            )
        return
    given = _given(sentences or [], file, used, how)
    scores = scores_of(given)
    learning = None
    if adapt:
        with progress_bar("adapting"):
            changed = used.adapted(adapt.value)
            texts = [one.text for one in given]
            learning = changed.score(texts, eos=not no_eos, context=context.value)
    if scores[0].pseudo:
        note(
            "pseudo-log-probabilities, each token given all others: comparable only with "
            "those of this model"
        )
    treated = oov_treatment(oov, (one.measures.oov for one in scores))
    if json:
        records = list(rows_of(given, scores, None))
        for record, after in zip(records, learning or [], strict=False):
            record["adapted"] = after.as_dict()
        show.emit_json(records)
    elif table:
        rows = rows_of(given, scores, treated)
        score_tables.emit(rows, "," if csv else "\t", None if parquet is None else Path(parquet))
    else:
        note_unknown(
            sum(one.measures.oov for one in scores),
            sum(one.measures.tokens for one in scores),
            treated,
        )
        for one in scores if tokens or words else ():
            score_report.print_details(one, log_base)
        score_report.print_scores(scores, log_base, treated)
        if learning is not None:
            show.line()
            show.line("adapted: each sentence after learning from those before it", "dim")
            score_report.print_scores(learning, log_base, treated)


def _given(sentences: list[str], file: str | None, model: Model, how: Reading) -> list[Stimulus]:
    """The sentences, from wherever they are given. Raises CharlmError if there are none."""
    from ..text.stimuli import Stimulus, read_stimuli

    if file is not None and sentences:
        raise CharlmError("sentences and --file are mutually exclusive: give only one")
    if file is None and sentences == ["-"]:
        file = "-"
    if file is None and "-" in sentences:
        raise CharlmError("- (stdin) and sentences are mutually exclusive: give only one")
    if file is None and not sentences:
        if show.is_terminal(sys.stdin):
            raise CharlmError("nothing to score: give sentences, --file FILE, or text on stdin")
        file = "-"
    if file is None:
        for number, sentence in enumerate(sentences, 1):
            if not sentence.strip():
                raise CharlmError(f"sentence {number} is empty: there is nothing to score")
        return [Stimulus(sentence, number) for number, sentence in enumerate(sentences, 1)]
    with open_text_file(file, model.tokenizer.level, **how) as source:
        lines = read_stimuli(source, LONGEST_LINE)
        return drop_empty(lines, file, "score", attrgetter("text"))
