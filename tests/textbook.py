"""Run every command of the textbook chapters in full, and check the numbers on the pages.

    python tests/textbook.py [--folder DIR]      (`make textbook`: about half an hour on two cores)

Commands are run with --json where there is one, as many at a time as there are cores, each after
those whose runs and files it reads; one that stands on both pages is run once. With --folder, what
has been run is kept, and not run again. Prints every claim of `textbook_claims` with its range and
what was measured; exits with 1 if one does not hold.
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
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from textbook_claims import CLAIMS
from textbook_measures import Claim

ROOT = Path(__file__).resolve().parents[1]
PAGES = {"en": ROOT / "docs" / "textbook.md", "zh": ROOT / "docs" / "textbook.zh.md"}
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
WITHOUT_JSON = ("charlm lab draw", "charlm report")
LONG = ("charlm lab bptt", "charlm lab memory", "charlm lab timer")  # which are begun first
PINS = hasattr(os, "sched_setaffinity")  # Linux


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


def run(command: str, place: Path, core: int) -> tuple[Any, float]:
    """What a command found, from its JSON ({} where it has none), on one core; and its seconds."""
    program, *args = shlex.split(command)
    has_json = program == "charlm" and not command.startswith(WITHOUT_JSON)
    whole = [sys.executable, "-m", "charlm", *args, *(["--json"] if has_json else [])]
    begun = time.monotonic()
    done = subprocess.run(
        whole if program == "charlm" else ["bash", "-c", command],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}) if PINS else None,
    )
    if done.returncode:
        raise SystemExit(f"$ {command}\n{done.stderr}")
    return (json.loads(done.stdout) if has_json else {}), time.monotonic() - begun


def products(command: str) -> set[str]:
    """The runs and files that a command makes for later ones."""
    return set(re.findall(r"(?:--out|>) (\S+)", command))


def needs(command: str, commands: Sequence[str]) -> set[str]:
    """The earlier commands whose runs and files a command reads."""
    words = set(shlex.split(command)) - products(command)
    return {one for one in commands[: commands.index(command)] if products(one) & words}


def run_all(place: Path) -> dict[str, Any]:
    """By command, what it found; kept in `place`.

    One command a core: most have little to do at a time, and two threads would wait for each other.
    """
    place.mkdir(parents=True, exist_ok=True)
    if not (place / "data").exists():
        shutil.copytree(ROOT / "data", place / "data")
    kept = place / "found.json"
    found: dict[str, Any] = json.loads(kept.read_text("utf-8")) if kept.exists() else {}
    commands = all_commands()
    waiting = [command for command in commands if command not in found]
    waiting.sort(key=lambda command: not command.startswith(LONG))  # stable
    cores = sorted(os.sched_getaffinity(0)) if PINS else list(range(os.cpu_count() or 1))
    running: dict[Future[tuple[Any, float]], tuple[str, int]] = {}
    with ThreadPoolExecutor(len(cores)) as pool:
        while waiting or running:
            ready = [command for command in waiting if needs(command, commands) <= found.keys()]
            for command, core in zip(ready, cores, strict=False):
                running[pool.submit(run, command, place, core)] = (command, core)
                waiting.remove(command)
            cores = cores[len(ready) :]
            for job in wait(running, return_when=FIRST_COMPLETED).done:
                command, core = running.pop(job)
                found[command], seconds = job.result()
                cores.append(core)
                print(f"$ {command}\n  {seconds:.0f} s", flush=True)
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
