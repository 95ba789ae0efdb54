"""Chinese captions: none is left in English, and every number is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import charlm.lab
from charlm.display.charts import Panel, png
from charlm.lab import (
    agreement,
    bptt,
    cell,
    cell_page,
    chinese,
    cliff,
    counter,
    depth,
    echo,
    gradients,
    memory,
    shapes,
    shapes_page,
    start,
    timer,
)

if TYPE_CHECKING:
    from charlm.cli.lab.experiment import Finding
    from charlm.text.corpus import Corpus

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = "rnn lstm gru relu peephole gram adam sgd hessian free chrono log letters txt which who"
COMMANDS = "write keep read clear tanh"


@pytest.fixture(scope="module")
def found(corpus: Corpus) -> dict[str, Sequence[Panel]]:
    """The panels of every experiment, from tiny runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counter, "MAX_STEPS", 1)
        patch.setattr(counter, "MAX_TESTED", 22)
        patch.setattr(echo, "TRAIN_SENTENCES", 50)
        patch.setattr(agreement, "ORDERS", (3,))
        patch.setattr(bptt, "LAG_LINES", 2000)
        runs: list[Finding] = [
            agreement.train_and_evaluate(runs=1, steps=1, sentences=2, lines=300),
            bptt.experiment(corpus, cells=["gru"], lengths=[1, 64], seeds=1, steps=1, hidden=8),
            by_hand(),
            cliff.experiment(beginnings=1, steps=3),
            depth.experiment(steps=40, seeds=1),
            gradients.experiment(corpus, cells=["lstm"], length=4, steps=1, hidden=8),
            memory.experiment(cells=["lstm-peephole"], lags=[2], seeds=2, steps=1, hidden=8),
            start.experiment(lag=3, steps=2, seeds=1),
            timer.experiment(cells=["rnn"], size=20, steps=1),
        ]
    return {type(one).__module__.rpartition(".")[2]: one.panels() for one in runs}


def by_hand() -> cell.ByHand:
    return cell.experiment(cell.script(cell.SCRIPT))


def captions(panels: Sequence[Panel]) -> Iterator[str]:
    for panel in panels:
        yield from (panel.title, panel.x_label, panel.y_label)
        yield from (line.label for line in panel.lines)
        yield from (name for name, _ in panel.levels)
        yield from (text for text, _, _ in panel.marks)
        if panel.surface is not None:
            yield panel.surface.label


def english(text: str, allowed: str = "") -> set[str]:
    """The words that should not be there."""
    words = {word.lower() for word in re.findall(r"[A-Za-z]{3,}", text)}
    return words - set(f"{NAMES} {allowed}".lower().split())


def numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", text))


def shown(page: str) -> str:
    """What a reader of a page sees."""
    return unescape(re.sub(r"<style.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL))


def test_every_experiment_is_here(found: dict[str, Sequence[Panel]]) -> None:
    (folder,) = map(Path, charlm.lab.__path__)
    with_panels = {
        one.stem for one in folder.glob("*.py") if "def panels" in one.read_text("utf-8")
    }
    assert set(found) == with_panels
    assert set(chinese.CAPTIONS) == {*with_panels, "cell_page", "shapes_page"}


def test_no_caption_is_left_in_english(found: dict[str, Sequence[Panel]]) -> None:
    for experiment, panels in found.items():
        theirs = list(captions(panels))
        ours = list(captions(chinese.translated(panels, "zh", experiment)))
        assert [one for one in ours if english(one)] == []
        assert list(map(numbers, ours)) == list(map(numbers, theirs))
        known = chinese.CAPTIONS[experiment]
        assert len(set(theirs) - set(ours)) >= len(known) - 1  # one may look the same as another


def test_only_captions_change(found: dict[str, Sequence[Panel]]) -> None:
    for experiment, panels in found.items():
        assert chinese.translated(panels, "en", experiment) == list(panels)
        for theirs, ours in zip(panels, chinese.translated(panels, "zh", experiment), strict=True):
            assert [line.y for line in theirs.lines] == [line.y for line in ours.lines]
            assert (theirs.y_range, theirs.log_y) == (ours.y_range, ours.log_y)


def test_what_a_user_named_keeps_its_name() -> None:
    say = chinese.speaking("zh", "bptt")
    title = "nats {}.txt: validation loss (5 tokens of training each)"
    assert say(title).startswith("nats {}.txt：")
    assert chinese.speaking("zh", "agreement")("small") == "small"


def test_every_character_is_drawn(found: dict[str, Sequence[Panel]], chinese_font: str) -> None:
    """A character that no font has is a warning of matplotlib's, and an error here."""
    ours = [
        caption
        for experiment, panels in found.items()
        for caption in captions(chinese.translated(panels, "zh", experiment))
    ]
    levels = [(caption, k) for k, caption in enumerate(dict.fromkeys(ours))]
    png([Panel("", "", "", [], levels=levels)], fonts=[chinese_font])


@pytest.mark.usefixtures("chinese_font")
def test_the_page_of_a_memory_cell() -> None:
    page = cell_page.page(by_hand(), "zh")
    assert page.startswith('<!DOCTYPE html>\n<html lang="zh">')
    assert english(shown(page), f"{COMMANDS} charlm") == set()
    assert numbers(shown(page)) == numbers(shown(cell_page.page(by_hand())))


def test_the_page_of_shapes() -> None:
    found = shapes.experiment(part=0.001)
    tokens = " ".join(
        f"{column.read} {column.answer}"
        for shape in found.shapes
        for example in shape.examples
        for column in example.columns
    )
    page = shapes_page.page(found, "zh")
    assert english(shown(page), f"{tokens} blame praise charlm drawn by") == set()
    assert numbers(shown(page)) == numbers(shown(shapes_page.page(found)))
