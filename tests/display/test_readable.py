"""Amounts and text made fit to be read."""

from __future__ import annotations

import pytest

from charlm.display import readable


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (5_400_000, "5.4 MB"),
        (2_000_000_000, "2.0 GB"),
        (3 * 10**15, "3,000.0 TB"),
    ],
)
def test_sizes(count: int, shown: str) -> None:
    assert readable.size(count) == shown


def test_counts() -> None:
    assert readable.amount(999_999) == "999,999"
    assert readable.amount(1_360_000) == "1.4 M"
    assert readable.amount(2_100_000_000) == "2.1 G"
    assert [readable.count(n, "line") for n in (0, 1, 1234)] == ["0 lines", "1 line", "1,234 lines"]


def test_numbers_rounded_to_nothing_have_no_sign() -> None:
    assert readable.fixed(-0.001, 2) == "0.00"
    assert readable.fixed(-54.321, 2) == "-54.32"
    assert readable.fixed(1234.6, 2) == "1,235"


def test_control_characters_are_shown_as_pictures() -> None:
    assert readable.one_line("a\n\x1b[31m\x7f\x85\u2028\ud800") == "a␊␛[31m␡\ufffd\ufffd\ufffd"
    assert readable.keep_lines("a\n\tb\r") == "a\n\tb␍"
    assert readable.one_line("a\u202egpj.exe\u2066") == "a<U+202E>gpj.exe<U+2066>"
    assert readable.one_line("می‌خواهم 👩‍🚀") == "می‌خواهم 👩‍🚀"  # joiners are part of writing


def test_long_texts_are_cut() -> None:
    assert readable.cut("abc", 3) == "abc"
    assert readable.cut("abcd", 3) == "ab…"
