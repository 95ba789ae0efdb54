"""The page of a network at work."""

from __future__ import annotations

import re

from charlm.display.cell_diagram import rnn_cell
from charlm.display.network_page import page
from charlm.display.unrolled import Column, unrolled

VALUES = {"x": (0.5,), "s before": (0.1,), "s": (0.2,)}


def test_a_step_can_be_chosen_by_its_token() -> None:
    network = unrolled([Column("<b>", ((0.5,),)), Column("&", ((0.5,),))], ["s"])
    cells = [rnn_cell(VALUES), rnn_cell(VALUES)]
    shown = page("runs/<x>", ["<b>", "&"], network, cells)
    assert re.findall(r'<label for="(step\d)">(.*?)</label>', shown) == [
        ("step0", "&lt;b&gt;"),
        ("step1", "&amp;"),
    ]
    assert shown.count(" checked>") == 1
    assert "#step1:checked ~ .s1 { display: block; }" in shown
    assert shown.count("<svg") == 3
    assert "<script" not in shown


def test_without_cells_there_is_the_network_alone() -> None:
    shown = page("both", ["a"], unrolled([Column("a", ((0.5,),))], ["s"]), [])
    assert "Inside the cell" not in shown
