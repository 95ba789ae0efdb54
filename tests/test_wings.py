"""The package is built in wings: docs/wings.md says how, and every import obeys."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from wings import (
    MODULES,
    PACKAGE,
    ROOT,
    TORCH,
    circle,
    imported,
    imports,
    levels,
    svg,
    upward,
    wing_of,
)

LEVELS = levels()
MAX_TEST_LINES = 400
ACROSS = {  # of several files
    *("cli.force", "cli.formats", "cli.open_vocabulary", "cli.startup"),
    *("models.laws", "training.damaged_runs", "training.kill"),
    "serve.clients",
}
FACE = ""  # charlm/__init__.py, which imports lazily
MAX_ENTRIES = 24  # of `ls charlm`: all wings that are planned, and the front door


def test_the_table_names_every_wing_and_nothing_else() -> None:
    assert set(LEVELS) == {wing_of(module) for module in MODULES if module}


def test_the_plan_can_be_seen_at_a_glance() -> None:
    entries = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]
    assert len(entries) <= MAX_ENTRIES


@pytest.mark.parametrize("module", sorted(set(MODULES) - {FACE}))
def test_imports_go_down(module: str) -> None:
    own = wing_of(module)
    for name in imported(module):
        assert name != FACE, f"{module} imports the public face: import the module it means"
        lower = wing_of(name)
        assert lower == own or LEVELS[lower] < LEVELS[own], f"{module} must not import {name}"


def test_no_arrow_leads_up() -> None:
    assert upward() == []


@pytest.mark.parametrize("wing", sorted(LEVELS))
def test_no_circle_inside_a_wing(wing: str) -> None:
    assert circle(wing) == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_heavy_libraries_stay_in_their_wings(module: str) -> None:
    used = {name.split(".")[0] for name in imports(MODULES[module])}
    wing = wing_of(module)
    assert "torch" not in used or wing in TORCH
    assert wing == "cli" or not used & {"rich", "typer"}
    assert "matplotlib" not in used or wing == "display"


@pytest.mark.parametrize("module", sorted(m for m in MODULES if wing_of(m) != "cli"))
def test_only_the_command_line_prints(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "sys.stdout.write", "sys.stderr.write"), (
                f"{module}, line {node.lineno}"
            )


def test_the_picture_is_that_of_today() -> None:
    drawn = (ROOT / "docs" / "pictures" / "wings.svg").read_text("utf-8")
    assert drawn == svg(), "run: python tests/wings.py docs/pictures/wings.svg"


def test_tests_stand_where_their_files_do() -> None:
    """tests/models/test_cells.py tests charlm/models/cells.py; of cli/, the names say so again."""
    tests = ROOT / "tests"
    for path in tests.rglob("test_*.py"):
        wing = path.parent.relative_to(tests).parts
        if not wing or not (PACKAGE / wing[0]).is_dir():
            continue  # of the project, or of data and docs
        tested = ".".join((*wing, path.stem.removeprefix("test_").removeprefix("cli_")))
        named = any(tested == module or tested.startswith(f"{module}_") for module in MODULES)
        assert named or tested in ACROSS, f"{path.name} has the name of no file of {wing[0]}/"


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.name)
def test_files_of_tests_can_be_taken_in(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MAX_TEST_LINES
