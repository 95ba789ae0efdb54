"""Change charlm in thousands of small ways, and count how many of them its tests notice.

    pip install "charlm[mutants]"
    python benchmarks/mutants.py [GROUP…] [--json FILE]

mutmut changes one thing at a time in a copy of the repository: an operator, a number, an argument,
a string, a value assigned. A change that mypy or a test notices is killed. Statements that raise
are left alone, which would only be other words; whether they are reached is not. A change that
makes the tests run for ever counts as killed. The tests of a group are those of its modules and
what is nearest to them, not the whole suite.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tomli_w
import typer
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
KILLED = {1: "killed", 3: "killed", 36: "time", 24: "time", -24: "time", 152: "time", 255: "time"}
KILLED |= {37: "types", -11: "crash", -9: "crash"}
NOT_TRIED = -1
KEPT = ("staticmethod", "classmethod", "overload", "dataclass")  # decorators mutmut understands


@dataclass(frozen=True)
class Group:
    """Modules that are changed, and the tests that should notice."""

    modules: tuple[str, ...]  # without charlm/ and .py
    tests: tuple[str, ...]  # without tests/
    left_out: str = "no_such_test"  # slow ones, an expression for pytest -k


def _named(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"{folder}/test_{name}.py" for name in names.split())


GROUPS = {
    "measures": Group(
        ("lm", "measures"),
        (
            *("test_lm.py", "test_measures.py"),
            *_named("models", "laws families bidirectional adapted_mixture"),
        ),
    ),
    "ngram": Group(
        ("models/kneser_ney", "models/ngram"),
        _named("models", "kneser_ney ngram hashed_ngram arpa laws"),
    ),
    "scoring": Group(
        ("tasks/score", "tasks/measure", "tasks/word_scores", "tasks/long_sentences"),
        (
            *_named("tasks", "score word_scores long_sentences evaluate shared_prefixes rescore"),
            *_named("display", "surprisal_html"),
        ),
    ),
    "sampling": Group(
        ("tasks/sample", "tasks/token_choice", "tasks/sampling_filters"),
        _named(
            "tasks",
            "sample token_choice sampling_filters seen_ngrams prompt word_list match_pattern",
        ),
        "every_line_matches",
    ),
    "files": Group(
        (
            *("system/storage", "system/tensor_file", "system/output_file", "system/checked"),
            *("system/lock", "models/model_file", "models/file_contents"),
        ),
        (
            *_named("system", "storage tensor_file output_file checked lock"),
            *_named("models", "model_file families hashed_ngram"),
            *_named("runs", "run_directory"),
        ),
    ),
    "training": Group(
        ("training/checkpoint", "training/optimiser", "training/muon", "training/best_model"),
        _named("training", "optimiser muon best_model damaged_runs checkpoint"),
        "bit_identical and (peephole or sgd or adam-gru)",
    ),
}


def undecorated(source: str) -> str:
    """The same module, decorators applied after the function, which mutmut would pass over."""
    lines = source.splitlines()
    functions = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and len(node.decorator_list) == 1
        and ast.unparse(node.decorator_list[0]).partition("(")[0] not in KEPT
    ]
    for node in sorted(functions, key=lambda node: node.lineno, reverse=True):
        decorator, plain = ast.unparse(node.decorator_list[0]), f"_plain_{node.name}"
        indent = " " * node.col_offset
        lines.insert(node.end_lineno or 0, f"{indent}{node.name} = {decorator}({plain})")
        start = node.lineno - 1
        lines[start] = lines[start].replace(f"def {node.name}(", f"def {plain}(", 1)
        del lines[node.decorator_list[0].lineno - 1 : start]
    return "\n".join(lines) + "\n"


def copy_files(place: Path, folder: str = ".") -> None:
    """Copy the repository's files, or those of a folder in it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)


