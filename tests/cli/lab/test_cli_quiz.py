"""`charlm lab quiz`."""

from __future__ import annotations

import json
import sys

import pytest
from cli_support import Cli

from charlm.lab import quiz, quiz_networks

pytestmark = [pytest.mark.train, pytest.mark.usefixtures("elsewhere", "one_thread")]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly any training."""
    monkeypatch.setattr(quiz, "RECALL_STEPS", 2)
    monkeypatch.setattr(quiz, "MAX_ATTEMPTS", 1)
    monkeypatch.setattr(quiz_networks, "COUNTER_STEPS", 2)
    monkeypatch.setattr(quiz_networks, "RHYME_STEPS", 2)


def answers(cli: Cli) -> list[str]:
    data = json.loads(cli("lab", "quiz", "--json").out)
    return [one["answer"] for one in data["questions"]]


def test_right_answers_give_the_full_score(cli: Cli) -> None:
    shown = cli("lab", "quiz", stdin="\n".join(answers(cli)).lower().encode())
    assert shown.code == 0
    assert shown.out.endswith("Score: 5 of 5\n")
    assert shown.out.count("Right: ") == shown.out.count("More: charlm ") == 5
    assert "--seed 2" in shown.err


def test_a_wrong_answer_is_put_right(cli: Cli) -> None:
    first, *rest = answers(cli)
    wrong = "B" if first == "A" else "A"
    shown = cli("lab", "quiz", stdin="\n".join([wrong, *rest]).encode())
    assert f"Wrong: {first}, not {wrong}, is the " in shown.out
    assert shown.out.endswith("Score: 4 of 5\n")


@pytest.mark.parametrize("end", ["q\nA\n", "Q", ""])
def test_the_end_comes_when_it_is_wanted(cli: Cli, end: str) -> None:
    first = answers(cli)[0]
    shown = cli("lab", "quiz", stdin=f"{first}\n{end}".encode())
    assert shown.code == 0
    assert "Question 2 of 5" in shown.out
    assert "Question 3" not in shown.out
    assert shown.out.endswith("Score: 1 of 1 answered, out of 5\n")


def test_ctrl_c_ends_with_the_score(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def isatty(self) -> bool:
            return False

        def readline(self) -> str:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Interrupted())
    shown = cli("lab", "quiz", "--questions", "1")
    assert shown.code == 0
    assert shown.out.endswith("Score: 0 of 0 answered, out of 1\n")


def test_what_is_no_letter_is_asked_again(cli: Cli) -> None:
    first = answers(cli)[0]
    shown = cli("lab", "quiz", "--questions", "1", stdin=f"x\n\nAB\nZ\n{first}\n".encode())
    assert shown.err.count("Type A, B or C") == 4
    assert shown.out.endswith("Score: 1 of 1\n")


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_charts_fit(cli: Cli, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = cli("lab", "quiz", stdin=b"a\n" * 5)
    lines = shown.out.splitlines()
    charts = [line for line in lines if line[9:10] == "|"]
    assert len(charts) == 5 * 3 * 4
    assert max(map(len, charts)) <= min(columns, 80)
    axes = [line for line in lines if line.startswith(" " * 9)]
    assert max(map(len, axes)) <= min(columns, 80)


def test_json_has_the_curves_and_their_answers(cli: Cli) -> None:
    data = json.loads(cli("lab", "quiz", "--questions", "2", "--seed", "4", "--json").out)
    assert data["seed"] == 4
    assert len(data["questions"]) == 2
    for one in data["questions"]:
        assert [curve["letter"] for curve in one["curves"]] == one["choices"]
        right = one["curves"][one["choices"].index(one["answer"])]
        assert right["name"] == one["asked"]
        assert right["values"]


def test_what_it_refuses(cli: Cli) -> None:
    assert "--questions" in cli.fails("lab", "quiz", "--questions", "0")
    assert cli.fails("lab", "quiz", "--questions", "11")
    assert cli.fails("lab", "quiz", "--seed", "-1")
