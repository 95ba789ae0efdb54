"""Choose the number of threads again when the machine becomes busy, or free."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Sequence

SLOWER = 1.4  # times the seconds per step at the best of times: other numbers are tried
FEWER_THREADS_SPEEDUP = 1.25  # below that, brief timings beside other work say little
TRIAL_STEPS = 4  # with each number; the first, slow after a change, does not count
HOPELESS = 3  # times slower in the first step that counts: no more are made
REST = 20  # between trials, in times of what a trial took
WINDOW = 8  # steps over which seconds per step are averaged


class ThreadTuner:
    """Told how long each step took, says how many threads the next step should use.

    When steps become slower, or now and then while not all threads are in use, a few steps are made
    with each of the other numbers, and the fastest is kept.
    """

    def __init__(self, counts: Sequence[int], threads: int) -> None:
        """counts: the numbers to choose from. threads: that of the first step."""
        self.counts, self.threads = counts, threads
        self.recent: deque[float] = deque(maxlen=WINDOW)
        self.best = float("inf")  # seconds per step with these threads
        self.found: dict[int, float] = {}  # seconds per step, while others are tried
        self.rest = 0.0  # seconds before others may be tried
        self.spent = 0.0  # seconds that the present trial has taken

    def stepped(self, seconds: float) -> int:
        """A step took so many seconds; returns the number of threads for the next."""
        self.recent.append(seconds)
        if self.found:
            self._try_on()
        elif len(self.recent) == WINDOW and len(self.counts) > 1:
            self.rest -= seconds
            mean = statistics.fmean(self.recent)
            self.best = min(self.best, mean)
            if self.rest <= 0 and (mean > SLOWER * self.best or self.threads < max(self.counts)):
                self.found = {self.threads: mean}
                self.spent = 0.0
                self._switch()
        return self.threads

    def _try_on(self) -> None:
        """In a trial: go on with it, or with the next number, or settle for the fastest."""
        hopeless = len(self.recent) > 1 and self.recent[-1] > HOPELESS * min(self.found.values())
        if len(self.recent) < TRIAL_STEPS and not hopeless:
            return
        self.spent += sum(self.recent)
        self.found[self.threads] = statistics.fmean(list(self.recent)[1:])
        self._switch()

    def _switch(self) -> None:
        untried = [count for count in self.counts if count not in self.found]
        self.recent.clear()
        if untried:
            self.threads = untried[0]
            return
        self.threads = self._fastest()
        self.best, self.found, self.rest = self.found[self.threads], {}, REST * self.spent

    def _fastest(self) -> int:
        """The largest number, or one that is noticeably faster than all larger ones."""
        chosen = max(self.found)
        for count in sorted(self.found, reverse=True):
            if self.found[count] * FEWER_THREADS_SPEEDUP < self.found[chosen]:
                chosen = count
        return chosen
