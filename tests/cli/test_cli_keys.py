"""Keys of a terminal, and what is no terminal."""

from __future__ import annotations

import os

import pytest

from charlm.cli import keys
from charlm.errors import CharlmError


def test_what_has_come_is_told_together_and_arrows_not_at_all() -> None:
    read, write = os.pipe()
    found = keys._blocks(read)
    os.write(write, "añ猫".encode())
    assert next(found) == "añ猫"
    os.write(write, b"\x1b[A\x1bOPb\x1bx" + "é".encode()[:1])  # an arrow, F1, b, Alt-x
    assert next(found) == "b"
    os.write(write, "é".encode()[1:])
    assert next(found) == "é"
    os.close(write)
    assert list(found) == []
    os.close(read)


@pytest.mark.parametrize("end", [b"\x04c", b"\x1b"])
def test_ctrl_d_and_escape_end_it(end: bytes) -> None:
    read, write = os.pipe()
    os.write(write, b"ab" + end)
    assert list(keys._blocks(read)) == ["ab"]
    os.close(write)
    os.close(read)


def test_a_pipe_is_no_terminal() -> None:
    with (
        pytest.raises(CharlmError, match="charlm watch needs a terminal"),
        keys.pressed_keys("charlm watch"),
    ):
        raise AssertionError
