"""`charlm lab start`: what learning over a long lag depends on besides the cell."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ..options import Force
from ..talk import progress_bar
from .experiment import conclude
from .options import Json, Lang, Languages, Picture, Seed, Seeds

if TYPE_CHECKING:
    from ...lab.start import Start
    from ...lab.ways import Trial


def start(
    lag: Annotated[int, typer.Option(min=2, max=200, help="Symbols back that count.")] = 20,
    steps: Annotated[
        int,
        typer.Option(min=1, max=100_000, help="Most steps from each start; a way has 2.5 times."),
    ] = 600,
    rate: Annotated[
        float, typer.Option("--lr", help="Adam's learning rate, from each start.")
    ] = 0.001,
    seeds: Seeds = 3,
    seed: Seed = 1,
    out: Picture = Path("lab-start.png"),
    force: Force = False,
    lang: Lang = Languages.en,
    json: Json = False,
) -> None:
    r"""Show that training over a long lag depends on where it begins, and on how it is done.

    A sentence begins with a or b, and its end, --lag symbols later, is determined by that symbol.
    The same training begins from small, uniform, identity and orthogonal recurrent weights, and
    from an LSTM without and with gate biases that suit the lag. One start is trained by SGD, with
    momentum, by Adam and by a curvature method, with the same number of gradient evaluations. In
    an echo state network, only the readout is trained. This takes one to three minutes.

    \b
    charlm lab start
    charlm lab start --lag 50 --lr 0.003 --seeds 1
    """
    from ...lab.start import experiment

    with progress_bar("training") as progress:
        found = experiment(
            lag=lag, steps=steps, rate=rate, seed=seed, seeds=seeds, progress=progress
        )
    conclude(found, json, _print, out, lang, columns=1)


def _print(found: Start) -> None:
    from ...lab.lag_network import STARTS
    from ...lab.start import WAYS_FROM
    from ...lab.ways import WAYS

    starts = {name: found.of_start(name) for name in STARTS}
    trained = {name: found.of_way(name) for name in WAYS}
    head = ["start", "% right", "by seed", "gradients until 99 %", "radius"]
    show.line(
        f"Starts: lag {found.lag}, at most {found.steps:,} steps of Adam at {found.rate:g}", "bold"
    )
    show.table([head, *_rows(starts)], "<>>>>")
    show.line()
    show.line(f"Ways, from “{WAYS_FROM}”: at most {found.budget:,} gradient evaluations", "bold")
    show.table([["way", *head[1:]], *_rows(trained)], "<>>>>")
    show.line()
    show.line("Echo state network, % right by spectral radius: mean of the seeds", "bold")
    show.table(list(_echo_rows(found)), "<" + ">" * len(found.radii))
    show.line()
    show.paragraph(
        "Gradients: over 128 sentences each; products with the curvature matrix count. A training "
        "that stays at 99 % ends early. Radius: the spectral radius of W before and after "
        "training, mean of the seeds.",
        indent=0,
    )
    show.paragraph("".join(_remarks(found, starts, trained)), indent=0)


def _rows(trials: dict[str, list[Trial]]) -> Iterator[list[str]]:
    for name, own in trials.items():
        yield [
            name,
            _percent(statistics.fmean(one.accuracy for one in own)),
            ", ".join(_percent(one.accuracy) for one in own),
            ", ".join("–" if one.good_after is None else str(one.good_after) for one in own),
            _radius(own),
        ]


def _echo_rows(found: Start) -> Iterator[list[str]]:
    yield ["radius", *(f"{radius:g}" for radius in found.radii)]
    for lag in found.lags:
        yield [f"lag {lag}", *(f"{100 * statistics.fmean(own):.0f}" for own in found.echo(lag))]


def _radius(own: Sequence[Trial]) -> str:
    """The spectral radius of W before and after training, mean of the seeds."""
    radii = [one.radii for one in own if one.radii is not None]
    means = [show.number(statistics.fmean(all_seeds), 1) for all_seeds in zip(*radii, strict=True)]
    return " → ".join(means) or "–"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _remarks(
    found: Start, starts: dict[str, list[Trial]], trained: dict[str, list[Trial]]
) -> Iterator[str]:
    """What the numbers of this run show."""
    yield f"99 % in every seed, soonest first: of the starts {_always(starts)}; of the ways "
    yield f"{_always(trained)}. In no seed: of the starts {_never(starts)}; of the ways "
    yield f"{_never(trained)}. Echo state network, best radii: "
    yield "; ".join(_best(found, lag) for lag in found.lags)
    yield "."


def _best(found: Start, lag: int) -> str:
    right, low, high = found.best_radii(lag)
    radii = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return f"lag {lag}, {radii} ({_percent(right)} %)"


def _always(trials: dict[str, list[Trial]]) -> str:
    """Those that reach 99 % in every seed, those that need the fewest gradients first."""
    after = {}
    for name, own in trials.items():
        times = [one.good_after for one in own if one.good_after is not None]
        if len(times) == len(own):
            after[name] = sum(times)
    return _listed(sorted(after, key=lambda name: after[name]))


def _never(trials: dict[str, list[Trial]]) -> str:
    """Those that reach 99 % in no seed."""
    return _listed(
        [name for name, own in trials.items() if all(one.good_after is None for one in own)]
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
