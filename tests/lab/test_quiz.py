"""Questions on curves: they are what they are called, and the letter is the right one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from charlm.errors import CharlmError
from charlm.lab import cell, lags, quiz, quiz_networks
from charlm.lab.quiz_question import Curve, Question

pytestmark = [pytest.mark.train, pytest.mark.usefixtures("one_thread")]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly any training."""
    monkeypatch.setattr(quiz, "RECALL_STEPS", 2)
    monkeypatch.setattr(quiz, "MAX_ATTEMPTS", 1)
    monkeypatch.setattr(quiz_networks, "COUNTER_STEPS", 2)
    monkeypatch.setattr(quiz_networks, "RHYME_STEPS", 2)


def curves_of(question: Question) -> dict[str, Curve]:
    return {curve.name: curve for curve in question.curves}


def toy(*curves: tuple[float, ...], asked: int = 0) -> Question:
    named = tuple(Curve(f"number {k}", values, "") for k, values in enumerate(curves))
    return Question("toy", "", "", {}, named, "", (0.0, 1.0), asked=asked)


@pytest.mark.usefixtures("short")
def test_every_kind_comes_once_and_then_once_more() -> None:
    done: list[float] = []
    found = quiz.questions(10, progress=done.append)
    kinds = [one.kind for one in found]
    assert sorted(kinds[:5]) == sorted(kinds[5:]) == sorted(quiz.KINDS)
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1.0)
    for one in found:
        assert 2 <= len(one.curves) <= 4
        assert len({curve.name for curve in one.curves}) == len(one.curves)
        assert len({len(curve.values) for curve in one.curves}) == 1
        assert max(one.ticks) < len(one.curves[0].values)
        assert one.curves[one.letters.index(one.answer)].name == one.as_dict()["asked"]
        assert one.right.why.endswith(".")


def test_the_same_seed_makes_the_same_question() -> None:
    first, same, other = (quiz.question("gradient", 0, seed) for seed in (1, 1, 2))
    assert first == same
    assert first.right.values != other.right.values


def test_letters_and_curves_asked_for_vary() -> None:
    made = [[quiz.question("cell", turn, seed) for turn in (0, 1)] for seed in range(1, 20)]
    firsts = [first for first, _ in made]
    assert {one.answer for one in firsts} == set("ABC")
    assert len({one.right.name for one in firsts}) == 3
    assert all(first.right.name != second.right.name for first, second in made)


def test_shuffling_keeps_the_right_curve() -> None:
    question = toy((0.1,), (0.5,), (0.9,), asked=2)
    orders = set()
    for seed in range(30):
        shuffled = question.shuffled(np.random.default_rng(seed))
        assert shuffled.right == question.right
        assert shuffled.curves["ABC".index(shuffled.answer)].values == (0.9,)
        orders.add(shuffled.curves)
    assert len(orders) == 6


def test_a_question_that_nobody_could_answer_is_made_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert toy((0.1, 0.5), (0.1, 0.9), (0.8, 0.5)).is_clear()
    assert not toy((0.1, 0.5), (0.12, 0.53), (0.8, 0.5)).is_clear()
    seeds: list[int] = []

    def made(seed: int, turn: int) -> Question:
        seeds.append(seed)
        return toy((0.1,), (0.1,), (0.1,)) if seed < 5 else toy((0.1,), (0.5,), (0.9,))

    monkeypatch.setitem(quiz.KINDS, "cell", made)
    assert quiz.question("cell", 0, 1).is_clear()
    assert seeds == [1, 3, 5]


def test_heights_are_parts_of_the_range() -> None:
    flat = toy((0.25, 2.0, -1.0), (0.0, 0.0, 0.0))
    assert flat.heights(flat.curves[0]) == [0.25, 1.0, 0.0]
    logs = Question("", "", "", {}, (Curve("", (1e-9, 1e-2, 1, 10), ""),), "", (1e-2, 1e2), True)
    assert logs.heights(logs.curves[0]) == pytest.approx([0, 0, 0.5, 0.75])
    own = Question("", "", "", {}, (Curve("", (0.5,), ""), Curve("", (-4.2, 2.5), "")), "")
    assert [own.range_of(curve) for curve in own.curves] == [(-1, 1), (-5, 5)]
    assert own.heights(own.curves[1]) == pytest.approx([-0.84, 0.5])


