"""Who imports whom in `charlm`: read from the source, printed as arrows, drawn as a picture.

    python tests/wings.py                             the arrows between wings
    python tests/wings.py docs/pictures/wings.svg     … and the picture of docs/wings.md

The order of the wings is that of the table in docs/wings.md.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "charlm"
TABLE = ROOT / "docs" / "wings.md"
TORCH = {"network", "training", "lab", "reports"}  # wings that import it
ROW = re.compile(r"^\| (`[^|]+) \|", re.MULTILINE)


def module_name(path: Path) -> str:
    """`models.cells` for charlm/models/cells.py, `models` for its __init__.py, "" for the face."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(path: Path) -> Iterator[str]:
    """Absolute names of all modules that a file imports, wherever in it."""
    inside = path.is_relative_to(PACKAGE)
    package = ("charlm", *path.relative_to(PACKAGE).parent.parts) if inside else ()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *(node.module or "").split(".")]).rstrip(".")
            for alias in node.names:  # `from . import score` names a module, too
                inner = f"{module}.{alias.name}".removeprefix("charlm.")
                yield f"charlm.{inner}" if inner in MODULES else module


def imported(module: str) -> list[str]:
    """The modules of charlm that `module` imports, without the package's name before them."""
    inner = (name for name in imports(MODULES[module]) if name.split(".")[0] == "charlm")
    return [name.removeprefix("charlm").removeprefix(".") for name in inner]


def rows() -> list[tuple[str, ...]]:
    """The wings (and single files beside them) of the table, row by row, the lowest last."""
    table = TABLE.read_text("utf-8")
    return [
        tuple(name.strip("`/ ").removesuffix(".py") for name in row.split("`, `"))
        for row in ROW.findall(table)
    ]


def levels() -> dict[str, int]:
    """Wing or single file → its row, counted from the lowest."""
    return {name: k for k, names in enumerate(reversed(rows())) for name in names}


def wing_of(module: str) -> str:
    return module.split(".")[0]


def arrows() -> Counter[tuple[str, str]]:
    """How many imports lead from one wing to another."""
    return Counter(
        (wing_of(module), wing_of(name))
        for module in MODULES
        if module
        for name in imported(module)
        if wing_of(name) != wing_of(module)
    )


def upward() -> list[tuple[str, str]]:
    """Arrows that do not lead to a lower row."""
    level = levels()
    return [(a, b) for a, b in arrows() if level[b] >= level[a]]


def circle(wing: str) -> list[str]:
    """Modules of a wing that import one another in a circle; empty where there is none."""
    inner = {module for module in MODULES if wing_of(module) == wing}
    edges = {m: [n for n in imported(m) if n in inner and n != m] for m in inner}
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return path[path.index(module) :]
        if module in done:
            return []
        for other in edges[module]:
            if found := visit(other, [*path, module]):
                return found
        done.add(module)
        return []

    return next((found for m in sorted(inner) if (found := visit(m, []))), [])


def svg() -> str:
    """The wings as boxes, the lowest at the bottom, with an arrow for each wing imported."""
    names = [" · ".join(row) for row in rows()]
    level, height, left, wide = levels(), 46, 330, 260
    top = len(names) - 1
    pairs = sorted({(level[a], level[b]) for a, b in arrows() if level[a] != level[b]})
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 {height * len(names) + 10}" '
        'font-family="system-ui, sans-serif" font-size="14" fill="#1c2026">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for k, name in enumerate(names):
        y = 6 + k * height
        parts.append(
            f'<rect x="{left}" y="{y}" width="{wide}" height="32" rx="6" fill="#f4f6f8" '
            f'stroke="#9ba5b1"/><text x="{left + wide // 2}" y="{y + 21}" text-anchor="middle">'
            f"{name}</text>"
        )
    for upper, lower in pairs:
        begin, end = 22 + (top - upper) * height, 22 + (top - lower) * height
        reach = 26 * (upper - lower)
        parts.append(
            f'<path d="M{left} {begin} C{left - reach} {begin} {left - reach} {end} {left} {end}" '
            'fill="none" stroke="#3b7dd8" stroke-opacity="0.45" stroke-width="1.4"/>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    found, level = arrows(), levels()
    for (a, b), count in sorted(found.items(), key=lambda item: (-level[item[0][0]], item[0])):
        print(f"{a:>10} → {b:<10} {count:>3}")
    print(f"{len(found)} arrows between wings, {sum(found.values())} imports; upward: {upward()}")
    for place in sys.argv[1:]:
        Path(place).write_text(svg(), "utf-8")


if __name__ == "__main__":
    main()
