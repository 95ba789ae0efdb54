"""Diagrams as SVG: well-formed, escaped, and as large as what is in them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from charlm.display.diagram import Diagram, colour, is_diagram

SVG = "{http://www.w3.org/2000/svg}"


def drawn() -> Diagram:
    found = Diagram(100, 60)
    found.box(0, 0, 50, 20, "a < b & c", level=1.0)
    found.strip(0, 30, 50, 20, [-1, 0, 1, 7])
    found.arrow((50, 10), (70, 10), (70, 40), dashed=True)
    found.circle(80, 40, "⊙")
    return found


@pytest.mark.parametrize("alone", [False, True])
def test_the_picture_is_xml_with_what_was_drawn(alone: bool) -> None:
    root = ET.fromstring(drawn().svg("a <title>", alone=alone))
    assert root.get("viewBox") == "0 0 100 60"
    assert [one.text for one in root.iter(f"{SVG}title")] == ["a <title>"]
    assert [one.text for one in root.iter(f"{SVG}text")] == ["a < b & c", "⊙"]
    cells = [one for one in root.iter(f"{SVG}rect") if one.get("width") == "12.5"]
    fills = [one.get("fill") for one in cells]
    assert fills == [colour(-1), colour(0), colour(1), colour(1)]
    assert len(set(fills)) == 3
    assert (root.get("width") == "100") is alone


def test_an_arrow_has_its_head_at_its_end() -> None:
    found = Diagram(100, 100)
    found.arrow((0, 0), (0, 50))
    head = ET.fromstring(found.svg("x")).find(f"{SVG}polygon")
    assert head is not None
    tip, *others = [tuple(map(float, p.split(","))) for p in head.get("points", "").split()]
    assert tip == (0, 50)
    assert all(y < 50 for _, y in others)


def test_long_text_is_made_smaller() -> None:
    found = Diagram(100, 100)
    found.box(0, 0, 40, 20, "extraordinarily long")
    found.box(0, 40, 40, 20, "云")
    long, short = ET.fromstring(found.svg("x")).iter(f"{SVG}text")
    assert float(long.get("font-size", "0")) < 5
    assert float(short.get("font-size", "0")) == 12


def test_a_diagram_is_known_by_its_beginning() -> None:
    assert is_diagram(drawn().svg("x", alone=True).encode())
    assert not is_diagram(b"<svg></svg>")
