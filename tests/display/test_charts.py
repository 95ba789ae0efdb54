"""Pictures: their size, and an SVG that can stand on a page beside others."""

from __future__ import annotations

import struct

import pytest

from charlm.display.charts import INK, Line, Panel, is_picture, png, svg

pytestmark = pytest.mark.train  # matplotlib comes with it
LINES = [Line("a", [1, 2, 4], [3, 2, 1]), Line("b", [1, 2, 4], [2, 2, 2], style="--")]
PANEL = Panel("title", "steps", "loss", LINES, log_x=True, x_ticks=[1, 4], levels=[("chance", 2.5)])


@pytest.mark.parametrize(("columns", "width"), [(1, 1000), (2, 1500)])
def test_size_in_pixels(columns: int, width: int) -> None:
    data = png([PANEL, PANEL, PANEL], columns)
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">I", data[16:20]) == (width,)


def test_an_svg_is_made_for_a_page() -> None:
    one = svg([PANEL], name="one")
    assert one.startswith("<svg")
    assert "chance" in one  # letters, not outlines: they can be searched for
    assert INK not in one
    assert "currentColor" in one
    assert one == svg([PANEL], name="one")
    ids = {part.split('"')[0] for part in one.split(' id="')[1:]}
    assert ids
    assert all(id.startswith("one-") for id in ids)
    used = {part.split('"')[0] for part in one.split('href="#')[1:]}
    assert used <= ids


def test_a_panel_without_names_has_no_legend() -> None:
    named, bare = (
        svg([Panel("", "", "", [Line(label, [1, 2], [1, 2])] * 2)]) for label in ("x", "")
    )
    assert "legend" in named
    assert "legend" not in bare


def test_numbers_that_no_axis_holds_are_left_out() -> None:
    line = Line("a", [1, 2, 3], [1.0, 1.7e308, -1.7e308])
    panel = Panel("", "x", "y", [line], marks=[("best", 2, 1.7e308)])
    assert is_picture(png([panel])[:4096])
