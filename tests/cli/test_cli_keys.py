"""Keys of a terminal, and what is no terminal."""

from __future__ import annotations

import os

import pytest

from charlm.cli import keys
from charlm.errors import CharlmError


def test_letters_come_one_by_one_and_arrows_not_at_all() -> None:
    read, write = os.pipe()
    os.write(write, "añ猫".encode())
    found = keys._characters(read)
    assert [next(found) for _ in range(3)] == list("añ猫")
    os.write(write, b"\x1b[A\x1bOPb\x1bx" + "é".encode()[:1])  # an arrow, F1, b, Alt-x
    assert next(found) == "b"
    os.write(write, "é".encode()[1:])
    assert next(found) == "é"
    os.write(write, b"\x1b")
    assert next(found) == keys.ESCAPE
    os.close(write)
    assert list(found) == [""]
    os.close(read)


def test_a_pipe_is_no_terminal() -> None:
    with (
        pytest.raises(CharlmError, match="charlm watch needs a terminal"),
        keys.pressed_keys("charlm watch"),
    ):
        raise AssertionError
