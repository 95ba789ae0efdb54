"""What pages of HTML are made of."""

from __future__ import annotations

from charlm.display.html_page import number
from charlm.tasks.score import TokenScore


def test_what_is_certain_has_no_sign() -> None:
    assert number(TokenScore("</s>", 0.0, 1).surprisal) == "0.00"
    assert number(-1234.5) == "−1,234"
