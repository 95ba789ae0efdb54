"""The training loop.

Truncated backpropagation through time (Werbos 1990; Williams and Peng 1990): B parallel streams,
T tokens at a time, the hidden state carried over, the gradient cut.
"""

from __future__ import annotations

import math
import time
from typing import Any, NamedTuple

import torch

from ..config import NetworkConfig, TrainConfig
from ..errors import CharlmError
from ..lm import Ids
from ..measures import Measures
from ..models.recurrent import RecurrentLM
from ..runs.baseline import guessing_bits_per_char
from ..runs.events import Events, Outcome, Plan, Step
from ..runs.run_directory import RunDirectory
from ..system import allocator, storage
from ..tasks.sample import preview
from ..text.corpus import Corpus
from . import checkpoint, optimiser
from .base_model import KeptText
from .best_model import BestModel
from .checkpoint import Progress, Saved
from .metrics_log import MetricsLog
from .plan import Planner, StepPlanner, resumed
from .processes import Alone
from .replica import Replica
from .signals import stop_on_signal
from .speedometer import Speedometer
from .thread_tuner import ThreadTuner
from .validation import validate

CHECKPOINT_TIME_FRACTION = 0.02  # of a run's time that checkpoints may take
CHECKPOINT_SECONDS = 2.0  # minimum between checkpoints
MAX_SKIPPED_STEPS = 3  # non-finite steps in a row before rolling back
MAX_ROLLBACKS = 6  # each halves the learning rate; then training gives up


class ValidationSample(NamedTuple):
    """A sample of the network at a validation."""

    text: str
    keep: bool  # whether it goes into the metrics