def prepare(group: Group, place: Path) -> None:
    """A copy of the repository's files in `place`, set up for mutmut."""
    copy_files(place)
    modules = [f"charlm/{module}.py" for module in group.modules]
    for module in modules:
        path = place / module
        path.write_text(undecorated(path.read_text("utf-8")), "utf-8")
    settings = {
        "source_paths": ["charlm"],
        "only_mutate": modules,
        "do_not_mutate_patterns": [r"^\s*raise "],
        "also_copy": sorted({p.name for p in place.iterdir()} - {"charlm", "tests"}),
        "pytest_add_cli_args": [
            *("-p", "no:cacheprovider", "-p", "no:xdist", "-k", f"not ({group.left_out})")
        ],
        "pytest_add_cli_args_test_selection": [f"tests/{test}" for test in group.tests],
        "type_check_command": [
            *(sys.executable, str(Path(__file__).with_name("mutant_types.py"))),
            *("mypy", *modules),
        ],
        "process_isolation": "forkserver",
    }
    with (place / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + tomli_w.dumps({"tool": {"mutmut": settings}}))


SHOW = """
import json, sys
from pathlib import Path
from mutmut.mutation.diff_apply import get_diff_for_mutant
names = json.load(sys.stdin)
found = {name: get_diff_for_mutant(name, path=Path(path)) for name, path in names.items()}
print(json.dumps(found))
"""


def changes(paths: dict[str, str], place: Path) -> dict[str, str]:
    """The lines that mutants change, by name; `paths`: the file of each."""
    shown = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=place,
        input=json.dumps(paths),
        capture_output=True,
        text=True,
        check=True,
    )
    changed = re.compile(r"(?!---|\+\+\+)[-+]").match
    return {
        name: "\n".join(filter(changed, diff.splitlines()))
        for name, diff in json.loads(shown.stdout).items()
    }


def ends(place: Path, module: str) -> list[tuple[str, int]]:
    """Every mutant of a module, and how its tests ended."""
    meta = place / "mutants" / "charlm" / f"{module}.py.meta"
    codes = json.loads(meta.read_text("utf-8"))["exit_code_by_key"] if meta.exists() else {}
    return [(name, NOT_TRIED if code is None else code) for name, code in codes.items()]


def attack(group: Group, place: Path, jobs: int) -> dict[str, dict[str, Any]]:
    """Number of mutants of each end, and the survivors, of each module."""
    again: list[str] = []
    if (place / "mutants").exists():
        copy_files(place, "tests")
        (place / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
        again = [name for m in group.modules for name, code in ends(place, m) if code not in KILLED]
    else:
        prepare(group, place)
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    with (place / "mutmut.log").open("w") as log:
        subprocess.run(
            [sys.executable, "-m", "mutmut", "run", "--max-children", str(jobs), *again],
            cwd=place,
            env=os.environ | threads,
            stdout=log,
            stderr=log,
        )
    found: dict[str, dict[str, Any]] = {}
    for module in group.modules:
        codes = dict(ends(place, module))
        if NOT_TRIED in codes.values():
            raise SystemExit(f"mutmut has not finished; see {place / 'mutmut.log'}")
        ended = [KILLED.get(code, "survived") for code in codes.values()]
        survivors = [name for name, code in codes.items() if code not in KILLED]
        found[module] = {
            "mutants": len(ended),
            **{end: ended.count(end) for end in ("killed", "types", "time", "crash", "survived")},
            "survivors": changes(dict.fromkeys(survivors, f"charlm/{module}.py"), place),
        }
    return found


def main(
    groups: Annotated[list[str] | None, typer.Argument(help=", ".join(GROUPS))] = None,
    jobs: Annotated[int, typer.Option(help="Processes.")] = os.cpu_count() or 1,
    folder: Annotated[
        Path | None,
        typer.Option(help="Work there; only survivors of an earlier run are tried again."),
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """What the tests notice."""
    table = Table("module", "mutants", "tests", "types", "time", "crash", "survived", "score %")
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for name in groups or GROUPS:
            place = (folder or Path(temporary)) / name
            found = attack(GROUPS[name], place, jobs)
            results |= found
            for module, row in found.items():
                score = 100 * (1 - row["survived"] / max(1, row["mutants"]))
                counts = [row[key] for key in ("mutants", "killed", "types", "time", "crash")]
                table.add_row(module, *map(str, counts), str(row["survived"]), f"{score:.0f}")
            if json_file:
                json_file.write_text(json.dumps(results, indent=1, ensure_ascii=False), "utf-8")
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
