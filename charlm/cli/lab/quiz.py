"""`charlm lab quiz`: which curve is which?"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ...cli import show
from ...display.column_chart import spread
from ..talk import note, progress_bar
from .experiment import short
from .options import Json, Seed

if TYPE_CHECKING:
    from ...lab.quiz_question import Curve, Question

CHART_LINES = 4
LABEL_WIDTH = 9  # columns of letter and numbers, to the left of a chart
MAX_WIDTH = 80


def quiz(
    questions: Annotated[
        int, typer.Option(min=1, max=10, help="How many; each kind comes once among five.")
    ] = 5,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    r"""Guess which curve is which: RNN, LSTM, n-gram model.

    The curves are computed first, in some seconds, from small networks. Answer with a letter; q
    ends. Answers may also come from a pipe, one a line. --json prints the questions with their
    answers, and asks nothing.

    \b
    charlm lab quiz
    charlm lab quiz --questions 10 --seed 2
    """
    from ...lab.quiz import questions as made

    with progress_bar("training small networks") as progress:
        found = made(questions, seed=seed, progress=progress)
    if json:
        show.emit_json({"seed": seed, "questions": [one.as_dict() for one in found]})
        return
    results = _ask_all(found)
    ended = "" if len(results) == len(found) else f" answered, out of {len(found)}"
    show.line(f"Score: {sum(results)} of {len(results)}{ended}", "bold")
    if len(results) == len(found):
        note(f"other networks: --seed {seed + 1}")


def _ask_all(questions: Sequence[Question]) -> list[bool]:
    """Whether each answer was right; those after the user's end are missing."""
    results: list[bool] = []
    for number, question in enumerate(questions, 1):
        show.line(f"Question {number} of {len(questions)}", "bold")
        _draw(question)
        answer = _answer(question)
        if answer is None:
            break
        results.append(answer == question.answer)
        _explain(question, answer)
        if number < len(questions) and show.is_terminal(sys.stdin) and not _goes_on():
            break
    return results


def _draw(question: Question) -> None:
    """What is shown, and its charts."""
    show.paragraph(question.shows, indent=0)
    room = min(show.width(), MAX_WIDTH) - LABEL_WIDTH - 1
    places = spread(len(question.curves[0].values), room)
    for letter, curve in zip(question.letters, question.curves, strict=True):
        if letter != "A":
            show.line()
        for text in _chart(question, letter, curve, places):
            show.line(text)
    show.line(" " * (LABEL_WIDTH + 1) + _axis(question.ticks, places))
    show.line(" " * (LABEL_WIDTH + 1) + question.across, "dim")
    names = ", ".join(sorted(curve.name for curve in question.curves))
    show.paragraph(f"In alphabetical order: {names}.", indent=0)


def _chart(
    question: Question, letter: str, curve: Curve, places: Sequence[int | None]
) -> list[str]:
    low, high = question.range_of(curve)
    values = question.heights(curve)
    heights = [0.0 if k is None else values[k] for k in places]
    lines = show.columns_of(heights, CHART_LINES, signed=low < 0)
    labels = [_label(high), *[""] * (CHART_LINES - 2), _label(low)]
    names = [letter, *[""] * (CHART_LINES - 1)]
    return [
        f"{name:<2}{label:>{LABEL_WIDTH - 3}} |{line}".rstrip()
        for name, label, line in zip(names, labels, lines, strict=True)
    ]


def _label(value: float) -> str:
    return show.number(value, 0) if value == round(value) else short(value)


def _axis(ticks: Mapping[int, str], places: Sequence[int | None]) -> str:
    """The ticks under the columns of their values, as far as these are shown."""
    axis = ""
    for k, tick in ticks.items():
        column = next((n for n, place in enumerate(places) if place is not None and place >= k), 0)
        if column >= len(axis) + (1 if axis else 0) or not axis:
            axis = axis.ljust(column) + tick
    return axis


def _answer(question: Question) -> str | None:
    """The letter that the user types; None at the end of input, at q and at Ctrl-C."""
    choices = f"{', '.join(question.letters[:-1])} or {question.letters[-1]}"
    asked = f"Which of them is the {question.right.name}? {choices} (q ends)"
    show.paragraph(asked, indent=0, style="bold")
    terminal = show.is_terminal(sys.stdin)
    while True:
        try:
            typed = _typed("> " if terminal else "")
        except KeyboardInterrupt:
            typed = ""
        if not typed and terminal:
            show.line()
        letter = typed.strip().upper()
        if not typed or letter == "Q":
            return None
        if len(letter) == 1 and letter in question.letters:
            return letter
        note(f"Type {choices}; q ends.")


def _goes_on() -> bool:
    """Wait for Enter, so that the explanation can be read; False at the end of input and at q."""
    try:
        typed = _typed("Enter: next question ")
    except KeyboardInterrupt:
        return False
    return bool(typed) and typed.strip().upper() != "Q"


def _typed(prompt: str) -> str:
    """A line with its end; nothing at the end of input."""
    sys.stdout.write(prompt)
    sys.stdout.flush()
    return sys.stdin.readline()


def _explain(question: Question, answer: str) -> None:
    """Right or wrong, why, and what the other curves are."""
    right = answer == question.answer
    start = f"Right: {answer}" if right else f"Wrong: {question.answer}, not {answer},"
    verdict = f"{start} is the {question.right.name}."
    show.paragraph(verdict, indent=0, style="green" if right else "red")
    show.paragraph(question.right.why, indent=0)
    others = [
        f"{letter}: {curve.name}"
        for letter, curve in zip(question.letters, question.curves, strict=True)
        if letter != question.answer
    ]
    show.paragraph(f"The others: {'; '.join(others)}.", indent=0)
    show.paragraph(f"More: {question.more}", indent=0)
    show.line()
