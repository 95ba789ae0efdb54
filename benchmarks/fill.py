"""How much better blanks are filled from both sides than from one.

    python benchmarks/fill.py TEXT [--minutes 3] [--valid FILE] [--level char] [--json FILE]

Two networks are trained on the same text for the same time: one reads from the left, the other from
both sides, with no more parameters. Then single tokens of the validation lines are hidden, and each
network names the most probable one: from what comes before, from both sides, and by judging
completed lines (the one-directional network, in fewer places because it is slow).
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from common import about, write_json
from rich.console import Console
from rich.table import Table

import charlm
from charlm.config import NetworkConfig
from charlm.lm import Ids, Nats, is_pseudo
from charlm.model.model import Model
from charlm.tasks import fill

CANDIDATES = 300  # tokens whose completed lines are judged


def main(
    file: Annotated[Path, typer.Argument(metavar="TEXT")],
    minutes: Annotated[float, typer.Option(help="For each network.")] = 3.0,
    valid: Annotated[Path | None, typer.Option(help="Else the last tenth of TEXT.")] = None,
    level: Annotated[str, typer.Option()] = "char",
    min_count: Annotated[int, typer.Option()] = 1,
    places: Annotated[int, typer.Option(help="Tokens hidden.")] = 3000,
    slow_places: Annotated[int, typer.Option(help="… of these, judged by completed lines.")] = 500,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write results there.")] = None,
) -> None:
    """Masked tokens, from one side and from both."""
    console, machine = Console(), about()
    console.print(f"{machine['processor']}, {machine['threads']} threads, torch {machine['torch']}")
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        usual = ["--level", level, "--min-count", str(min_count), "--minutes", str(minutes)]
        usual += ["--valid", str(valid)] if valid else []
        left = train(file, place / "left", usual)
        hidden = fitting(left.info["config"])
        both = train(file, place / "both", [*usual, "--bidirectional", "--hidden", str(hidden)])
    lines = (valid or file).read_text("utf-8").splitlines()
    lines = lines if valid else lines[-(len(lines) // 11) :]  # of the tenth that was held out
    hiding = hide(left, lines, places)
    found = {
        "what stands before": right_from_left(left, hiding),
        "both sides": right_from_both(both, hiding),
    }
    few = hiding[:slow_places]
    started = time.perf_counter()
    completed = right_by_lines(left, few)
    seconds = time.perf_counter() - started
    table = Table(title=f"{file.name}, {level}s: hidden tokens named rightly, {minutes:g} min each")
    for heading in ("network", "parameters", "reads", "places", "right", "±", "ratio"):
        table.add_column(heading, justify="left" if heading in ("network", "reads") else "right")
    rows: list[dict[str, Any]] = []
    for model, reads, hits in (
        (left, "what stands before", found["what stands before"]),
        (both, "both sides", found["both sides"]),
        (left, f"completed lines ({CANDIDATES} tokens tried)", completed),
        (both, "both sides, those places", found["both sides"][: len(few)]),
    ):
        share = float(np.mean(hits))
        base = float(np.mean(found["what stands before"][: len(hits)]))  # on the same places
        error = 1.96 * math.sqrt(share * (1 - share) / len(hits))
        name = "bidirectional" if model is both else "one direction"
        row = {"network": name, "parameters": model.info["parameters"], "reads": reads}
        rows.append(row | {"places": len(hits), "right": share, "interval": error})
        shown = (f"{len(hits):,}", f"{share:.1%}", f"{error:.1%}", f"{share / base:.2f}×")
        table.add_row(name, f"{model.info['parameters']:,}", reads, *shown)
    console.print(table)
    console.print(f"completed lines: {seconds / len(few):.2f} s a place")
    write_json(json_file, {"machine": machine, "rows": rows})


def train(file: Path, run: Path, options: list[str]) -> Model:
    """A network of `charlm train`."""
    command = [sys.executable, "-m", "charlm", "train", str(file), "--plain", "--out", str(run)]
    command += options
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return charlm.load(run)


def fitting(config: dict[str, Any]) -> int:
    """The widest layers, in multiples of 16 units, that make a bidirectional network no larger."""
    allowed = size(config)
    for hidden in range(config["hidden"], 0, -16):
        embed = hidden if config["tied"] else config["embed"]
        if size(config | {"hidden": hidden, "embed": embed, "bidirectional": True}) <= allowed:
            return hidden
    raise SystemExit("no bidirectional network is as small as that")


def size(config: dict[str, Any]) -> int:
    return sum(math.prod(shape) for shape in NetworkConfig.from_dict(config).shapes().values())


def hide(model: Model, lines: list[str], count: int) -> list[tuple[Ids, int]]:
    """Token ids of lines, and the place hidden in each: never <UNK> or a line end."""
    rng, tokenizer = np.random.default_rng(1), model.tokenizer
    found: list[tuple[Ids, int]] = []
    while len(found) < count:
        ids = tokenizer.encode(lines[int(rng.integers(len(lines)))])
        known = np.flatnonzero(ids != tokenizer.unk)
        if len(known):
            closed = np.append(ids, tokenizer.eos).astype(np.int64)
            found.append((closed, int(rng.choice(known))))
    return found


def right_from_left(model: Model, hiding: list[tuple[Ids, int]]) -> list[bool]:
    hits = []
    for ids, place in hiding:
        lm = model.causal
        state = lm.start(1)
        if place:
            _, state = lm.read(state, ids[None, :place])
        hits.append(named(model, lm.predict(state)[0], ids[place]))
    return hits


def right_from_both(model: Model, hiding: list[tuple[Ids, int]]) -> list[bool]:
    assert is_pseudo(model.lm)
    return [
        named(model, model.lm.predict_at(ids[None], place)[0], ids[place]) for ids, place in hiding
    ]


def named(model: Model, nats: Nats, wanted: int) -> bool:
    """Whether the most probable token, other than line ends and <UNK>, is the right one."""
    nats = nats.copy()
    nats[[k for k in (model.tokenizer.eos, model.tokenizer.unk) if k is not None]] = -np.inf
    return bool(nats.argmax() == wanted)


def right_by_lines(model: Model, hiding: list[tuple[Ids, int]]) -> list[bool]:
    fill.MAX_PREDICTIONS = CANDIDATES * model.tokenizer.vocab_size
    fits = np.ones(model.tokenizer.vocab_size, bool)
    fits[[k for k in (model.tokenizer.eos, model.tokenizer.unk) if k is not None]] = False
    hits = []
    for ids, place in hiding:
        given = fill.Template(ids, (place,), (fits,), "", ())
        best, _ = fill.fill_causal(model.causal, given, left_only=False)[0]
        hits.append(bool(best[place] == ids[place]))
    return hits


if __name__ == "__main__":
    typer.run(main)
