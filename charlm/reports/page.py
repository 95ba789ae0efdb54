"""Write the report: a run as one HTML page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from ..display import network_page
from ..display.charts import Line, Panel, svg
from ..display.colours import MAX_BITS
from ..display.html_page import (
    SURPRISAL,
    Html,
    cards,
    document,
    element,
    figure,
    is_page,
    key_values,
    lines,
    number,
    paragraph,
    section,
    shade,
    table,
    text,
)
from ..display.readable import count, size
from ..errors import CharlmError
from ..models.family import short
from ..models.model_file import parameter_noun
from ..runs import learning_curves, locate
from ..runs.events import Events
from ..runs.run_directory import RunDirectory
from ..system import output_file
from .findings import GRADIENT_TEXTS, Findings, collect

PSEUDO_NOTE = (
    "Pseudo-perplexity is per token. The model is bidirectional, so each token is predicted from "
    "those before and after it: this is not a perplexity, and cannot be compared with one."
)
WRITES_NOTHING = (
    "Nothing: a bidirectional model cannot predict what comes next. It fills blanks: charlm fill"
)
PICTURE_SCALE = 0.75  # pictures, so that they can be read on a phone


class Report(NamedTuple):
    """The page's path, and what it shows."""

    path: Path
    findings: Findings


def write(
    run: str | Path | None = None,
    out: str | Path | None = None,
    events: Events | None = None,
    *,
    force: bool = False,
) -> Report:
    """Write the report of a run atomically; return its path and what it shows.

    run: a run directory; default that of $CHARLM_MODEL or runs/latest. out: a file; default
    report.html in the run directory. force: replace it even if it is no such page. If the text of
    the run is missing or has changed, `events` gets a warning and the page says so in place of what
    needs the text. Raises CharlmError if there is no run, no model yet, a damaged file, or another
    file in place of `out`; OSError if the page cannot be written.
    """
    events = events or Events()
    directory = find(run)
    place = Path(out) if out is not None else directory.report
    files = [
        directory.model,
        directory.checkpoint,
        directory.config,
        directory.metrics,
        directory.curves,
    ]
    where = directory.read_config()["corpus"]
    if output_file.is_among(place, [*files, *where["paths"], *where["valid"]]):
        raise CharlmError(f"{place} is a file of the run: name another one for the report")
    if out is not None:
        output_file.check(place, is_page, force=force)
    findings = collect(directory, events)
    with output_file.writing(place) as file:
        file.write(render(findings).encode("utf-8"))
    events.stage("report", 1.0)
    return Report(place, findings)


def find(run: str | Path | None) -> RunDirectory:
    """Find the run. Raises CharlmError if there is none, or no model in it yet."""
    if run is not None and not str(run):
        raise CharlmError("RUN is empty: name a run directory")
    if run is not None and Path(run).is_dir():
        directory = RunDirectory(Path(run))
    else:
        directory = RunDirectory(locate.resolve(run).parent)
    if not directory.config.exists():
        raise CharlmError(
            f"{directory.path} is not a run (no {directory.config.name}): a report is about a "
            "training run. charlm info describes any model"
        )
    if not directory.model.exists():
        raise CharlmError(
            f"{directory.path} has no model yet: try again after its first validation"
        )
    return directory


def render(found: Findings) -> str:
    """The page."""
    name = found.run.resolve().name
    network, corpus = found.settings["network"], found.settings["corpus"]
    about = (
        f"{short('recurrent', network)} · {found.about['level']} model of "
        f"{corpus['name']} · {found.about['vocab_size']:,} tokens in the vocabulary"
    )
    if found.about["family"] != "recurrent":
        about += " · mixed with an n-gram model"
    sections = [
        section("Learning", *_learning(found)),
        section("On validation text", *_validation(found)),
        section("What it wrote", *_samples(found)),
        section("Surprise, token by token", *_heat(found)),
        section("The network at work", *_drawn(found)),
        section("The most surprising lines", *_surprising(found)),
        section("How far the gradient reaches back", *_gradient(found)),
        section("Settings", *_settings(found)),
        section("Machine and speed", *_machine(found)),
    ]
    return document(name, [paragraph(about, "soft"), _summary(found)], sections, SURPRISAL)


def _summary(found: Findings) -> Html:
    best = found.best
    rows = [
        (parameter_noun(found.about), f"{found.about['parameters']:,}"),
        ("file", size(found.about["bytes"])),
    ]
    if best:
        rows = [
            (_named(found, "bits per character"), number(best["bits_per_char"], 3)),
            (_named(found, "perplexity"), number(best["perplexity"])),
            *rows,
        ]
    return cards([*rows, ("tokens a second", number(found.tokens_per_second, 0))])


