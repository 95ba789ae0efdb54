"""Training events for experiment trackers: `--log tensorboard` and `--log mlflow`.

A tracker is an `Events` like any other; one of your own is given to `charlm.train(events=…)`. What
they all get, by its name there:

    train/loss, in nats per token, train/gradient_norm (L2, before clipping), train/learning_rate,
    train/tokens_per_second            at a step, one a second at most
    valid/bits_per_char, valid/perplexity, valid/best_bits_per_char       at a validation
    kept/bits_per_char                 of the old text, if there is one
"""

from __future__ import annotations

import json
import math
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any

from ..errors import CharlmError, require
from ..measures import Measures
from ..runs.events import Events, Plan, Step
from ..runs.run_directory import RunDirectory
from ..system.extras import require_packages
from ..system.storage import write_text

SECONDS = 1.0  # between steps that are logged, at least


class Several(Events):
    """Tells several watchers of everything; a tracker that fails is left out from then on."""

    def __init__(self, watchers: Sequence[Events]) -> None:
        self.watchers = list(watchers)
        self.wants_samples = any(one.wants_samples for one in watchers)

    def stage(self, name: str, done: float) -> None:
        self._tell(lambda one: one.stage(name, done))

    def started(self, plan: Plan) -> None:
        for one in self.watchers:
            try:
                one.started(plan)
            except Exception as error:
                if not isinstance(one, Tracker):
                    raise
                raise CharlmError(f"{type(one).__name__} cannot begin: {error}") from error

    def step(self, step: Step) -> None:
        self._tell(lambda one: one.step(step))

    def validated(self, step: int, measures: Measures, is_best: bool) -> None:
        self._tell(lambda one: one.validated(step, measures, is_best))

    def kept(self, measures: Measures, at_first: float) -> None:
        self._tell(lambda one: one.kept(measures, at_first))

    def wrote(self, text: str) -> None:
        self._tell(lambda one: one.wrote(text))

    def warn(self, message: str) -> None:
        self._tell(lambda one: one.warn(message))

    def _tell(self, tell: Callable[[Events], None]) -> None:
        for one in tuple(self.watchers):
            try:
                tell(one)
            except Exception as error:
                if not isinstance(one, Tracker):
                    raise
                self.watchers.remove(one)  # training is worth more than its log
                name, what = type(one).__name__, type(error).__name__
                self.warn(f"{name} fails, and gets no more numbers: {what}: {error}")


class Tracker(Events):
    """Base of what logs numbers somewhere."""

    def __init__(self) -> None:
        self._at, self._last = 0, -math.inf

    @abstractmethod
    def log(self, values: Mapping[str, float], step: int) -> None:
        """Keep these numbers of a step."""

    @abstractmethod
    def close(self, *, failed: bool) -> None:
        """Training has ended."""

    def step(self, step: Step) -> None:
        self._at, now = step.step, time.monotonic()
        if now - self._last < SECONDS and step.step < step.steps:
            return
        self._last = now
        values = {
            "train/loss": step.loss,
            "train/gradient_norm": step.gradient_norm,
            "train/learning_rate": step.learning_rate,
            "train/tokens_per_second": step.tokens_per_second,
        }
        self.log(values, step.step)

    def validated(self, step: int, measures: Measures, is_best: bool) -> None:
        values = {
            "valid/bits_per_char": measures.bits_per_char,
            "valid/perplexity": measures.perplexity,
        }
        if is_best:
            values["valid/best_bits_per_char"] = measures.bits_per_char
        self.log(values, step)

    def kept(self, measures: Measures, at_first: float) -> None:
        self.log({"kept/bits_per_char": measures.bits_per_char}, self._at)


class TensorBoard(Tracker):
    """Writes the event files of TensorBoard into the run directory."""

    def __init__(self) -> None:
        super().__init__()
        require_packages("`log=tensorboard`", "tensorboard")
        self.writer: Any = None

    def started(self, plan: Plan) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = plan.run / "tensorboard"
        begin = plan.resumed_at + 1 if plan.resumed_at else None  # later rows are of a lost end
        self.writer = SummaryWriter(str(folder), purge_step=begin)
        self.writer.add_text("settings", json.dumps(_settings(plan), indent=2), plan.resumed_at)

    def log(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)
        self.writer.flush()

    def close(self, *, failed: bool) -> None:
        if self.writer is not None:
            self.writer.close()


class MLflow(Tracker):
    """Logs a run of MLflow; a resumed run goes on with its own.

    Where to is what $MLFLOW_TRACKING_URI says. Without it, MLflow writes to a database, for which
    the whole of it has to be installed; charlm[trackers] brings the part that talks to a server.
    """

    def __init__(self) -> None:
        super().__init__()
        require_packages("`log=mlflow`", "mlflow")
        self.begun = False

    def started(self, plan: Plan) -> None:
        import mlflow

        file = RunDirectory(plan.run).path / "mlflow.json"
        known = json.loads(file.read_text("utf-8"))["run_id"] if file.exists() else None
        found = mlflow.start_run(run_id=known, run_name=None if known else plan.run.name)
        self.begun = True
        if known is None:
            mlflow.log_params(_settings(plan))
            write_text(file, json.dumps({"run_id": found.info.run_id}))

    def log(self, values: Mapping[str, float], step: int) -> None:
        import mlflow

        mlflow.log_metrics(dict(values), step=step)

    def close(self, *, failed: bool) -> None:
        if self.begun:
            import mlflow

            mlflow.end_run("FAILED" if failed else "FINISHED")


TRACKERS: dict[str, type[Tracker]] = {"tensorboard": TensorBoard, "mlflow": MLflow}


@contextmanager
def tracked(names: Sequence[str], events: Events) -> Iterator[Events]:
    """Events that also go to the trackers of these names.

    Raises CharlmError for one that is unknown or not installed.
    """
    for name in names:
        require(name in TRACKERS, f"unknown `log` {name!r}: choose {' | '.join(TRACKERS)}")
    trackers = [TRACKERS[name]() for name in dict.fromkeys(names)]
    failed = True
    try:
        yield Several([events, *trackers]) if trackers else events
        failed = False
    finally:
        with ExitStack() as stack:
            for one in trackers:
                stack.callback(one.close, failed=failed)


def _settings(plan: Plan) -> dict[str, Any]:
    """Settings of the network and of training, and the corpus."""
    return {"corpus": plan.corpus.name, **plan.network.as_dict(), **asdict(plan.config)}
