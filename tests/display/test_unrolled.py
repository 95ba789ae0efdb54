"""Networks unrolled in time."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from charlm.display.diagram import Diagram
from charlm.display.unrolled import Column, unrolled

SVG = "{http://www.w3.org/2000/svg}"


def count(found: Diagram, name: str) -> int:
    return len(list(ET.fromstring(found.svg("x")).iter(f"{SVG}{name}")))


def test_every_layer_is_linked_to_the_next_step_and_to_the_layer_above() -> None:
    columns = [Column(word, ((0.1, 0.2), (0.3, -0.4)), word.upper()) for word in "abc"]
    found = unrolled(columns, ["s1", "s2"])
    across, up = 2 * 2, 3 * 3  # layers × gaps; columns × (layers + output)
    assert count(found, "polyline") == across + up
    assert count(unrolled(columns, ["s1", "s2"], recurrent=False), "polyline") == up
    assert count(unrolled(columns, ["s1", "s2"], upright=[1]), "polyline") == 2 + up


def test_what_is_not_read_or_answered_has_no_box() -> None:
    columns = [Column("a", ((0.5,),)), Column("", ((0.5,),), "b", fed_back=True)]
    found = unrolled(columns, ["s"])
    texts = [one.text for one in ET.fromstring(found.svg("x")).iter(f"{SVG}text")]
    assert texts == ["x", "s", "ŷ", "a", "b"]
    assert 'stroke-dasharray="4 3"' in found.svg("x")


def test_a_backward_row_points_to_the_left() -> None:
    columns = [Column(word, ((0.1,), (0.2,)), "?") for word in "ab"]
    found = unrolled(columns, ["→", "←"], backward=[1])
    lines = [one.get("points", "") for one in ET.fromstring(found.svg("x")).iter(f"{SVG}polyline")]
    ends = [[tuple(map(float, at.split(","))) for at in line.split()] for line in lines]
    level = [(a[0], b[0]) for a, b in ends if a[1] == b[1]]
    assert sorted(a < b for a, b in level) == [False, True]
