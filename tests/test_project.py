"""What several files of the project say of it agrees."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import charlm
from charlm.system.extras import EXTRAS as NAMED

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[>=<]|-skinny", requirement)[0].lower() for requirement in requirements}


def test_the_citation_is_of_this_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {charlm.__version__}\n" in citation


def test_supported_versions_are_those_that_are_tested() -> None:
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    tested = re.search(r'python: \["(.*)"\]', workflow)
    assert tested is not None
    supported = [f"Programming Language :: Python :: {v}" for v in tested[1].split('", "')]
    assert [c for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)] == supported


@pytest.mark.parametrize("extra", NAMED)
def test_the_message_about_an_extra_names_what_it_brings(extra: str) -> None:
    assert names(EXTRAS[extra]) == {name.replace("_", "-") for name in NAMED[extra]}


@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_every_requirement_is_pinned(extra: str) -> None:
    text = (ROOT / "constraints.txt").read_text("utf-8").lower().replace("_", "-")
    pinned = names([line for line in text.splitlines() if "==" in line])
    wanted = EXTRAS[extra] if extra else PROJECT["dependencies"]
    assert names(wanted) - {"charlm"} <= pinned