def test_the_memory_cell_keeps_what_rnns_lose() -> None:
    for seed in range(1, 9):
        curves = curves_of(quiz.by_hand(seed, 0))
        kept = curves["memory cell"].values
        written = kept[0]
        assert len(set(kept)) == 1
        assert abs(curves["RNN with w = 0.9"].values[-1]) < abs(written)
        grown = curves["RNN with w = 1.2"].values
        assert all(math.copysign(1, one) == math.copysign(1, written) for one in grown)
        assert abs(grown[-1] - written) > 0.5
        h = math.tanh(cell.INPUT_WEIGHT * written) / cell.INPUT_WEIGHT
        assert curves["RNN with w = 0.9"].values[0] == pytest.approx(h)
        assert f"{written:.2f}" in curves["memory cell"].why


def test_gradients_go_where_their_networks_send_them() -> None:
    first, second = (curves_of(quiz.gradient(1, turn)) for turn in (0, 1))
    for curve in [*first.values(), *second.values()]:
        assert curve.values[0] == 1
    bounded = first["RNN with W of norm 0.5"].values
    assert all(value <= 0.5**k * 1.001 for k, value in enumerate(bounded))
    exploding = first["RNN with W of norm 2"].values
    assert 10 < exploding[quiz.FAR] <= 2**quiz.FAR
    assert f"{exploding[quiz.FAR]:.0f} times" in first["RNN with W of norm 2"].why
    kept = second["LSTM with forget bias 2"].values[quiz.FAR]
    assert kept > 0.1 > 1000 * second["LSTM with forget bias 0"].values[quiz.FAR]


def test_recall_is_that_of_the_model_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[lags.Job] = []

    def recall(job: lags.Job) -> tuple[float, int]:
        asked.append(job)
        return {"rnn": 0.5, "lstm": 0.9, "gru": 0.8}[job.cell], job.max_steps

    monkeypatch.setattr(lags, "recall", recall)
    first, second = (curves_of(quiz.recall(1, turn)) for turn in (0, 1))
    assert set(first["RNN"].values) == {0.5}
    assert set(first["LSTM"].values) == {0.9}
    assert set(second["GRU"].values) == {0.8}
    assert "90 % at lag 30" in first["LSTM"].why
    assert {job.lag for job in asked} == set(quiz.RECALLED_LAGS)
    for name, curves, sees in (("3-gram model", first, 2), ("5-gram model", second, 4)):
        for lag, rate in zip(quiz.RECALLED_LAGS, curves[name].values, strict=True):
            assert (rate > 0.95) if lag <= sees else (0.4 < rate < 0.6)


def test_inside_of_the_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiz_networks, "COUNTER_STEPS", 150)
    curves = curves_of(quiz.counting(1, 0))
    memory = curves["LSTM's memory cell c"].values
    assert len(memory) == 2 * quiz_networks.COUNTED
    assert max(map(abs, memory)) > 1
    assert all(0 <= one <= 1 for one in curves["LSTM's forget gate f"].values)
    assert all(-1 <= one <= 1 for one in curves["RNN's state h"].values)
    assert f"to {max(memory):.1f}" in curves["LSTM's memory cell c"].why


def test_what_is_read_off_an_lstm_obeys_its_equation() -> None:
    """Between two steps, c changes by less than what the gates allow: |c_t − f c_{t−1}| ≤ 1."""
    memories, forgets = quiz_networks.read_counting(quiz_networks.trained_counter("lstm", 3))
    assert memories.shape == forgets.shape
    assert np.abs(memories[1:] - forgets[1:] * memories[:-1]).max() <= 1


def test_temperatures_sharpen_and_flatten() -> None:
    found = quiz.temperature(1, 0)
    low, one, high = (
        curves_of(found)[f"softmax at temperature {tau:g}"].values for tau in (0.5, 1, 2)
    )
    assert low[0] > one[0] > high[0]
    assert sum(one) <= 1.0001
    ratios = [np.array(values) / values[0] for values in (low, one, high)]
    np.testing.assert_allclose(ratios[0], ratios[1] ** 2, rtol=1e-6)
    np.testing.assert_allclose(ratios[1], ratios[2] ** 2, rtol=1e-6)
    assert one == tuple(sorted(one, reverse=True))
    assert quiz_networks.RHYME.startswith(quiz_networks.BEFORE)


def test_what_cannot_be_asked() -> None:
    for count in (0, 11):
        with pytest.raises(CharlmError, match="from 1 to 10"):
            quiz.questions(count)
