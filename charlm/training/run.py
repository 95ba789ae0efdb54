"""Start or resume a run: tokenise the text, fix the settings, then call the loop in `loop.py`."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

import torch

from ..config import NetworkConfig, TokenizerConfig, TrainConfig
from ..errors import CharlmError
from ..network.device import choose_device
from ..runs import defaults
from ..runs.defaults import Facts
from ..runs.events import Events, Outcome
from ..runs.options import TrainOptions, TrainRunOptions, divide, train_settings
from ..runs.run_directory import RUNS, RunDirectory
from ..runs.run_record import RunRecord
from ..runs.run_text import RunText, begin, recorded_reading, reopen
from ..system import allocator, machine
from ..system.version import __version__
from ..text.corpus import Corpus
from ..text.source import Reading, open_text
from . import budget
from .base_model import BaseModel, KeptText
from .closing import Closing
from .follow import follow
from .loop import Trainer
from .plan import TimePlanner
from .processes import Alone, joined, launch, restarted
from .thread_tuner import ThreadTuner

CLOSING_SECONDS = 1.5  # for the last checkpoint and the curves


def train(
    corpus: str | Path | Sequence[str | Path],
    *,
    events: Events | None = None,
    began: float | None = None,
    **given: Unpack[TrainOptions],
) -> Outcome:
    """Train a model on text and keep the best one.

    corpus: a file, several, or "-". given: settings, see `runs.options.TrainOptions`; what is not
    given is chosen to fit the corpus (see `runs/defaults.py`). began: when the minutes began, on
    the clock of time.monotonic; default now. Raises CharlmError for errors that the user can fix.

    Of several processes that torchrun started, the first one returns; the others end here, with
    SystemExit.
    """
    events = events or Events()
    began = time.monotonic() if began is None else began
    with shared() as processes:
        if restarted() and (run := _launched(given.get("out"))) is not None:
            return _resume(processes, run, events)
        return _train(processes, corpus, events, began, given)


def _train(
    processes: Alone,
    corpus: str | Path | Sequence[str | Path],
    events: Events,
    began: float,
    given: Mapping[str, Any],
) -> Outcome:
    options, settings = divide(TrainRunOptions, train_settings(), given)
    if options.cache and settings.get("bidirectional"):
        raise CharlmError("`cache` does not work with bidirectional models: leave it out")
    base = None if options.init_from is None else BaseModel.read(options.init_from)
    tokenizer_config = (
        defaults.tokenizer(settings) if base is None else base.tokenizer_config(settings)
    )
    if options.keep is not None and str(options.keep) != "-" and not Path(options.keep).exists():
        raise CharlmError(f"{options.keep} does not exist: `keep` names the old text")
    old_tokens = None if base is None else base.tokenizer
    with begin(corpus, options, tokenizer_config, events, old_tokens) as (run, opened):
        text = opened.corpus
        device = choose_device(options.device)
        facts = Facts(
            tokenizer_config.level, len(text.train), text.tokenizer.vocab_size, options.plain
        )
        if base is None:
            network_config = defaults.network(settings, facts)
        else:
            network_config = base.network_config(settings, facts.vocab_size)
            settings |= {"hidden": network_config.hidden, "embed": network_config.embed}
        allocator.keep_pages()
        config = replace(
            defaults.training(settings, facts, fine_tuning=base is not None),
            device=device,
            threads=settings.get("threads") or min(torch.get_num_threads(), machine.cores()),
        )
        counts = budget.thread_counts(config, settings.get("threads"))
        end = began + _seconds(options)
        closing = Closing.within(_seconds(options), mixed=not options.plain, cache=options.cache)
        deadline = end - closing.seconds(network_config, text, budget.MIN_VALID_TOKENS, device)
        network_config, config, seconds_per_step = budget.fix_settings(
            network_config,
            config,
            text,
            facts,
            options,
            settings,
            counts,
            deadline,
            processes=processes.count,
        )
        deadline = end - closing.seconds(network_config, text, config.valid_tokens, device)
        kept, old_text = _kept(run, options.keep, text, config, options.reading())
        record = _record(opened, tokenizer_config, network_config, config)
        if base is not None:
            record["base"] = {"model": str(base.path.resolve()), **old_text}
        if processes.count > 1:
            record["launch"] = launch()
        run.write_config({**record, **closing.as_record()})
        planner = tuner = None
        if math.isfinite(deadline):
            planner = TimePlanner(
                config,
                deadline,
                seconds_per_step,
                min(len(text.valid), config.valid_tokens),
                regular=settings.get("eval_every") is not None,
            )
            tuner = ThreadTuner(counts, config.threads)
        trainer = Trainer(
            run,
            text,
            network_config,
            config,
            events,
            planner=planner,
            tuner=tuner,
            kept=kept,
            validate_first=base is not None,
            processes=processes,
        )
        if base is not None:
            base.fill(trainer.network)
        return _closed(closing, trainer, events)


def resume(run: str | Path, events: Events | None = None) -> Outcome:
    """Resume a run, bit for bit as if it had never stopped (on a CPU).

    A run by the clock goes on for the time that was left, and its steps follow the speed.
    Raises CharlmError if there is nothing to resume, the text has changed, or a file is damaged.
    """
    with shared() as processes:
        return _resume(processes, Path(run), events or Events())


def _resume(processes: Alone, run: Path, events: Events) -> Outcome:
    directory = RunDirectory(run)
    record = directory.read_config()
    with directory.claimed():
        return _resumed(processes, directory, record, events)


@contextmanager
def shared() -> Iterator[Alone]:
    """The processes of a training, of which this is the first; any other one ends here."""
    with joined() as processes:
        if processes.rank > 0:
            follow(processes)
            raise SystemExit(0)
        yield processes


def _launched(out: str | Path | None) -> Path | None:
    """The run that processes of the same launch began, before one of them died."""
    places = [path for path in RUNS.glob("*") if not path.is_symlink()]
    for run in places if out is None else [Path(out)]:
        with suppress(CharlmError, OSError):
            if RunDirectory(run).read_config().get("launch") == launch():
                return run
    return None


def _resumed(
    processes: Alone, directory: RunDirectory, record: RunRecord, events: Events
) -> Outcome:
    if directory.model.exists() and not directory.checkpoint.exists():
        raise CharlmError(
            f"{directory.checkpoint} is missing: the run cannot resume, but its model can be used"
        )
    network_config = NetworkConfig.from_dict(record["network"])
    config = TrainConfig.from_dict(record["training"])
    text = reopen(directory, record, events.stage).corpus
    if network_config.vocab_size != text.tokenizer.vocab_size:
        raise CharlmError(f"{directory.config} is damaged: `vocab_size` is not that of the text")
    if config.device == "cuda" and not torch.cuda.is_available():
        raise CharlmError("the run was on a CUDA device, and none is available")
    base = record.get("base")
    keep = None if base is None else base.get("keep")
    kept, old_text = _kept(directory, keep, text, config, recorded_reading(record))
    if base and keep and old_text["keep_sha256"] != base.get("keep_sha256"):
        raise CharlmError(f"{keep[0]} has changed since the run started: restore it")
    trainer = Trainer(
        directory,
        text,
        network_config,
        config,
        events,
        kept=kept,
        validate_first=base is not None,
        processes=processes,
    )
    if base is not None and not directory.checkpoint.exists():
        BaseModel.read(base["model"]).fill(trainer.network)
    closing = Closing.recorded(record, text.tokenizer.level)
    return _closed(closing, trainer, events)


def _closed(closing: Closing, trainer: Trainer, events: Events) -> Outcome:
    """Train, and close."""
    config = trainer.config
    with trainer.best.guarded():
        return closing.finish(
            trainer.fit(),
            trainer.corpus,
            trainer.network.config,
            config.valid_tokens,
            config.device,
            events,
        )


def _kept(
    run: RunDirectory,
    keep: str | Path | Sequence[str] | None,
    text: Corpus,
    config: TrainConfig,
    how: Reading,
) -> tuple[KeptText | None, dict[str, Any]]:
    """The old text to watch, if one is named, and what config.toml says of it."""
    if keep is None:
        return None, {}
    names = [keep] if isinstance(keep, str | Path) else keep
    source = open_text(names, spool=run.cache / "stdin", mixed=True, **how)
    kept = KeptText.read(source, text.tokenizer, config.valid_tokens)
    paths = [str(path.resolve()) for path in source.paths]
    return kept, {"keep": paths, "keep_sha256": source.sha256()}


def _seconds(options: TrainRunOptions) -> float:
    """For reading, training and validating; infinite if another duration was given."""
    if options.steps is not None or options.epochs is not None:
        return math.inf
    minutes = defaults.DEFAULT_MINUTES if options.minutes is None else options.minutes
    return 60 * minutes - CLOSING_SECONDS


def _record(
    text: RunText,
    tokenizer: TokenizerConfig,
    network: NetworkConfig,
    config: TrainConfig,
) -> dict[str, Any]:
    """The contents of config.toml: every setting, the text's location, and the machine."""
    source, held_out = text.source, text.held_out
    return {
        "charlm": __version__,
        "corpus": {
            "name": text.corpus.name,
            "paths": [str(p.resolve()) for p in source.paths],
            "valid": [str(p.resolve()) for p in held_out.paths] if held_out else [],
            "encoding": source.encoding,
            "errors": source.errors,
            **({} if source.field is None else {"field": source.field}),
            **({} if source.column is None else {"column": source.column}),
            "sha256": text.corpus.sha256,
        },
        "tokenizer": tokenizer.as_dict(),
        "network": network.as_dict(),
        "training": config.as_dict(),
        "machine": machine.facts(),
    }
