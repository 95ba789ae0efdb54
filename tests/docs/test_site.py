"""The documentation site: its table of contents names every page, and links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "docs" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named(contents: Any) -> Iterator[str]:
    """The pages of a table of contents, in its order."""
    if isinstance(contents, str):
        yield contents
    else:
        for part in contents.values() if isinstance(contents, dict) else contents:
            yield from named(part)


def test_the_table_of_contents_names_every_page_once(build: ModuleType) -> None:
    settings = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))
    pages = {page.as_posix() for page in build.pages().values()} | set(build.FROM_ROOT.values())
    assert sorted(named(settings["project"]["nav"])) == sorted(pages)


def test_pictures_exist(build: ModuleType) -> None:
    for source in build.pages():
        text = (ROOT / source).read_text("utf-8")
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
            assert (ROOT / source.parent / picture).exists(), f"{source}: {picture}"


@pytest.mark.parametrize(
    ("source", "link", "becomes"),
    [
        ("README.md", "docs/textbook.md#4-back", "textbook.md#4-back"),
        ("README.md", "CHANGELOG.md", "changelog.md"),
        ("README.md", "LICENSE", "https://github.com/charlm/charlm/blob/main/LICENSE"),
        ("README.md", "docs/pictures/wings.svg", "pictures/wings.svg"),
        ("docs/wings.md", "../README.md", "index.md"),
        ("docs/wings.md", "pictures/wings.svg", "pictures/wings.svg"),
        ("docs/decisions/0005-the-allocator.md", "../wings.md", "../wings.md"),
        ("docs/wings.md", "#top", "#top"),
        ("docs/wings.md", "https://example.org/a.md", "https://example.org/a.md"),
        ("docs/wings.md", "nowhere.md", "nowhere.md"),
    ],
)
def test_links_are_made_to_fit(build: ModuleType, source: str, link: str, becomes: str) -> None:
    assert build.with_links(f"see [this]({link}).", Path(source)) == f"see [this]({becomes})."


def test_the_site_builds_without_a_broken_link(tmp_path: Path) -> None:
    pytest.importorskip("zensical", reason="zensical is not installed: make docs")
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks")  # the README links to it
    for file in (ROOT / "zensical.toml", ROOT / "LICENSE", *ROOT.glob("*.md")):
        shutil.copy(file, tmp_path)
    subprocess.run([sys.executable, tmp_path / "docs" / "build.py"], check=True)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "build" / "site" / "index.html").exists()
