"""Line charts, as PNG or SVG: panels of lines, some of them over a surface in colours."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#3b7dd8", "#e07b28", "#2f9e5f", "#c9436b", "#8a63c9", "#8c7a3d", "#3aa6a6")
INK = "#010203"  # stands for the reader's own text colour until an SVG is finished
FIGURE_INCHES = (8.0, 5.0)  # size of a picture with one column of panels
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))  # of an SVG
LEGEND_BELOW = 40  # points under the axes: there a legend hides no line
LEGEND_CHARACTERS = 76  # in a row of a legend, its lines' samples included
SAMPLE_CHARACTERS = 8  # that a line's sample in a legend takes
SOFTWARE = {"Software": "charlm"}  # of a PNG, as its text chunk says
LARGEST = 1e100  # that is drawn
DPI = 125  # which makes it 1,000 pixels wide


@dataclass(frozen=True)
class Line:
    """One line of a panel; lines with the same label share a colour."""

    label: str  # "" for a line that the legend leaves out
    x: Sequence[float]
    y: Sequence[float]
    style: str = "-"  # matplotlib's: "-", "--", ":", "o-", …
    colour: int | str | None = None  # index into COLOURS, or "#rrggbb"; None: the next one
    width: float = 1.4  # points
    low: Sequence[float] = ()  # a band around the line, from here …
    high: Sequence[float] = ()  # … to here


@dataclass(frozen=True)
class Surface:
    """A quantity over a plane, shown in colours behind the lines; dark is low."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    z: Sequence[Sequence[float]]  # one row for each y


@dataclass(frozen=True)
class Panel:
    """One pair of axes."""

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    log_x: bool = False
    log_y: bool = False
    x_ticks: Sequence[float] = ()  # tick positions on x; empty: matplotlib decides
    y_range: tuple[float, float] | None = None
    x_range: tuple[float, float] | None = None
    levels: Sequence[tuple[str, float]] = ()  # horizontal lines with their names
    marks: Sequence[tuple[str, float, float]] = ()  # annotated points: text, x, y
    height: float = 1.0  # relative to the panels of other rows
    surface: Surface | None = None


def png(panels: Sequence[Panel], columns: int = 1, fonts: Sequence[str] = ()) -> bytes:
    """Panels, row by row, as a PNG 1,000 pixels wide (500 more for each further column).

    fonts: where characters that the usual font lacks come from.
    """
    picture = io.BytesIO()
    drawn = figure(panels, columns, "black", fonts)
    drawn.savefig(picture, format="png", dpi=DPI, facecolor="white", metadata=SOFTWARE)
    return picture.getvalue()


def is_picture(head: bytes) -> bool:
    """Whether a file that begins so is one of these PNGs."""
    return all(f"{name}\0{value}".encode() in head for name, value in SOFTWARE.items())


def svg(
    panels: Sequence[Panel],
    columns: int = 1,
    *,
    name: str = "picture",
    scale: float = 1.0,
    fonts: Sequence[str] = (),
) -> str:
    """Panels as an <svg> element for a page, on no background, in the page's text colour.

    All ids in it begin with `name`, which must be unique within the page. `scale` shrinks the
    picture but not its text. The same panels give the same markup. fonts: as for `png`.
    """
    import matplotlib as mpl

    picture = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "charlm"}):
        drawn = figure(panels, columns, INK, fonts)
        drawn.set_size_inches(*(scale * drawn.get_size_inches()))
        drawn.savefig(picture, format="svg", transparent=True, metadata=NO_METADATA)
    text = picture.getvalue().decode("utf-8")
    for mark in (' id="', "url(#", 'href="#'):
        text = text.replace(mark, f"{mark}{name}-")
    return text[text.index("<svg") :].replace(INK, "currentColor")


