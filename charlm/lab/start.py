"""Where training begins, and how it goes on: what learning over a long lag depends on.

The language is that of `lags`: the end of a sentence is determined by its first symbol, `lag`
symbols back. Three questions, each with the others' answers held fixed:

- starts: the same training with Adam from each start of `lag_network`;
- ways: from one start, WAYS_FROM, each way of `ways`, with as many gradient evaluations;
- echo: no training of the recurrent weights at all (`echo`), by their spectral radius.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import Any

from ..display.charts import Line, Panel
from ..errors import require
from . import echo, ways
from .lag_network import CHRONO, HIDDEN_UNITS, LSTM, STARTS
from .learn import run_parallel
from .palette import colour_of
from .progress import Progress
from .ways import ADAM, WAYS, Job, Trial, train

LAG = 20
LARGEST_LAG = 200
SHORT_LAG = 5
START_STEPS = 600
WAY_BUDGET = 2.5  # times the steps of a start: gradient evaluations of a way
LEARNING_RATE = 1e-3  # of Adam, from every start
LARGEST_RATE = 10.0
WAYS_FROM = "uniform"
TICKS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
ALIKE = 0.01  # in accuracy: reservoirs that are about as good
ECHO_WEIGHT = 30.0  # the cost of a reservoir, in gradient evaluations
COST = {LSTM: 2.0, CHRONO: 2.0}  # of a gradient, relative to a plain network's
LOOKS: dict[str, tuple[int | str, str]] = {  # colour and style of each line
    "small": (3, "-"),
    "uniform": (0, "-"),
    "identity": (5, "-"),
    "orthogonal": (4, "-"),
    LSTM: (colour_of("lstm"), "--"),
    CHRONO: (colour_of("lstm"), "-"),
    ways.SGD: (3, "-"),
    ways.MOMENTUM: (5, "-"),
    ways.ADAM: (0, "-"),
    ways.CURVATURE: (4, "-"),
}


@dataclass(frozen=True)
class Echo:
    """A reservoir's accuracy over one lag."""

    lag: int
    seed: int
    accuracy: tuple[float, ...]  # by spectral radius


@dataclass(frozen=True)
class Start:
    """The experiment's numbers."""

    lag: int
    seeds: tuple[int, ...]
    rate: float
    steps: int
    budget: int
    starts: tuple[Trial, ...]
    ways: tuple[Trial, ...]
    radii: tuple[float, ...]
    echoes: tuple[Echo, ...]

    def of_start(self, start: str) -> list[Trial]:
        return [one for one in self.starts if one.start == start]

    def of_way(self, way: str) -> list[Trial]:
        return [one for one in self.ways if one.way == way]

    @property
    def lags(self) -> list[int]:
        """The lags that reservoirs were asked over."""
        return sorted({one.lag for one in self.echoes})

    def echo(self, lag: int) -> list[tuple[float, ...]]:
        """For each radius, the accuracies over a lag by seed."""
        return list(zip(*(one.accuracy for one in self.echoes if one.lag == lag), strict=True))

    def best_radii(self, lag: int) -> tuple[float, float, float]:
        """The best mean accuracy, and the smallest and largest radius within ALIKE of it."""
        means = [statistics.fmean(own) for own in self.echo(lag)]
        best = max(means)
        radii = [at for at, mean in zip(self.radii, means, strict=True) if mean >= best - ALIKE]
        return best, min(radii), max(radii)

    def as_dict(self) -> dict[str, Any]:
        return {
            "lag": self.lag,
            "seeds": self.seeds,
            "hidden": HIDDEN_UNITS,
            "chance": 0.5,
            "learning_rate": self.rate,
            "steps": self.steps,
            "starts": [_as_dict(one) for one in self.starts],
            "ways_from": WAYS_FROM,
            "gradient_evaluations": self.budget,
            "rates": ways.RATES,
            "ways": [_as_dict(one) for one in self.ways],
            "reservoir": echo.UNITS,
            "spectral_radii": self.radii,
            "echo": [asdict(one) for one in self.echoes],
        }

    def panels(self) -> list[Panel]:
        """Accuracy as each start and each way learns, every seed, and of reservoirs by radius."""
        starts = {name: self.of_start(name) for name in STARTS}
        trained = {name: self.of_way(name) for name in WAYS}
        return [
            _course(f"starts, trained with Adam (lag {self.lag}; chance: 50 %)", starts),
            _course(f"ways of training, each from “{WAYS_FROM}”", trained),
            self._echo_panel(),
        ]

    def _echo_panel(self) -> Panel:
        lines = []
        for colour, lag in enumerate(self.lags):
            found = self.echo(lag)
            low, high, mean = (
                [100 * of(own) for own in found] for of in (min, max, statistics.fmean)
            )
            lines.append(
                Line(f"lag {lag}", self.radii, mean, "o-", colour, 1.4, low=low, high=high)
            )
        return Panel(
            f"echo state network of {echo.UNITS} units: only its readout is trained",
            "spectral radius of W",
            "% right",
            lines,
            y_range=(40, 104),
            levels=[("", 50)],
        )