def _named(found: Findings, number_of: str) -> str:
    """The name of a number, with "pseudo-" for a bidirectional model."""
    return f"pseudo-{number_of}" if found.pseudo else number_of


def _learning(found: Findings) -> list[Html]:
    panels = learning_curves.panels(found.rows)
    if not panels:
        return [_missing("metrics.jsonl holds no measurements")]
    panels[0] = replace(panels[0], height=2)
    norms = [(row["step"], row.get("gradient_norm", 0)) for row in found.rows if "loss" in row]
    shown = [(step, norm) for step, norm in norms if norm > 0]
    if shown:
        line = Line("", [step for step, _ in shown], [norm for _, norm in shown], colour=3)
        panels.append(Panel("", "optimiser steps", "gradient norm", [line]))
    caption = (
        "Bits per token of training batches (with dropout) and of validation text (without), "
        "learning rate, and the norm of the gradient before clipping."
    )
    if found.pseudo:
        caption += " Bits are pseudo-bits: each token is predicted from all others."
    return [figure(svg(panels, name="learning", scale=PICTURE_SCALE), caption)]


def _validation(found: Findings) -> list[Html]:
    best, base = found.best, found.baseline
    rows: list[tuple[str, Mapping[str, Any]]] = [("this model", best)] if best else []
    alone = found.about["training"].get("network")
    if alone:
        rows.append(("its network alone", alone))
    if not isinstance(base, str):
        rows.append((f"{base.order}-gram model", base.measures.as_dict()))
    columns = {
        "perplexity": _named(found, "perplexity"),
        "perplexity_excluding_oov": "without OOV",
        "bits_per_char": _named(found, "bits/character"),
        "bits_per_byte": _named(found, "bits/byte"),
    }
    if not any(m["oov"] for _, m in rows):
        del columns["perplexity_excluding_oov"]
    if all(m["bits_per_byte"] == m["bits_per_char"] for _, m in rows):
        del columns["bits_per_byte"]
    cells = [
        [name, *(number(m[key], 3 if "bits" in key else 2) for key in columns)] for name, m in rows
    ]
    parts = [table(["", *columns.values()], cells)] if cells else []
    if best:
        unknown = f", {best['oov']:,} of them unknown (OOV)" if best["oov"] else ""
        characters = count(best["chars"], "character")
        parts.append(paragraph(f"{best['tokens']:,} tokens{unknown}; {characters}."))
    if found.pseudo:
        parts.append(paragraph(PSEUDO_NOTE, "soft"))
    if isinstance(base, str):
        return [*parts, _missing(f"No n-gram model beside it: {base}")]
    if best:
        parts.append(paragraph(_against(best["bits_per_char"] / base.measures.bits_per_char)))
    counted_text = "the same training text"
    if base.tokens < base.of:
        counted_text = f"only the first {base.tokens:,} of the {base.of:,} training tokens"
    note = (
        "Perplexity is per token. The n-gram model (modified Kneser-Ney smoothing) counted "
        f"{counted_text} and was measured on the same validation text."
    )
    if base.warnings:
        note += " The text is too small to estimate all of its discounts from: some are guessed."
    return [*parts, paragraph(note, "soft")]


def _against(ratio: float) -> str:
    """Compare the model with the n-gram model; `ratio`: of their bits."""
    if round(100 * ratio) == 100:
        return "The model needs as many bits as the n-gram model."
    if ratio >= 2:
        return f"The model needs {ratio:.1f} times the bits of the n-gram model."
    than = "fewer" if ratio <= 1 else "more"
    return f"The model needs {abs(1 - ratio):.0%} {than} bits than the n-gram model."


def _samples(found: Findings) -> list[Html]:
    if found.pseudo:
        return [_missing(WRITES_NOTHING)]
    bits = {row["step"]: row["valid"]["bits_per_char"] for row in found.rows if "valid" in row}
    kept = found.about["training"].get("step")
    parts = [paragraph("Drawn at temperature 0.8, each with the same seed.", "soft")]
    for one in found.written:
        head = f"step {one.step:,}"
        if one.step in bits:
            head += f" · {number(bits[one.step], 3)} bits/character"
        if one.step == kept:
            head += " · the network that was kept"
        parts.append(element("h3", text(head)))
        parts.append(element("blockquote", lines(one.text), dir="auto"))
    if len(found.written) < 2 and found.steps > 1:
        parts.append(_missing("This run kept no samples along the way: an older charlm made it"))
    return parts