def figure(panels: Sequence[Panel], columns: int, ink: str, fonts: Sequence[str] = ()) -> Figure:
    """The panels drawn, in rows of `columns`."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = -(-len(panels) // columns)
    heights = [panels[row * columns].height for row in range(rows)]
    width = FIGURE_INCHES[0] if columns == 1 else FIGURE_INCHES[0] / 2 * (columns + 1)
    tall = FIGURE_INCHES[1] * max(1.0, 0.72 * sum(heights) / max(heights))
    with mpl.rc_context(
        {
            "font.family": [*mpl.rcParams["font.family"], *fonts],
            "text.color": ink,
            "axes.labelcolor": ink,
            "axes.edgecolor": ink,
            "xtick.color": ink,
            "ytick.color": ink,
        }
    ):
        drawn = Figure(figsize=(width, tall), layout="constrained")
        FigureCanvasAgg(drawn)
        grid = drawn.subplots(rows, columns, squeeze=False, height_ratios=heights)
        for k, axes in enumerate(grid.flat):
            if k < len(panels):
                _draw(axes, panels[k])
            else:
                axes.set_visible(False)
    return drawn


def _drawable(values: Sequence[float]) -> list[float]:
    """The values, those that are too large for axes left out."""
    return [value if abs(value) < LARGEST else math.nan for value in values]


def _draw(axes: Axes, panel: Panel) -> None:
    colours = cycle(COLOURS)
    if panel.surface is not None:
        _draw_surface(axes, panel.surface)
    for line in panel.lines:
        colour = next(colours) if line.colour is None else line.colour
        if isinstance(colour, int):
            colour = COLOURS[colour % len(COLOURS)]
        label = line.label or "_nolegend_"
        points = _drawable(line.x), _drawable(line.y)
        if line.low:
            band = _drawable(line.low), _drawable(line.high)
            axes.fill_between(points[0], *band, color=colour, alpha=0.15, lw=0)
        axes.plot(*points, line.style, color=colour, label=label, ms=4, lw=line.width)
    for name, level in panel.levels:
        axes.axhline(level, color="gray", lw=1, ls=":")
        axes.text(0.01, level, name, transform=axes.get_yaxis_transform(), va="bottom")
    for text, *point in panel.marks:
        x, y = _drawable(point)
        axes.annotate(text, (x, y), xytext=(0, 12), textcoords="offset points", ha="right")
    axes.set(title=panel.title, xlabel=panel.x_label, ylabel=panel.y_label)
    if panel.log_x:
        axes.set_xscale("log")
    if panel.log_y:
        axes.set_yscale("log")
    if panel.x_ticks:
        axes.set_xticks(panel.x_ticks, [f"{tick:g}" for tick in panel.x_ticks])
        axes.set_xticks([], minor=True)
    if panel.y_range is not None:
        axes.set_ylim(panel.y_range)
    if panel.x_range is not None:
        axes.set_xlim(panel.x_range)
    axes.grid(alpha=0.25, color="gray")
    labels = [line.label for line in panel.lines if line.label]
    if len(labels) > 1:
        _add_legend(axes, labels)


def _draw_surface(axes: Axes, surface: Surface) -> None:
    """The surface, its rows and columns evenly spaced or not, and its scale beside it."""
    import numpy as np

    drawn = axes.pcolormesh(
        np.asarray(surface.x),
        np.asarray(surface.y),
        np.asarray(surface.z),
        cmap="viridis",
        shading="nearest",
        rasterized=True,
    )
    axes.figure.colorbar(drawn, ax=axes, label=surface.label)


def _characters(label: str) -> int:
    """How many Latin letters are as wide: a Chinese character counts as two."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in label)


def _add_legend(axes: Axes, labels: Sequence[str]) -> None:
    """The legend below the axes and their title, in as many columns as are not too wide."""
    from matplotlib.transforms import ScaledTranslation

    across = LEGEND_CHARACTERS // (max(map(_characters, labels)) + SAMPLE_CHARACTERS)
    inches = axes.figure.dpi_scale_trans
    below = axes.transAxes + ScaledTranslation(0, -LEGEND_BELOW / 72, inches)
    axes.legend(
        framealpha=0.0,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=below,
        borderaxespad=0.0,
        ncols=max(1, min(across, len(labels))),
    )
