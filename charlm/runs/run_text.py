"""The text of a run: opened when it starts, reopened later from its config.toml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..config import TokenizerConfig
from ..errors import CharlmError
from ..models import model_file
from ..text.corpus import Corpus, Progress, prepare
from ..text.remarks import left_out, read_as_it_stands, reads_unk
from ..text.source import Reading, TextSource, open_text
from ..text.tokenizer import Tokenizer
from .events import Events
from .options import RunOptions, text_names
from .run_directory import RunDirectory, created
from .run_record import RunRecord


@dataclass(frozen=True)
class RunText:
    """The text of a run: its files, and their tokens."""

    source: TextSource
    held_out: TextSource | None  # validation files; None: the end of `source` is held out
    corpus: Corpus

    def validation(self, fraction: float = 0.9) -> Iterator[str]:
        """The characters of the validation text, in chunks; `fraction` as in `corpus.prepare`."""
        level = self.corpus.tokenizer.level
        if self.held_out is not None:
            yield from self.held_out.for_level(level).chunks()
            return
        for chunk, held_out in self.source.for_level(level).split_chunks(fraction):
            if held_out:
                yield chunk


@contextmanager
def begin(
    corpus: str | Path | Sequence[str | Path],
    options: RunOptions,
    config: TokenizerConfig,
    events: Events,
    base: Tokenizer | None = None,
) -> Iterator[tuple[RunDirectory, RunText]]:
    """Create and claim a run directory and tokenise its text; if that fails, no directory is left.

    corpus: a file, a directory or a pattern, several of them, or "-". base: a tokenizer to extend
    by what is new in the text. Raises CharlmError if there is no text, or it is unusable.
    """
    names = text_names(corpus)
    with created(None if options.out is None else str(options.out), names[0]) as run:
        yield run, opened(names, options, config, run.cache, events, base)


def opened(
    names: Sequence[str],
    options: RunOptions,
    config: TokenizerConfig,
    cache: Path,
    events: Events,
    base: Tokenizer | None = None,
) -> RunText:
    """The text in these files, tokenised in `cache`, without a run. Raises CharlmError likewise."""
    spool = cache / "stdin"
    source = open_text(names, spool=spool, **options.reading())
    if source.left_out:
        events.warn(left_out(source))
    if whole := read_as_it_stands(source):
        events.warn(whole)
    held_out = None
    if options.valid is not None:
        valid = str(options.valid)
        held_out = open_text([valid], spool=spool, mixed=True, **options.reading())
    tokens = prepare(source, held_out, config, cache, base=base, progress=events.stage)
    if remark := reads_unk(source.name, tokens.tokenizer):
        events.warn(remark)
    return RunText(source, held_out, tokens)


def recorded_reading(record: RunRecord) -> Reading:
    """How the files of a run become text, by its config.toml."""
    where = record["corpus"]
    return {
        "encoding": where["encoding"],
        "errors": where["errors"],
        "field": where.get("field"),
        "column": where.get("column"),
    }


def reopen(directory: RunDirectory, record: RunRecord, progress: Progress | None = None) -> RunText:
    """Reopen the text of the run `directory`, whose config.toml is `record`.

    Raises CharlmError if the text is missing, unreadable or changed.
    """
    where, config = record["corpus"], TokenizerConfig.from_dict(record["tokenizer"])
    spool = directory.cache / "stdin"
    how = recorded_reading(record)
    source = open_text(where["paths"], spool=spool, **how)
    held_out = None
    if where["valid"]:
        held_out = open_text(where["valid"], spool=spool, mixed=True, **how)
    base = record.get("base")
    tokens = None
    if base is not None:  # those of the run's model are those of the first one, and more
        started_from = directory.model if directory.model.exists() else Path(base["model"])
        tokens = model_file.read(started_from).tokenizer
    corpus = prepare(source, held_out, config, directory.cache, base=tokens, progress=progress)
    if corpus.sha256 != where["sha256"]:
        raise CharlmError(
            f"{source.name} has changed since the run started: restore it, or start a new run"
        )
    return RunText(source, held_out, corpus)