def _heat(found: Findings) -> list[Html]:
    if isinstance(found.heat, str):
        return [_left_out(found.heat)]
    level = found.about["level"]
    steps = range(0, int(MAX_BITS) + 1, 2)
    legend = [shade(f"{b}+" if b == MAX_BITS else str(b), b, f"{b} bits") for b in steps]
    shown = [element("p", one.html(shade), dir="auto") for one in found.heat]
    surprisal = _named(found, "surprisal")
    how, given = "read in order", ""
    if found.pseudo:
        how, given = "each on its own", ", given all other tokens of its line"
    narrow = "heat letters" if level in ("char", "byte") else "heat"
    return [
        paragraph(
            f"The first {count(len(shown), 'line')} of the validation text, {how}; ↵ is the end "
            f"of a line. Point at a token for its {surprisal} (−log₂ P{given}) and its rank.",
            "soft",
        ),
        element("p", text(f"{surprisal} in bits: "), *legend, class_="legend"),
        element("div", *shown, class_=narrow),
    ]


def _surprising(found: Findings) -> list[Html]:
    if isinstance(found.surprising, str):
        return [_left_out(found.surprising)]
    shown = found.surprising
    rows = [
        [
            f"{line:,}",
            number(one.measures.bits_per_char, 3),
            number(one.measures.perplexity),
            f"{one.measures.oov:,}",
            _short(one.text),
        ]
        for line, one in shown.lines
    ]
    note = (
        f"By {_named(found, 'bits per character')}, among the lines of {shown.min_chars} "
        "characters or more in the first "
        f"{count(shown.read, 'line')} of the validation text."
    )
    bits, perplexity = _named(found, "bits/character"), _named(found, "perplexity")
    headings = ["line", bits, perplexity, "OOV", "text"]
    return [paragraph(note, "soft"), table(headings, rows)]


def _gradient(found: Findings) -> list[Html]:
    norms = found.gradient
    if isinstance(norms, str):
        return [_left_out(norms)]
    shown = [(k, norm) for k, norm in enumerate(norms) if 0 < norm < math.inf]
    if not shown:
        return [_missing("The gradient is zero everywhere")]
    line = Line("", [k for k, _ in shown], [norm for _, norm in shown], "o-")
    panel = Panel("", "tokens back", "norm of the gradient", [line], log_y=True)
    bptt = found.settings["training"]["bptt"]
    caption = (
        "How much the loss on a token depends on the network's state so many tokens earlier: "
        f"the norm of its gradient, root mean square over {GRADIENT_TEXTS} places of the "
        f"validation text. In training it was cut after at most {bptt} tokens."
    )
    return [figure(svg([panel], name="gradient", scale=PICTURE_SCALE), caption)]


def _drawn(found: Findings) -> list[Html]:
    drawing = found.drawing
    if isinstance(drawing, str):
        return [_left_out(drawing)]
    shown = [paragraph(network_page.ABOUT, "soft")]
    shown += network_page.unrolled_figure(drawing.tokens, drawing.network)
    if drawing.cells:
        shown += network_page.cell_figures(drawing.tokens, drawing.cells)
    return shown


def _settings(found: Findings) -> list[Html]:
    """Every table of config.toml; of files only their names, since a page may be shared."""
    groups = []
    for group in ("corpus", "tokenizer", "network", "training"):
        values = found.settings.get(group, {})
        rows = [(k.replace("_", " "), _value(v)) for k, v in values.items()]
        groups.append(element("div", element("h3", text(group)), key_values(rows)))
    return [element("div", *groups, class_="groups")]


def _machine(found: Findings) -> list[Html]:
    facts = dict(found.machine)
    if "memory" in facts:
        facts["memory"] = size(int(facts["memory"]))
    how = found.settings["training"]
    speed = [
        ("tokens a second", number(found.tokens_per_second, 0)),
        ("seconds of training", number(found.seconds, 0)),
        ("steps", f"{found.steps:,} of {how['steps']:,} planned"),
        ("best step", f"{found.about['training'].get('step', 0):,}"),
        ("tokens a step", f"{how['batch_size'] * how['bptt']:,}"),
    ]
    title = "machine" if found.trained_here else "machine that made this report"
    parts = [
        element("div", element("h3", text("speed")), key_values(speed)),
        element(
            "div",
            element("h3", text(title)),
            key_values((name, _value(value)) for name, value in facts.items()),
        ),
    ]
    return [element("div", *parts, class_="groups")]


def _left_out(why: str) -> Html:
    return _missing(f"Left out: {why}")


def _missing(sentence: str) -> Html:
    return paragraph(sentence if sentence.endswith(".") else f"{sentence}.", "missing")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(Path(str(one)).name for one in value) or "–"
    return str(value)


def _short(line: str, max_chars: int = 400) -> str:
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"
