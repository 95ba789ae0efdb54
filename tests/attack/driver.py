"""Run many cases in processes that may die, and count what came of them."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WORKER = Path(__file__).with_name("victims.py")
HANG_SECONDS = 30.0  # without a result, after which a process is killed
ADDRESS_SPACE = 8 << 30  # bytes of a process: asking for more is a failure, and no danger


@dataclass
class Tally:
    """What came of the cases of one kind of file."""

    tried: int = 0
    used: int = 0  # by all commands, the change being harmless
    failed: list[str] = field(default_factory=list)  # case and reason
    memory: int = 0  # bytes over the size of the file, at most
    seconds: float = 0.0  # at most


def make(folder: Path) -> None:
    """Make the good files."""
    good = folder / "good"
    good.mkdir(parents=True, exist_ok=True)
    code = "import sys; from pathlib import Path; import victims; victims.make(Path(sys.argv[1]))"
    words = [sys.executable, "-c", code, str(good)]
    subprocess.run(words, check=True, env=environment())


def environment() -> dict[str, str]:
    """With the modules of the attack, and without warnings of libraries, which a user sees."""
    path = os.pathsep.join([str(WORKER.parent), str(WORKER.parents[2])])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CHARLM_ALLOCATOR": "off"}


def attack(
    folder: Path,
    count: int,
    *,
    first: int = 0,
    batch: int = 500,
    seconds: float = 5.0,
    memory: int = 500_000_000,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Tally]:
    """Run `count` cases from `first` on; by kind of file, what came of them.

    seconds, memory: more than that is a failure.
    """
    found: dict[str, Tally] = defaultdict(Tally)
    results = folder / "results.jsonl"
    results.unlink(missing_ok=True)
    number, end = first, first + count
    while number < end:
        rows, number = run_batch(folder, number, min(number + batch, end), results)
        for row in rows:
            note(found[row["victim"]], row, seconds, memory)
        progress(number - first)
    return dict(found)


def run_batch(
    folder: Path, first: int, last: int, results: Path
) -> tuple[list[dict[str, Any]], int]:
    """The results of some cases, and the number of the next one; it may die half-way."""
    results.write_text("")
    words = [sys.executable, str(WORKER), str(folder), str(first), str(last), str(results)]
    log = folder / "stderr.txt"
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            words, env=environment(), stdout=stderr, stderr=stderr, preexec_fn=_limit
        ) as process,
    ):
        size, since = 0, time.monotonic()
        killed = False
        while process.poll() is None:
            time.sleep(0.05)
            now = results.stat().st_size
            if now != size:
                size, since = now, time.monotonic()
            elif time.monotonic() - since > HANG_SECONDS:
                process.kill()
                killed = True
    lines = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
    rows = [line for line in lines if "victim" in line]
    if process.returncode == 0:
        return rows, last
    begun = [line["case"] for line in lines if "begun" in line]
    if not begun or (rows and rows[-1]["case"] == begun[-1]):
        raise RuntimeError(f"the attack itself failed: {log.read_text(errors='replace')[-3000:]}")
    how = "hang" if killed else f"crash: exit {process.returncode}"
    rows.append({"case": begun[-1], "victim": name_of(begun[-1]), "outcomes": [how]})
    return rows, begun[-1] + 1


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def name_of(case: int) -> str:
    """The kind of file of a case."""
    sys.path.insert(0, str(WORKER.parent))
    from victims import victims

    known = victims()
    return known[case % len(known)].name


def note(tally: Tally, row: dict[str, Any], seconds: float, memory: int) -> None:
    """Add a result."""
    tally.tried += 1
    tally.used += all(outcome == "used" for outcome in row["outcomes"])
    tally.memory = max(tally.memory, row.get("memory", 0))
    tally.seconds = max(tally.seconds, row.get("seconds", 0.0))
    bad = [outcome for outcome in row["outcomes"] if outcome not in ("used", "refused")]
    if row.get("seconds", 0) > seconds:
        bad.append(f"took {row['seconds']:.1f} s")
    if row.get("memory", 0) > memory:
        bad.append(f"took {row['memory'] / 1e6:,.0f} MB")
    if bad:
        tally.failed.append(f"case {row['case']}: {bad[0]}")


def reasons(failed: list[str]) -> Counter[str]:
    """Failures by their last line."""
    return Counter(text.strip().splitlines()[-1].partition(": ")[2][:90] for text in failed)
