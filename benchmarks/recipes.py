"""Recipes of training compared: named settings, several seeds, several texts, a stated rule.

    python benchmarks/recipes.py compare NAME... [--minutes 1.4 | --steps 1000] [--seeds 5]
        [--texts play,words] [--data FOLDER] [--text FILE] [--against default] [--before FOLDER]
        [--measured 20000]
    python benchmarks/recipes.py table [--minutes 1.4 | --steps 1000] [--part dev|test]

`compare` trains every recipe on every text with every seed, the recipes in turn so that a machine
that grows slower does so for all of them, and adds one row a training to `recipes.json`, with the
machine's name and the commit: whoever comes next adds rows. `table` shows what is there. The recipe
"before" is the default of another checkout, in FOLDER: for changes of the code.

A text has four parts. Networks learn from the first, checkpoints and the weights of mixtures are
chosen on the second (`valid`), recipes are chosen on the third (`dev`), and what is reported is the
fourth (`test`), which no decision has seen.

The rule. Recipes are compared seed by seed, on the same text and machine and at the same commit and
budget. A recipe is better or worse on a text if the 95 % interval (Student's t) of the mean
difference leaves out zero. It may become a default if, with five seeds or more, the mean over the
texts of its relative differences is below zero in that sense on `dev`, and it is worse on no text,
both at equal minutes. What it gains at equal steps says why: it learns more from a step, or makes
more steps.
"""

from __future__ import annotations

import hashlib
import json
import math
import shlex
import statistics
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from common import about, charlm
from rich.console import Console
from rich.table import Table

from charlm.models import model_file, model_parts

HERE = Path(__file__).parent
RESULTS = HERE / "recipes.json"


@dataclass(frozen=True)
class Recipe:
    """How a model is made."""

    train: str = ""  # options of `charlm train`
    ngram: str | None = None  # of `charlm ngram`, whose model is mixed in afterwards; None: none is
    mix: str = ""  # of `charlm mix`
    code: str = ""  # the checkout to train with, by its commit; "" = this one


RECIPES = {
    "default": Recipe(),
    "plain": Recipe("--plain"),
    "textbook": Recipe("--plain --optimizer adamw --lr 3e-3 --precision fp32"),
    "linear-6": Recipe("--plain", "--order 6"),  # the default until November 2026
    "linear": Recipe("--plain", ""),
    "log-linear-6": Recipe("--plain", "--order 6", "--log-linear"),
    "log-linear": Recipe("--plain", "", "--log-linear"),
    # the default with one setting as it was until November 2026:
    "small-steps": Recipe("--muon-scale 1 --lr 8e-3"),
    "every-step": Recipe("--muon-interval 1"),
    "adamw": Recipe("--optimizer adamw --lr 8e-3"),
    "all-words": Recipe("--softmax-sample 0"),
}
PARTS = ("dev", "test")
T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160)

Row = dict[str, Any]

