"""`charlm.train`, `ngram`, `mix` and `report`: verbs as functions that show their progress.

On a terminal and in a notebook they look as on the command line; elsewhere they are silent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Unpack

from ..errors import CharlmError
from ..model.model import Model
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
from .stage_progress import stages
from .training_display import Display

if TYPE_CHECKING:
    from ..reports.page import Report


class _HasModel(Protocol):
    @property
    def model(self) -> Path: ...


class Loadable:
    """A run whose model can be loaded."""

    def load(self: _HasModel) -> Model:
        """The run's model, ready for use."""
        return Model.load(self.model)


class TrainedNetwork(Loadable, Outcome):
    """The result of a training run, with `load`."""


class CountedNgrams(Loadable, NgramRun):
    """The result of training an n-gram model, with `load`."""


class Mixture(Loadable, MixtureRun):
    """The result of mixing, with `load`."""


@lists_settings(train_settings())
def train(
    corpus: str | Path | Sequence[str | Path] | None = None,
    *,
    resume: str | Path | None = None,
    log: Sequence[str] = (),
    progress: bool = True,
    events: Events | None = None,
    **settings: Unpack[TrainOptions],
) -> TrainedNetwork:
    """Train a recurrent network on text, mix in an n-gram model of it, save both as a run.

    The network's best state on validation text is kept; `plain` leaves it at that.

    corpus: a text file, a directory or a pattern of files, several of them, or "-" for stdin; one
    sentence per line. Settings that are not given are chosen to fit the text (see
    `charlm/runs/defaults.py`), as is the duration: a few minutes.

    >>> run = charlm.train("corpus.txt", steps=20, hidden=32)
    >>> run.load().score("The cat was full.").measures.tokens
    18

    resume (path, None): instead of a corpus, a run to resume, with its own settings.
    log (strings, ()): also log the numbers of training there: "tensorboard", "mlflow".
    progress (bool, True): show progress, on a terminal and in a notebook.
    events (Events, None): callbacks to use in place of the display.

    Raises CharlmError for errors that the caller can fix. Ctrl-C saves and ends the run, whose
    outcome is then marked as interrupted.
    """
    from ..training import run as training
    from ..training.trackers import tracked

    if resume is not None and (corpus is not None or settings):
        name = next(iter(settings), "corpus")
        raise CharlmError(f"`resume` continues a run with its own settings: leave out `{name}`")
    if resume is None and corpus is None:
        raise CharlmError("no text given: name a file as `corpus`, or a run to `resume`")
    with _shown(Display, progress, events) as shown, tracked(log, shown) as watcher:
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
    memory: int | str | None = None,
    force: bool = False,
    progress: bool = True,
    events: Events | None = None,
    **settings: Unpack[NgramOptions],
) -> CountedNgrams:
    """Estimate an n-gram model of a text by modified Kneser-Ney smoothing, and save it as a run.

    corpus: a text file, a directory or a pattern of files, several of them, or "-" for stdin; one
    sentence per line.

    order (int, None): length of the longest n-grams, up to 16; default 10 for characters, of which
    those of more than five must have been seen twice (6 where there are thousands of characters),
    5 for words.
    context (str, None): whether n-grams span line ends ("stream") or not ("sentence"); default
    stream for characters and bytes, sentence for words and subwords. min_counts (ints, ()): minimum
    count to keep an n-gram, by length; the last applies to all longer ones.
    arpa_file (path, None): also write the model as an ARPA file.
    memory (bytes or such as "1G", None): estimate the model on disk in that much memory, for texts
    that are larger; the same model.
    force (bool, False): also replace a file that is not one of charlm's.
    progress (bool, True): show progress, on a terminal and in a notebook.
    events (Events, None): callbacks to use in place of the display.

    Raises CharlmError for errors that the caller can fix.

    >>> run = charlm.ngram("corpus.txt", order=5)
    >>> run.load()
    <charlm.Model runs/corpus...: 5-gram model, 30,428 numbers, char level, ...>
    """
    with _shown(lambda: stages("counting"), progress, events) as watcher:
        done = count(
            corpus,
            order=order,
            context=context,
            min_counts=min_counts,
            arpa_file=arpa_file,
            memory=memory,
            force=force,
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
    log_linear: bool = False,
    limit_vocab: str | Path | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
    field: str | None = None,
    column: str | int | None = None,
    progress: bool = True,
    events: Events | None = None,
) -> Mixture:
    """Mix models into a better one, and save it as a run.

    models: run directories, model files or ARPA files, two or more.
    dev: a held-out text, which the models have not seen, to fit the weights to.

    out (path, None): directory of the run; default a new one under runs/.
    cache (bool, False): also make recent words more probable.
    log_linear (bool, False): multiply the probabilities instead of adding them.
    limit_vocab (path, None): a file of words; to the mixture, all others are <UNK>.
    encoding (str, "utf-8"), errors (str, "strict"): how the text is decoded.
    field (str, None), column (str or int, None): where the text is in JSON lines and in tables.
    progress (bool, True): show progress, on a terminal and in a notebook.
    events (Events, None): callbacks to use in place of the display.

    Word models may have different vocabularies: the mixture has the words of all.

    Raises CharlmError for fewer than two models, for other different vocabularies, and if a file is
    missing or damaged.
    """
    with _shown(lambda: stages("mixing"), progress, events) as watcher:
        done = mix_models(
            models,
            dev,
            out=out,
            cache=cache,
            log_linear=log_linear,
            limit_vocab=limit_vocab,
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
    force: bool = False,
    progress: bool = True,
    events: Events | None = None,
) -> Report:
    """Write an HTML page about a run: curves, samples, surprisal, settings, speed.

    run: a run directory; None: that of $CHARLM_MODEL, else runs/latest.
    out (path, None): where to write the page; default report.html in the run directory.
    force (bool, False): also replace a file that is not such a page.
    progress (bool, True): show progress, on a terminal and in a notebook.
    events (Events, None): callbacks to use in place of the display.

    Returns the page's path and its findings. Raises CharlmError if there is no run, no model yet,
    or a damaged file; OSError if the page cannot be written.
    """
    from ..reports.page import write

    with _shown(lambda: stages("report"), progress, events) as watcher:
        return write(run, out, watcher, force=force)


@contextmanager
def _shown(
    display: Callable[[], AbstractContextManager[Events]], progress: bool, events: Events | None
) -> Iterator[Events]:
    """The events given; else a display, if wanted and on a terminal or in a notebook; else none."""
    if events is None and progress and (is_terminal(sys.stderr) or in_notebook()):
        with display() as shown:
            yield shown
    else:
        yield events or Events()
