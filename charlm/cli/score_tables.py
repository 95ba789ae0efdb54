"""Scores as tables for other programs: TSV, CSV, Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..measures import ranks
from ..tasks.word_rows import beside, word_rows
from ..text.stimuli import Stimulus
from . import show
from .log_base import LogBase
from .talk import note, progress_bar

if TYPE_CHECKING:
    from ..model.model import Model
    from ..tasks.score import SentenceScore
    from ..text.frequencies import Frequencies
    from ..text.source import Reading

    Scored = Sequence[tuple[Stimulus, SentenceScore]]


def emit(rows: Iterator[dict[str, Any]], delimiter: str, parquet: Path | None) -> None:
    """Print rows as TSV or CSV, or write them to a Parquet file."""
    first = next(rows, None)
    if first is None:
        return
    if parquet is not None:
        from ..text.parquet import write

        write(parquet, [first, *rows])
        return
    everything = ([row.get(name) for name in first] for row in chain([first], rows))
    show.emit_table(list(first), everything, delimiter)


def rows_of(
    scored: Scored,
    base: LogBase,
    frequencies: Frequencies | None,
    *,
    tokens: bool,
    words: bool,
    ranked_by: str | None,
) -> Iterator[dict[str, Any]]:
    """The rows of a table: of tokens, of words, or else of sentences, see `_sentences`."""
    if words:
        return _words(scored, base, frequencies)
    return _tokens(scored, base) if tokens else _sentences(scored, base, ranked_by)


def _sentences(scored: Scored, base: LogBase, ranked_by: str | None) -> Iterator[dict[str, Any]]:
    """A row for each sentence; `logprob` in the base asked for.

    ranked_by: how unknown words count in the rank, None: no ranks; in `logprob` they are <UNK>.
    """
    places = ranks([one.measures for _, one in scored], ranked_by or "closed")
    for (stimulus, one), place in zip(scored, places, strict=True):
        own: dict[str, Any] = {"line": stimulus.line}
        own |= {"rank": place, "ranked_by": ranked_by} if ranked_by else {}
        own |= {**one.measures.as_dict(), "text": one.text}
        for key in {"logprob", "logprob_spelled"} & own.keys():
            own[key] = base.of(own[key])
        yield own | beside(own, stimulus.metadata)


def _tokens(scored: Scored, base: LogBase) -> Iterator[dict[str, Any]]:
    """A row for each token, likewise."""
    for stimulus, one in scored:
        for number, token in enumerate(one.token_scores or (), 1):
            own = {"line": stimulus.line, "token_id": number, **token.as_dict()}
            own["logprob"] = base.of(token.logprob)
            yield own | beside(own, stimulus.metadata)


def _words(
    scored: Scored, base: LogBase, frequencies: Frequencies | None
) -> Iterator[dict[str, Any]]:
    """A row for each word, likewise."""
    for row in word_rows(scored, frequencies):
        yield row | {"logprob": base.of(row["logprob"])}


def json_records(
    scored: Scored, frequencies: Frequencies | None, *, from_file: bool
) -> Iterator[dict[str, Any]]:
    """The JSON objects of sentences; those of a file have their line and what stood beside them."""
    for stimulus, one in scored:
        record = one.as_dict()
        if one.word_scores is not None:
            plain = Stimulus(stimulus.text, stimulus.line)
            rows = word_rows([(plain, one)], frequencies)
            record["word_scores"] = [_without(row, ("line", "word_id")) for row in rows]
        if from_file:
            record["line"] = stimulus.line
        if stimulus.metadata:
            record["stimulus"] = dict(stimulus.metadata)
        yield record


def count_words(model: Model, file: str | None, encoding: str, errors: str) -> Frequencies | None:
    """Word frequencies in a file, or else in what the model was trained on, if it is found."""
    from ..errors import CharlmError
    from ..runs import word_frequencies

    if file == "none":
        return None
    with progress_bar("counting words"):
        if file is not None:
            reading: Reading = {"encoding": encoding, "errors": errors}
            return word_frequencies.of_files([file], model.tokenizer, **reading)
        try:
            return word_frequencies.of_training(
                Path(model.info["path"]), model.tokenizer, model.info["training"]
            )
        except CharlmError:
            note("no frequencies: the training text is not found; name a text with --frequencies")
            return None


def _without(row: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}
