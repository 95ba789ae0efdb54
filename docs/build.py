"""Gather the pages of the documentation site in build/docs, from where zensical.toml reads them.

They are docs/ and some pages of the repository's root. Links between them are made to fit, and
links to other files of the repository lead to where its sources are shown. `make docs` runs this.
"""

from __future__ import annotations

import re
import shutil
from os.path import normpath, relpath
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = "https://github.com/charlm/charlm/blob/main"
FROM_ROOT = {  # page of the root → page of the site
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)")  # to a file, without what follows a "#"


def pages() -> dict[Path, Path]:
    """Where each page of the site comes from, relative to the root, and its place in the site."""
    own = {Path(name): Path(page) for name, page in FROM_ROOT.items() if (ROOT / name).exists()}
    written = (path.relative_to(ROOT) for path in sorted((ROOT / "docs").rglob("*.md")))
    return own | {path: path.relative_to("docs") for path in written}


def with_links(text: str, source: Path) -> str:
    """A page whose links lead where they led in the repository; those to nowhere stay."""
    places = pages()

    def moved(link: re.Match[str]) -> str:
        target = Path(normpath(source.parent / link[1]))
        if target.parts[0] == "docs" and target not in places:  # a picture
            places[target] = target.relative_to("docs")
        if target in places:
            return relpath(places[target], places[source].parent).replace("\\", "/")
        return f"{SOURCES}/{target.as_posix()}" if (ROOT / target).exists() else link[1]

    return LINK.sub(moved, text)


def main() -> None:
    site = ROOT / "build" / "docs"
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(ROOT / "docs", site, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for source, page in pages().items():
        text = (ROOT / source).read_text("utf-8")
        (site / page).write_text(with_links(text, source), "utf-8")


if __name__ == "__main__":
    main()
