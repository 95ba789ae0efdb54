"""Run every command of the textbook chapters in full, and check the numbers on the pages.

    python tests/textbook.py [--folder DIR]      (`make textbook`: about half an hour on two cores)

Commands are run in the order of the pages, with --json where there is one; a command that stands on
both pages is run once. With --folder, what has been run is kept, and not run again. Prints every
claim of `textbook_claims` with its range and what was measured; exits with 1 if one does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from textbook_claims import CLAIMS
from textbook_measures import Claim

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"en": ROOT / "docs" / "textbook.md", "zh": ROOT / "docs" / "textbook.zh.md"}
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
WITHOUT_JSON = ("charlm lab draw", "charlm report", "tail ")


def commands_of(page: str) -> list[str]:
    """The commands of a page, in order."""
    return [
        line.removeprefix("$ ")
        for block in BLOCK.findall(page)
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def prose(page: str) -> str:
    """The page on one line, without commands, equations, pictures, code, headings and links."""
    page = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    page = re.sub(r"^(    .*|#.*|!\[.*)$", "", page, flags=re.MULTILINE)
    page = re.sub(r"`[^`]*`|\]\([^)]*\)", "", page)
    page = re.sub(r"(?<=[\u3000-\uffef])\n(?=[\u3000-\uffef])", "", page)  # Chinese has no spaces
    return " ".join(page.split())


def all_commands() -> list[str]:
    """Those of all pages, each once."""
    pages = (page.read_text("utf-8") for page in PAGES.values() if page.exists())
    return list(dict.fromkeys(command for page in pages for command in commands_of(page)))


def run(command: str, place: Path) -> Any:
    """What a command found, from its JSON; {} where it has none."""
    program, *args = shlex.split(command)
    if program != "charlm":
        subprocess.run(["bash", "-c", command], cwd=place, check=True)
        return {}
    has_json = not command.startswith(WITHOUT_JSON)
    done = subprocess.run(
        [sys.executable, "-m", "charlm", *args, *(["--json"] if has_json else [])],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout) if has_json else {}


def run_all(place: Path) -> dict[str, Any]:
    """By command, what it found; kept in `place`."""
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "data").exists():
        shutil.copytree(ROOT / "data", place / "data")
    kept = place / "found.json"
    found: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    for command in all_commands():
        if command in found:
            continue
        print(f"$ {command}", flush=True)
        begun = time.monotonic()
        found[command] = run(command, place)
        print(f"  {time.monotonic() - begun:.0f} s", flush=True)
        kept.write_text(json.dumps(found), "utf-8")
    return found


def check(claim: Claim, found: dict[str, Any]) -> bool:
    """Print a claim and what was measured; whether it holds."""
    value = claim.measure(found)
    holds = claim.low <= value <= claim.high
    print(
        f"{'ok' if holds else 'NO':<4}{value:>12.5g}  [{claim.low:g}, {claim.high:g}]  {claim.said}"
    )
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, help="keep models and findings here")
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as temporary:
        found = run_all((folder or Path(temporary)).resolve())
    held = [check(claim, found) for claim in CLAIMS]
    print(f"{sum(held)} of {len(held)} claims hold")
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