app = typer.Typer(help=__doc__, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Text:
    """A text of the suite."""

    name: str
    file: str  # in the folder of texts; "" = the source code of this repository
    options: str = ""  # of `charlm train`
    blocks: bool = True  # parts in turn all through the text, otherwise one after another

    def read(self, folder: Path) -> list[str]:
        """Its lines."""
        files = (
            [folder / self.file] if self.file else sorted((HERE.parent / "charlm").rglob("*.py"))
        )
        text = "".join(file.read_text("utf-8") for file in files)
        return text.splitlines(keepends=True)


SUITE = (
    Text("play", "tinyshakespeare.txt", blocks=False),
    Text("words", "brown.train.txt", "--level word --min-count 3"),
    Text("poems", "tang.train.txt"),
    Text("names", "names.txt"),
    Text("code", ""),
)


def split(lines: Sequence[str], *, blocks: bool) -> dict[str, str]:
    """A text's parts: 80 % to train on, 5 % valid, 5 % dev, 10 % test.

    blocks: of each of five stretches of the text, otherwise of the text as a whole.
    """
    shares = {"train": 16, "valid": 1, "dev": 1, "test": 2}
    parts: dict[str, list[str]] = {name: [] for name in shares}
    stretches = 5 if blocks else 1
    for k in range(stretches):
        stretch = lines[len(lines) * k // stretches : len(lines) * (k + 1) // stretches]
        at = 0
        for name, share in shares.items():
            end = at + share
            parts[name] += stretch[len(stretch) * at // 20 : len(stretch) * end // 20]
            at = end
    return {name: "".join(found) for name, found in parts.items()}


def beginning(text: str, most: int) -> str:
    """So many characters at most, cut at a line end: a wide network takes long to measure."""
    return text if len(text) <= most else text[:most].rpartition("\n")[0] + "\n"


def train_and_measure(
    folder: Path, recipe: Recipe, text: list[str], options: list[str], code: Path | None
) -> Row:
    """Train on the parts in `folder`, and measure the model, its network and its n-gram model.

    text: how it becomes tokens. options: of training.
    """
    train, valid = (str(folder / f"{part}.txt") for part in ("train", "valid"))
    network, counted, mixed = (str(folder / name) for name in ("run", "ngram", "mixed"))
    words = shlex.split(recipe.train)
    more = [*text, *options, *words]
    done = charlm("train", train, "--valid", valid, "--out", network, *more, code=code)
    made = done["model"]
    if recipe.ngram is not None:
        words = [*text, *shlex.split(recipe.ngram)]
        charlm("ngram", train, "--valid", valid, "--out", counted, *words)
        words = ["--dev", valid, "--out", mixed, *shlex.split(recipe.mix)]
        made = charlm("mix", network, counted, *words)["model"]
    contents = model_file.read(Path(made))
    models = {"model": contents}
    if contents.family != "recurrent":
        inner = model_parts.without_cache(contents)
        models |= {"network": model_parts.part(inner, 0), "ngram": model_parts.part(inner, 1)}
    row: Row = {name: done[name] for name in ("steps", "seconds", "tokens_per_second")}
    for part in PARTS:
        row[part] = {}
        for name, model in models.items():
            file = folder / f"{name}.safetensors"
            model_file.write(file, model)
            found = charlm("eval", str(folder / f"{part}.txt"), "-m", str(file))
            row[part][name] = {key: found[key] for key in ("bits_per_char", "perplexity")}
    return row


def key(row: Row) -> tuple[Any, ...]:
    """What must be the same for two rows to be compared, but for seed and recipe."""
    machine = tuple(row["machine"][name] for name in ("processor", "threads", "torch"))
    return (row["text"], row["sha256"], row["commit"], machine, *budget(row))


def label(row: Row) -> str:
    """The recipe of a row; the same name may have stood for another one before."""
    known = RECIPES.get(row["recipe"])
    made = row["made"]
    named = made["code"] or known == Recipe(**made)
    return row["recipe"] if named else f"{row['recipe']}: {made['train']}"


def budget(row: Row) -> tuple[Any, Any]:
    return row["minutes"], row["steps_given"]


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """Mean, and half the length of its 95 % interval by Student's t; infinite for one value."""
    mean, n = statistics.fmean(differences), len(differences)
    if n < 2:
        return mean, math.inf
    t = T_95[n - 2] if n - 2 < len(T_95) else 1.96 + 2.5 / (n - 1)
    return mean, t * statistics.stdev(differences) / math.sqrt(n)


def said(mean: float, half: float) -> str:
    """A relative difference in per cent, and what it means."""
    word = "better" if mean + half < 0 else "worse" if mean - half > 0 else "–"
    spread = "" if math.isinf(half) else f" ± {100 * half:.2f}"
    return f"{100 * mean:+.2f}{spread} {word}"


def commit(place: Path = HERE) -> str:
    """That of a checkout, and a digest of how files but the results differ from it, if they do."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=place, capture_output=True, text=True).stdout

    name = git("rev-parse", "--short=10", "HEAD").strip()
    changes = git("diff", "HEAD", "--", ":/", f":(exclude,top)benchmarks/{RESULTS.name}")
    return f"{name}-{hashlib.sha256(changes.encode()).hexdigest()[:6]}" if changes else name


@app.command()
def compare(
    names: Annotated[list[str], typer.Argument(help="Recipes; name=OPTIONS makes a new one.")],
    minutes: Annotated[float, typer.Option(help="Of each training.")] = 0.0,
    steps: Annotated[int, typer.Option(help="Of each training, instead of minutes.")] = 0,
    seeds: Annotated[str, typer.Option(help="How many, or from-to.")] = "5",
    texts: Annotated[str, typer.Option()] = ",".join(text.name for text in SUITE),
    data: Annotated[Path, typer.Option(help="Folder of the texts.")] = Path("../shared/data"),
    text: Annotated[list[Path] | None, typer.Option(help="A text file besides.")] = None,
    against: Annotated[str, typer.Option()] = "default",
    before: Annotated[Path | None, typer.Option(help="Checkout of the recipe `before`.")] = None,
    part: Annotated[str, typer.Option()] = "dev",
    measured: Annotated[int, typer.Option(help="Most characters of dev and of test.")] = 10**9,
    results: Annotated[Path, typer.Option()] = RESULTS,
) -> None:
    """Train recipes, add the results to the file, and show them."""
    if (minutes > 0) == (steps > 0):
        raise typer.BadParameter("give either --minutes or --steps")
    named = (recipe.partition("=") for recipe in names)
    known_recipes = (
        RECIPES if before is None else {**RECIPES, "before": Recipe(code=commit(before))}
    )
    recipes: dict[str, Recipe] = {}
    for name, equals, new in named:
        if not equals and name not in known_recipes:
            raise typer.BadParameter(f"no recipe is called {name}: {', '.join(known_recipes)}")
        recipes[name] = Recipe(new) if equals else known_recipes[name]
    suite = [one for one in SUITE if one.name in texts.split(",")]
    suite += [Text(path.stem, str(path.resolve()), blocks=False) for path in text or []]
    given = ["--minutes", f"{minutes:g}"] if minutes else ["--steps", str(steps)]
    first, _, last = seeds.rpartition("-")
    machine, version = about(), commit()
    rows: list[Row] = json.loads(results.read_text())["rows"] if results.exists() else []
    known = {(*key(row), row["recipe"], str(row["made"]), row["seed"]) for row in rows}
    for seed in range(int(first or 1), int(last) + 1):
        for one in suite:
            parts = split(one.read(data), blocks=one.blocks)
            parts |= {name: beginning(parts[name], measured) for name in PARTS}
            for name, recipe in recipes.items():
                made = asdict(recipe)
                row: Row = {
                    "text": one.name,
                    "sha256": hashlib.sha256("".join(parts.values()).encode()).hexdigest()[:12],
                    "recipe": name,
                    "made": made,
                    "seed": seed,
                    "minutes": minutes or None,
                    "steps_given": steps or None,
                    "commit": version,
                    "machine": machine,
                }
                if (*key(row), name, str(made), seed) in known:
                    continue
                with tempfile.TemporaryDirectory() as place:
                    for part_name, content in parts.items():
                        Path(place, f"{part_name}.txt").write_text(content, "utf-8")
                    text_options, options = shlex.split(one.options), [*given, "--seed", str(seed)]
                    code = before if recipe.code else None
                    found = train_and_measure(Path(place), recipe, text_options, options, code)
                    rows.append({**row, **found})
                bits = rows[-1][part]["model"]["bits_per_char"]
                print(f"seed {seed} {one.name} {name}: {bits:.4f} bits/char", flush=True)
                results.write_text(as_text(rows))
    table(minutes, steps, part, against, ",".join(recipes), results)


def as_text(rows: Iterable[Row]) -> str:
    """JSON with one row a line, so that adding rows adds lines."""
    return '{"rows": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]}\n"


@app.command()
def table(
    minutes: Annotated[float, typer.Option()] = 0.0,
    steps: Annotated[int, typer.Option()] = 0,
    part: Annotated[str, typer.Option(help="dev, to decide, or test, to report.")] = "dev",
    against: Annotated[str, typer.Option(help="The recipe to compare with.")] = "default",
    recipes: Annotated[str, typer.Option(help="Only these, with commas.")] = "",
    results: Annotated[Path, typer.Option()] = RESULTS,
) -> None:
    """Show the results that are in the file, for one budget or all."""
    rows: list[Row] = json.loads(results.read_text())["rows"]
    wanted = (minutes or None, steps or None)
    if part not in PARTS:
        raise typer.BadParameter(f"--part is {' or '.join(PARTS)}, not {part}")
    if wanted not in ((None, None), *map(budget, rows)):
        raise typer.BadParameter("there are no results for this budget")
    groups: dict[tuple[Any, ...], dict[str, dict[int, Row]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for row in rows:
        if wanted in ((None, None), budget(row)) and (
            not recipes or row["recipe"] in (*recipes.split(","), against)
        ):
            groups[key(row)][label(row)][row["seed"]] = row
    shown = Table(box=None)
    for heading in ("commit", "text", "budget", "recipe"):
        shown.add_column(heading, justify="right" if heading == "budget" else "left")
    for heading in ("seeds", "bits/char", "± SE", "network", "n-gram"):
        shown.add_column(heading, justify="right")
    shown.add_column("steps", justify="right")
    shown.add_column(f"% of {against}")
    overall: dict[tuple[Any, ...], dict[str, dict[str, dict[int, float]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(dict))
    )
    for group, by_recipe in groups.items():
        base = by_recipe.get(against) or next(
            (found for name, found in by_recipe.items() if name.startswith(f"{against}: ")), {}
        )
        for name, by_seed in by_recipe.items():
            values = [row[part]["model"]["bits_per_char"] for row in by_seed.values()]
            relative = {
                seed: row[part]["model"]["bits_per_char"]
                / base[seed][part]["model"]["bits_per_char"]
                - 1
                for seed, row in by_seed.items()
                if seed in base and by_seed is not base
            }
            if relative:
                overall[group[2:]][name][group[0]] = relative
            error = (
                statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
            )
            of_parts = [
                statistics.fmean(found) if found else math.nan
                for found in (
                    [r[part][kind]["bits_per_char"] for r in by_seed.values() if kind in r[part]]
                    for kind in ("network", "ngram")
                )
            ]
            a_minute, a_step = group[-2:]
            shown.add_row(
                group[2],
                group[0],
                f"{a_minute:g} min" if a_minute else f"{a_step} steps",
                name,
                str(len(by_seed)),
                f"{statistics.fmean(values):.4f}",
                *("" if math.isnan(value) else f"{value:.4f}" for value in (error, *of_parts)),
                f"{statistics.fmean(row['steps'] for row in by_seed.values()):.0f}",
                said(*interval(list(relative.values()))) if relative else "",
            )
    console = Console(width=130)
    machines = {
        f"{row['machine']['processor']}, {row['machine']['threads']} threads" for row in rows
    }
    console.print(f"{part}; {'; '.join(machines)}")
    console.print(shown)
    for (version, *_, a_minute, a_step), recipes_found in overall.items():
        for name, by_text in recipes_found.items():
            common = set.intersection(*(set(found) for found in by_text.values()))
            means = [
                statistics.fmean(found[seed] for found in by_text.values())
                for seed in sorted(common)
            ]
            if means:
                length = f"{a_minute:g} min" if a_minute else f"{a_step} steps"
                texts = f"{len(by_text)} texts, {len(means)} seeds, {length}, {version}"
                console.print(f"{name} over {texts}: {said(*interval(means))}")


if __name__ == "__main__":
    app()
