"""The package is built in floors: docs/floors.md says how, and every import obeys."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "charlm"
TABLE = ROOT / "docs" / "floors.md"
ROW = re.compile(r"\| (\d+) \| ([^|]+) \|")
TORCH_FLOORS = range(8, 13)


def read_table() -> dict[str, int]:
    """Room → floor, from the table in the documentation."""
    floors: dict[str, int] = {}
    for number, rooms in ROW.findall(TABLE.read_text("utf-8").replace("\\", "")):
        for room in rooms.strip().split(", "):
            assert room not in floors, f"{room} stands on two floors"
            floors[room] = int(number)
    return floors


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


FLOORS = read_table()
ROOMS = {room_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}
FACE = "__init__"  # the public face, which imports lazily


def imports(path: Path) -> Iterator[str]:
    """Absolute names of all modules that a file imports, wherever in it."""
    package = ("charlm", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *(node.module or "").split(".")]).rstrip(".")
            for alias in node.names:  # `from . import score` names a module, too
                inner = f"{module}.{alias.name}".removeprefix("charlm.")
                yield f"charlm.{inner}" if inner in ROOMS else module


def test_every_room_has_its_floor() -> None:
    assert set(FLOORS) == set(ROOMS) - {FACE}


@pytest.mark.parametrize("room", sorted(set(ROOMS) - {FACE}))
def test_imports_go_down(room: str) -> None:
    for name in imports(ROOMS[room]):
        if name.split(".")[0] == "charlm":
            assert name != "charlm", f"{room} imports the public face: import the room it means"
            lower = name.removeprefix("charlm.")
            assert FLOORS[lower] < FLOORS[room], f"{room} must not import {lower}"


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_heavy_libraries_stay_in_their_rooms(room: str) -> None:
    used = {name.split(".")[0] for name in imports(ROOMS[room])}
    in_cli = room == "cli" or room.startswith("cli.")
    assert "torch" not in used or FLOORS[room] in TORCH_FLOORS
    assert in_cli or not used & {"rich", "typer"}
    assert "matplotlib" not in used or room == "pictures"


@pytest.mark.parametrize("room", sorted(r for r in ROOMS if r.split(".")[0] != "cli"))
def test_only_the_command_line_prints(room: str) -> None:
    for node in ast.walk(ast.parse(ROOMS[room].read_text("utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "sys.stdout.write", "sys.stderr.write"), (
                f"{room}, line {node.lineno}"
            )