class Trainer:
    """The training loop of one run."""

    def __init__(
        self,
        run: RunDirectory,
        corpus: Corpus,
        network_config: NetworkConfig,
        config: TrainConfig,
        events: Events,
        *,
        planner: Planner | None = None,
        tuner: ThreadTuner | None = None,
        kept: KeptText | None = None,
        validate_first: bool = False,
        processes: Alone | None = None,
    ) -> None:
        """planner: when to validate and to end, by default as `config` says.

        tuner: chooses the number of threads on the way. kept: old text, on which to measure what is
        forgotten. validate_first: before the first step; the network has been trained before.
        processes: those that share the work, of which this is the first. Raises CharlmError if they
        are more than there are streams.
        """
        allocator.keep_pages()
        torch.set_num_threads(config.threads or torch.get_num_threads())
        self.run, self.corpus, self.config, self.events = run, corpus, config, events
        self.settings: dict[str, Any] = {
            "network": network_config.as_dict(),
            "training": config.as_dict(),
            "corpus": corpus.sha256,
        }
        # before a network is built as large as the settings say
        self.saved = (
            checkpoint.read(run.checkpoint, self.settings) if run.checkpoint.exists() else None
        )
        self.processes = processes or Alone()
        if self.processes.count > config.batch_size:
            raise CharlmError(
                f"{self.processes.count} processes cannot divide a `batch_size` of "
                f"{config.batch_size}: start fewer, or give a larger one"
            )
        self.processes.order(
            "begin",
            network=network_config.as_dict(),
            training=config.as_dict(),
            corpus=str(corpus.directory.resolve()),
        )
        self.replica = Replica(network_config, config, corpus.train, self.processes)
        self.network = self.replica.network
        self.kept, self.validate_first = kept, validate_first
        self.best = BestModel(run, corpus, config, events)
        self.progress = Progress(steps=config.steps)
        self.planner, self.tuner = planner or StepPlanner(config), tuner
        self.metrics = MetricsLog(run)
        self.recent = Speedometer(config.batch_size * config.bptt)
        self.next_save = self.next_fallback = 0.0  # on time.monotonic's clock

    def fit(self) -> Outcome:
        """Train to the last step, until patience runs out, or to Ctrl-C; save; draw the curves."""
        config, progress = self.config, self.progress
        if self.saved is not None:
            self._restore(self.saved)
            self.saved = None  # it is as large as the network
            valid_tokens = min(len(self.corpus.valid), config.valid_tokens)
            self.planner = resumed(config, self.progress, valid_tokens, time.monotonic())
        else:
            self.processes.order("share")
            self.replica.share()
            self._save(sound=True)  # so that a run can be resumed however early it ends
        progress = self.progress
        count = sum(p.numel() for p in self.network.parameters())
        self.events.started(
            Plan(
                self.run.path,
                self.corpus,
                self.network.config,
                config,
                count,
                progress.step,
            )
        )
        failures, first_step, since = 0, progress.step, time.monotonic()
        losses: list[float] = []
        with stop_on_signal() as stop:
            if self.validate_first and progress.best_nats is None:
                self._validate()  # it may be the best already
                self.planner.validated(progress, since, time.monotonic())
                self._save()
            self.planner.started(time.monotonic(), self.replica.streams.steps_per_epoch)
            while not (self._finished() or stop.is_set() or self.replica.stop):
                began = time.monotonic()
                step, rate = self.progress.step, self._rate()
                threads = torch.get_num_threads()
                self.processes.order("step", step=step, rate=rate, threads=threads)
                loss, norm = self.replica.gradients(step, stop=stop.is_set())
                if not (math.isfinite(loss) and math.isfinite(norm)):
                    failures += 1
                    self._skip(failures)
                    failures %= MAX_SKIPPED_STEPS
                    continue
                failures = 0
                self._update(rate)
                now = time.monotonic()
                progress = self.progress
                progress.seconds += now - since
                since = now
                losses.append(loss)
                self.planner.stepped(progress, now)
                if self.tuner is not None:
                    self._use_threads(self.tuner.stepped(now - began))
                speed, left = self.recent.tick(now, progress.steps - progress.step)
                self.events.step(Step(progress.step, progress.steps, loss, norm, rate, speed, left))
                if progress.step % self._log_every() == 0:
                    self.metrics.trained(progress, losses, norm, rate, speed)
                    losses = []
                sound = False
                if self.planner.validation_due(progress, now):
                    sound = self._validate()
                    self.planner.validated(progress, now, time.monotonic())
                if now >= (self.next_fallback if sound else self.next_save):
                    self._save(sound=sound)
            progress = self.progress  # a roll-back may have been the last thing
            interrupted = (stop.is_set() or self.replica.stop) and not self._finished()
            if progress.best_nats is None or not (interrupted or self.metrics.just_validated):
                self._validate()  # a run that ends early still leaves a usable model
            self._save()
        if progress.best_nats is None:
            raise CharlmError(
                "training diverged: validation was never finite, so there is no model. Start again "
                "with a lower `lr` or `clip_norm`"
            )
        self.metrics.draw()
        done = progress.step - first_step
        return Outcome(
            run=self.run.path,
            model=self.run.model,
            best=progress.best,
            best_step=progress.best_step,
            seconds=progress.seconds,
            steps=progress.step,
            planned_steps=config.steps,
            tokens_per_second=self.recent.overall() if done else 0.0,
            interrupted=interrupted,
            guessing_bits_per_char=guessing_bits_per_char(self.corpus),
            train_nats=self.metrics.final_loss,
            kept=progress.kept,
            ended_early=progress.ended_early,
        )

    def _finished(self) -> bool:
        p, c = self.progress, self.config
        return p.step >= p.steps or bool(c.patience and p.stalled >= c.patience)

    def _warmup(self) -> int:
        p = self.progress
        return 0 if p.annealed else min(self.config.warmup, max(1, p.steps // 10))

    def _rate(self) -> float:
        """The learning rate of the next step."""
        p, c = self.progress, self.config
        return optimiser.learning_rate(c, p.step, p.annealed, self._warmup()) * p.lr_scale

    def _update(self, rate: float) -> None:
        """Take the optimiser step."""
        p, warmup = self.progress, self._warmup()
        self.replica.update(rate)
        if p.step >= warmup:
            p.annealed += (1 - p.annealed) / max(1, p.steps - p.step)
        p.step += 1

    def _use_threads(self, threads: int) -> None:
        if threads != (self.progress.threads or self.config.threads):
            self.progress.threads = threads
            torch.set_num_threads(threads)

    def _skip(self, failures: int) -> None:
        """Skip a step whose loss or gradient is not finite; after a few, roll back."""
        step = self.progress.step
        if failures < MAX_SKIPPED_STEPS:
            self.events.warn(f"step {step}: the loss or gradient is not finite; step skipped")
            self.progress.step += 1
            return
        rollbacks, scale = self.progress.rollbacks + 1, self.progress.lr_scale / 2
        hopeless = rollbacks > MAX_ROLLBACKS
        self._roll_back(0 if hopeless else rollbacks, scale)
        if hopeless:
            raise CharlmError(
                f"training diverges: no finite loss even at {2 * scale:g} of the learning rate. "
                f"{self.run.path} keeps the best model so far, if any. It may help to go on from "
                f"step {self.progress.step} at {scale:g} of it (`resume={self.run.path}`), or a "
                "lower `lr` or `clip_norm`"
            )
        self.events.warn(
            f"step {step}: still not finite; back to step {self.progress.step} "
            f"with the learning rate × {scale:g}"
        )

    def _roll_back(self, rollbacks: int, scale: float) -> None:
        """Return to the latest sound state, at a lower learning rate; the best model is kept."""
        before, run = self.progress, self.run
        place = run.fallback if run.fallback.exists() else run.checkpoint  # until charlm 0.2
        self._restore(checkpoint.read(place, self.settings))
        now = self.progress
        now.rollbacks, now.lr_scale = rollbacks, scale
        if before.best_nats is not None and before.best_step > now.best_step:
            now.best_nats, now.best_step = before.best_nats, before.best_step
            now.best, now.kept = before.best, before.kept
        self._save()

    def _validate(self) -> bool:
        """Score the validation text, keep the model if it is the best so far, and report it.

        Return whether the network is sound: its loss finite, and not above that of guessing.
        """
        self.best.check_place()
        progress, measures = self.progress, self._measure()
        if not math.isfinite(measures.nats_per_token):
            self.events.warn(f"step {progress.step}: validation is not finite; model not kept")
            return False
        is_best = self._compare_with_best(measures)
        kept = self._measure_kept(is_best)
        if is_best:
            self.best.keep(self.network, progress)
        sample = self._sample_due()
        written = sample.text if sample is not None and sample.keep else None
        self.metrics.validated(progress, measures, written, kept)
        self.events.validated(progress.step, measures, is_best)
        if kept is not None:
            self.events.kept(kept, progress.kept[0])
        if sample is not None and self.events.wants_samples:
            self.events.wrote(sample.text)
        return measures.nats_per_token <= math.log(self.network.config.vocab_size)

    def _measure(self) -> Measures:
        """The network on the validation text (its first `valid_tokens` tokens)."""
        corpus, text = self.corpus, self.corpus.valid_text
        raw = self._validated(corpus.valid[: self.config.valid_tokens])
        return raw.scale_to(len(corpus.valid), text.chars, text.bytes)

    def _measure_kept(self, is_best: bool) -> Measures | None:
        """The network on the old text; remembered if it is the first time, or the best network."""
        text, remembered = self.kept, self.progress.kept
        if text is None:
            return None
        found = self._validated(text.ids).scale_to(len(text.ids), text.chars, text.bytes)
        if not remembered or is_best:
            now = found.bits_per_char
            self.progress.kept = [*(remembered[:1] or [now]), now]
        return found

    def _validated(self, ids: Ids) -> Measures:
        tokenizer = self.corpus.tokenizer
        return validate(self.network, ids, tokenizer.eos, tokenizer.unk)

    def _compare_with_best(self, measures: Measures) -> bool:
        """Whether these are the best so far; if not, a plateau lowers the learning rate."""
        progress, nats = self.progress, measures.nats_per_token
        if progress.best_nats is None or nats < progress.best_nats:
            progress.best_nats, progress.best_step, progress.stalled = nats, progress.step, 0
            progress.best = measures.as_dict()
            return True
        progress.stalled += 1
        if self.config.schedule == "plateau":
            progress.lr_scale /= 2
        return False

    def _sample_due(self) -> ValidationSample | None:
        """A sample of the network, if it is to be displayed or kept in the metrics.

        It is kept at validations 1, 2, 4, 8, … and the last: samples change most at first.
        """
        if self.network.config.bidirectional:  # it cannot be sampled from
            return None
        number = 1 + self.metrics.validations
        keep = number & (number - 1) == 0 or self._finished()
        if not (keep or self.events.wants_samples):
            return None
        lm = RecurrentLM(self.network.config, self.network.tensors(), self.corpus.tokenizer.eos)
        return ValidationSample(preview(lm, self.corpus.tokenizer, self.config.seed), keep)

    def _log_every(self) -> int:
        return max(1, self.config.steps // 500)

    def _save(self, *, sound: bool = False) -> None:
        """Write metrics and checkpoint; schedule the next so that checkpoints take little time.

        sound: it is one to go back to.
        """
        self.best.check_place()
        began = time.monotonic()
        self.metrics.write()
        self.processes.order("join")
        checkpoint.write(
            self.run.checkpoint,
            self.settings,
            self.progress,
            self.network,
            self.replica.optimizer,
            self.replica.whole_state(),
        )
        now = time.monotonic()
        self.next_save = now + max(CHECKPOINT_SECONDS, (now - began) / CHECKPOINT_TIME_FRACTION)
        if sound:
            storage.link(self.run.checkpoint, self.run.fallback)
            self.next_fallback = self.next_save

    def _restore(self, saved: Saved) -> None:
        self.progress, state = checkpoint.restore(
            saved, self.network, self.replica.optimizer, self.config.batch_size
        )
        self.processes.order("share")
        self.replica.share(state)
        self.metrics.read(self.progress.step)
        torch.set_num_threads(self.progress.threads or self.config.threads)
        self.next_save = time.monotonic() + CHECKPOINT_SECONDS