def _as_dict(one: Trial) -> dict[str, Any]:
    return {
        "start": one.start,
        "way": one.way,
        "seed": one.seed,
        "accuracy": one.accuracy,
        "good_after": one.good_after,
        "spectral_radius": one.radii,
        "curve": one.curve,
    }


def _course(title: str, trials: dict[str, list[Trial]]) -> Panel:
    lines, longest = [], 1
    for place, (name, own) in enumerate(trials.items()):
        colour, style = LOOKS[name]
        width = max(1.0, 3.0 - 0.5 * place)  # many coincide: the first is seen behind
        for k, one in enumerate(own):
            spent, right = zip(*(one.curve[1:] or one.curve), strict=True)
            percent = [100 * share for share in right]
            lines.append(Line("" if k else name, spent, percent, style, colour, width))
            longest = max(longest, spent[-1])
    return Panel(
        title,
        "gradient evaluations",
        "% right, each seed",
        lines,
        log_x=True,
        x_ticks=[tick for tick in TICKS if tick <= longest],
        y_range=(40, 104),
        levels=[("", 50)],
    )


def experiment(
    *,
    lag: int = LAG,
    steps: int = START_STEPS,
    rate: float = LEARNING_RATE,
    seed: int = 1,
    seeds: int = 3,
    progress: Progress | None = None,
) -> Start:
    """Starts, ways of training and reservoirs on one lag, for `seeds` seeds from `seed` on.

    steps: of Adam at most, at `rate`, from each start; a way of training has WAY_BUDGET times as
    many gradient evaluations. Raises CharlmError for an impossible lag, rate or number of steps.
    """
    require(2 <= lag <= LARGEST_LAG, f"the lag must be from 2 to {LARGEST_LAG}")
    require(0 < rate <= LARGEST_RATE, f"`lr` must be above 0 and at most {LARGEST_RATE:g}")
    require(min(steps, seeds) >= 1, "the steps and the seeds must be at least 1")
    all_seeds, budget = tuple(range(seed, seed + seeds)), round(WAY_BUDGET * steps)
    starts = [Job(start, ADAM, lag, k, steps, rate) for start in STARTS for k in all_seeds]
    trained = [
        Job(WAYS_FROM, way, lag, k, budget, ways.RATES.get(way, 0.0))
        for way in WAYS
        for k in all_seeds
    ]
    lags = sorted({SHORT_LAG, lag, 2 * lag})
    echoes = [echo.Job(each, k) for each in lags for k in all_seeds]
    jobs: list[Job | echo.Job] = [*starts, *trained, *echoes]
    found = run_parallel(_do, jobs, [_weight(job) for job in jobs], progress)
    trials, recalled = found[: -len(echoes)], found[-len(echoes) :]
    return Start(
        lag,
        all_seeds,
        rate,
        steps,
        budget,
        tuple(trials[: len(starts)]),
        tuple(trials[len(starts) :]),
        echo.RADII,
        tuple(Echo(job.lag, job.seed, own) for job, own in zip(echoes, recalled, strict=True)),
    )


def _do(job: Job | echo.Job) -> Any:
    """One training, or one reservoir, in a worker process."""
    return echo.recall_by_radius(job) if isinstance(job, echo.Job) else train(job)


def _weight(job: Job | echo.Job) -> float:
    """About how long it takes, in plain gradient evaluations over one symbol of lag."""
    if isinstance(job, echo.Job):
        return ECHO_WEIGHT * job.lag
    return job.budget * job.lag * COST.get(job.start, 1.0)
