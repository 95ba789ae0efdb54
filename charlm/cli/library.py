"""`charlm.train`, `ngram`, `mix` and `report`: verbs as functions, which show how they go.

On a terminal and in a notebook they look as on the command line; elsewhere they say nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Unpack

from ..errors import CharlmError
from ..model import Model
from ..runs.events import Events, Outcome
from ..runs.mixture_run import MixtureRun, mix_models
from ..runs.ngram_run import NgramRun, count
from ..runs.options import (
    NgramOptions,
    TrainOptions,
    lists_settings,
    ngram_settings,
    train_settings,
)
from .notebook import in_notebook
from .show import is_terminal
from .stages import stages
from .training_display import Display

if TYPE_CHECKING:
    from ..reports.page import Report


class _HasModel(Protocol):
    @property
    def model(self) -> Path: ...


class Loadable:
    """What a run with a model has in common."""

    def load(self: _HasModel) -> Model:
        """The run's model, ready for use."""
        return Model.load(self.model)


class TrainedNetwork(Loadable, Outcome):
    """What a training came to, and the way to its model."""


class CountedNgrams(Loadable, NgramRun):
    """What an n-gram model came to, and the way to it."""


class Mixture(Loadable, MixtureRun):
    """What a mixture came to, and the way to it."""


@lists_settings(train_settings())
def train(
    corpus: str | Path | Sequence[str | Path] | None = None,
    *,
    resume: str | Path | None = None,
    progress: bool = True,
    events: Events | None = None,
    **settings: Unpack[TrainOptions],
) -> TrainedNetwork:
    """Train a recurrent network on text, keep its best state on validation text, save it as a run.

    corpus: a text file, a directory or a pattern of files, several of them, or "-" for stdin; one
    line a sentence. What is not set is chosen from the text (see `charlm/runs/defaults.py`), the
    duration too: a few minutes.

    >>> run = charlm.train("corpus.txt", steps=20, hidden=32)
    >>> run.load().score("The cat was full.").measures.tokens
    18

    resume (path, None): instead of a corpus, the run to continue, under its own settings.
    progress (bool, True): show how it goes, on a terminal and in a notebook.
    events (Events, None): told how it goes, in place of the display.

    Raises CharlmError for what the caller can mend. Ctrl-C saves and ends the run, whose outcome
    is then marked as interrupted.
    """
    from ..training import run as training

    if resume is not None and (corpus is not None or settings):
        name = next(iter(settings), "corpus")
        raise CharlmError(f"`resume` continues a run under its own settings: leave out `{name}`")
    if resume is None and corpus is None:
        raise CharlmError("no text given: name a file as `corpus`, or a run to `resume`")
    with _shown(Display, progress, events) as watcher:
        if resume is not None:
            outcome = training.resume(resume, events=watcher)
        else:
            assert corpus is not None
            outcome = training.train(corpus, events=watcher, **settings)
    return TrainedNetwork(**vars(outcome))


@lists_settings(ngram_settings())
def ngram(
    corpus: str | Path | Sequence[str | Path],
    *,
    order: int | None = None,
    context: str | None = None,
    min_counts: Sequence[int] = (),
    arpa_file: str | Path | None = None,
    progress: bool = True,
    events: Events | None = None,
    **settings: Unpack[NgramOptions],
) -> CountedNgrams:
    """Estimate an n-gram model of a text by modified Kneser-Ney smoothing, and save it as a run.

    corpus: a text file, a directory or a pattern of files, several of them, or "-" for stdin; one
    line a sentence.

    order (int, None): tokens of the longest n-gram, up to 16; else 6 for characters, 5 for words.
    context (str, None): whether n-grams reach across line ends ("stream") or not ("sentence"); else
    stream for characters and bytes, sentence for words and subwords.
    min_counts (ints, ()): by length, how often an n-gram must be seen to be kept; the last for all
    longer ones.
    arpa_file (path, None): write the model as an ARPA file, too.
    progress (bool, True): show how it goes, on a terminal and in a notebook.
    events (Events, None): told how it goes, in place of the display.

    Raises CharlmError for what the caller can mend.

    >>> run = charlm.ngram("corpus.txt", order=5)
    >>> run.load()
    <charlm.Model runs/corpus...: 5-gram model, 29,790 numbers, char level, ...>
    """
    with _shown(lambda: stages("counting"), progress, events) as watcher:
        done = count(
            corpus,
            order=order,
            context=context,
            min_counts=min_counts,
            arpa_file=arpa_file,
            events=watcher,
            **settings,
        )
    return CountedNgrams(**vars(done))


def mix(
    models: Sequence[str | Path],
    dev: str | Path,
    *,
    out: str | Path | None = None,
    cache: bool = False,
    encoding: str = "utf-8",
    errors: str = "strict",
    field: str | None = None,
    column: str | int | None = None,
    progress: bool = True,
    events: Events | None = None,
) -> Mixture:
    """Mix models of one vocabulary into a better one, and save it as a run.

    models: run directories, model files or ARPA files, two or more.
    dev: a text that the models have not seen: the weights are fitted to it.

    out (path, None): directory of the run; else a fresh one under runs/.
    cache (bool, False): make what was said of late more probable, too.
    encoding (str, "utf-8"), errors (str, "strict"): how the bytes of text are read.
    field (str, None), column (str or int, None): of JSON lines and of tables, where the text is.
    progress (bool, True): show that it lives, on a terminal and in a notebook.
    events (Events, None): told how it goes, in place of the display.

    Raises CharlmError for fewer than two models, for different vocabularies, and where a file is
    missing or damaged.
    """
    with _shown(lambda: stages("mixing"), progress, events) as watcher:
        done = mix_models(
            models,
            dev,
            out=out,
            cache=cache,
            events=watcher,
            encoding=encoding,
            errors=errors,
            field=field,
            column=column,
        )
    return Mixture(**vars(done))


def report(
    run: str | Path | None = None,
    *,
    out: str | Path | None = None,
    progress: bool = True,
    events: Events | None = None,
) -> Report:
    """Make one page of HTML of a run: curves, samples, surprise, settings, speed.

    run: a run directory; None: that of $CHARLM_MODEL, else runs/latest.
    out (path, None): where the page is written; else report.html in the run directory.
    progress (bool, True): show how it goes, on a terminal and in a notebook.
    events (Events, None): told how it goes, in place of the display.

    Gives the page's path and its findings. Raises CharlmError where there is no run, no model yet,
    or a damaged file, OSError where the page cannot be written.
    """
    from ..reports.page import write

    with _shown(lambda: stages("report"), progress, events) as watcher:
        return write(run, out, watcher)


@contextmanager
def _shown(
    display: Callable[[], AbstractContextManager[Events]], progress: bool, events: Events | None
) -> Iterator[Events]:
    """The events given; else a display where somebody looks and wants one; else silence."""
    if events is None and progress and (is_terminal(sys.stderr) or in_notebook()):
        with display() as shown:
            yield shown
    else:
        yield events or Events()
