"""Display of training progress: a live bar on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ..measures import bits, perplexity
from ..runs.events import Events, Plan, Step
from .notebook import Area, in_notebook
from .show import clock, console, count, is_terminal, number, one_line
from .talk import note, talk, warn

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.progress import Progress

    from ..measures import Measures

LOG_SECONDS = 10.0  # between lines without a terminal


class Display(Events, AbstractContextManager["Display"]):
    """Shows the progress of training on stderr."""

    def __init__(self) -> None:
        self.notebook = in_notebook()
        self.fancy = (self.notebook or is_terminal(sys.stderr)) and not talk.quiet
        self.wants_samples = not talk.quiet
        self.plan: Plan | None = None
        self.smooth: float | None = None  # training loss, nats per token
        self.best = self.old = ""
        self.sample = ""
        self.last_line = self.last_validation = self.last_kept = 0.0  # when each was last written
        self.heading = ""  # shown above the bar in a notebook
        self.live: Live | Area | None = None
        self.bar: Progress | None = None

    def __enter__(self) -> Self:
        if self.fancy and self.notebook:
            self.live = Area()
        elif self.fancy:
            from rich.live import Live

            self.live = Live(console=console(stderr=True), refresh_per_second=4, transient=True)
        if self.live is not None:
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.live is not None:
            self.live.stop()

    def stage(self, name: str, done: float) -> None:
        if self.live is not None:
            from rich.text import Text

            self.live.update(Text(f"{name} … {done:4.0%}"))

    def started(self, plan: Plan) -> None:
        from ..models.families import architecture

        self.plan = plan
        corpus, network, config = plan.corpus, plan.network, plan.config
        text = corpus.train_text.chars + corpus.valid_text.chars
        begin = f", from step {plan.resumed_at:,}" if plan.resumed_at else ""
        where = config.device if config.device != "cpu" else count(config.threads, "thread")
        heading = [
            f"{corpus.name} · {text:,} characters · {corpus.tokenizer.level} model, "
            f"vocabulary of {corpus.tokenizer.vocab_size:,}",
            f"{architecture(network.as_dict())} · "
            f"{plan.parameters / 1e6:.2f} M parameters · {config.precision} · {where} · "
            f"{count(config.steps, 'step')}{begin}",
            f"writing {plan.run}   ({'Interrupt' if self.notebook else 'Ctrl-C'} saves and stops)",
        ]
        if self.notebook:
            self.heading = "\n".join(heading)
        else:
            for one in heading:
                note(one)
        if self.fancy:
            from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

            columns = (
                BarColumn(bar_width=None),
                TaskProgressColumn(),
                TextColumn("{task.description}"),
            )
            self.bar = Progress(*columns, expand=True)
            self.bar.add_task("", total=config.steps, completed=plan.resumed_at)

    def step(self, step: Step) -> None:
        keep = 0.95
        now = time.monotonic()
        self.smooth = (
            step.loss if self.smooth is None else keep * self.smooth + (1 - keep) * step.loss
        )
        if self.live is not None and (now - self.last_line > 0.25 or step.step == step.steps):
            self.last_line = now
            self._draw(step)
        elif not self.fancy and not talk.quiet and now - self.last_line > LOG_SECONDS:
            self.last_line = now
            assert self.plan is not None
            done = step.step / step.steps
            note(f"{done:4.0%}  {self._line(step)} · {clock(step.seconds_left)} left")

    def validated(self, step: int, measures: Measures, is_best: bool) -> None:
        shown = f"{number(measures.bits_per_char, 3)} {self._pseudo}bits/char"
        if is_best:
            self.best = shown
        now = time.monotonic()
        if not self.fancy and now - self.last_validation > LOG_SECONDS:
            self.last_validation = now
            better = " (best so far, kept)" if is_best else ""
            name = f"validation {self._pseudo}perplexity"
            note(f"step {step:,}: {name} {number(measures.perplexity)}, {shown}{better}")

    def kept(self, measures: Measures, at_first: float) -> None:
        if not self.fancy and self.last_validation == self.last_kept:
            return
        self.last_kept = self.last_validation
        shown = f"{number(measures.bits_per_char, 3)} bits/char ({number(at_first, 3)} at first)"
        if self.fancy:
            self.old = f"old text {shown}"
        else:
            note(f"old text: {shown}")

    def wrote(self, text: str) -> None:
        lines = [one_line(piece) for piece in text.split("\n") if piece.strip()]
        self.sample = "\n".join(f"│ {piece}" for piece in lines[:2])

    def warn(self, message: str) -> None:
        warn(message)

    @property
    def _pseudo(self) -> str:
        """The prefix of "perplexity" for a bidirectional network."""
        return "pseudo-" if self.plan is not None and self.plan.network.bidirectional else ""

    def _line(self, step: Step) -> str:
        """The current numbers, in at most 78 columns."""
        assert self.plan is not None
        assert self.smooth is not None
        text = self.plan.corpus.train_text
        per_char = bits(self.smooth) * text.tokens / max(1, text.chars)
        speed = step.tokens_per_second
        name, value = f"{self._pseudo}perplexity", number(perplexity(-self.smooth, 1), 1)
        size = "" if self._pseudo else f" · bits/char {per_char:.3f}"
        return (
            f"loss {self.smooth:.3f} · {name} {value}{size} "
            f"· {speed / 1000:.1f}k tok/s · |∇| {step.gradient_norm:.2f}"
        )

    def _draw(self, step: Step) -> None:
        from rich.console import Group
        from rich.text import Text

        assert self.bar is not None
        assert self.live is not None
        left = f"{clock(step.seconds_left)} left"
        self.bar.update(
            self.bar.task_ids[0], completed=step.step, total=step.steps, description=left
        )
        best = f"best {self.best} on validation" if self.best else ""
        parts: list[RenderableType] = [Text(self.heading)] if self.heading else []
        parts += [self.bar, Text(self._line(step), no_wrap=True)]
        if best:
            parts.append(Text(best, style="bold"))
        if self.old:
            parts.append(Text(self.old))
        if self.sample:
            parts.append(Text(self.sample, style="dim", no_wrap=True, overflow="ellipsis"))
        self.live.update(Group(*parts))
