"""Which curve is which? Questions whose curves are computed anew, in seconds.

Every kind of question has two or three curves of small networks, fresh or trained here, and asks
for one of them. If it came out like another one, nobody could tell: then the question is made again
from another seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..errors import require
from ..network.device import one_thread
from . import lags
from .cell import KEEP, Gates, Hand
from .progress import Progress, split_progress
from .quiz_networks import (
    BEFORE,
    COUNTED,
    after_rhyme,
    best_counter,
    gradient_back,
    read_counting,
    softmax,
    trained_counter,
)
from .quiz_question import Curve, Question

MAX_QUESTIONS = 10
MAX_ATTEMPTS = 5  # to make a question whose answer can be seen

CELL_STEPS = 40
FAR = 30  # steps that a gradient told in words has gone back
GRADIENT_RANGE = (1e-6, 1e3)
RECALLED_LAGS = (1, 2, 4, 8, 30)  # n-gram models of order 3 and 5 see up to 2 and 4
RECALL_STEPS, RECALL_UNITS = 250, 32
TEMPERATURES = {
    0.5: "Dividing the logits by 0.5 doubles their differences, and the best gains",
    1.0: "The logits are taken as they are",
    2.0: "Dividing the logits by 2 halves their differences, and the best loses",
}
LETTERS_SHOWN = 8


def questions(count: int = 5, *, seed: int = 1, progress: Progress | None = None) -> list[Question]:
    """Each kind of question once, in random order; beyond that, each once more, another curve.

    Raises CharlmError unless `count` is from 1 to MAX_QUESTIONS.
    """
    require(
        1 <= count <= MAX_QUESTIONS,
        f"`questions` must be from 1 to {MAX_QUESTIONS}, not {count}",
    )
    rng = np.random.default_rng(seed)
    order = [(kind, turn) for turn in range(2) for kind in rng.permutation(list(KINDS)).tolist()]
    plan = order[:count]
    found = []
    reports = split_progress(progress, [SECONDS[kind] for kind, _ in plan])
    for (kind, turn), report in zip(plan, reports, strict=True):
        found.append(question(kind, turn, seed))
        report(1.0)
    return found


@one_thread()
def question(kind: str, turn: int, seed: int) -> Question:
    """A question of one of KINDS; `turn` is 0 for the first of this kind and 1 for the second."""
    place = list(KINDS).index(kind)
    for attempt in range(MAX_ATTEMPTS):
        made = KINDS[kind](seed + turn + 2 * attempt, turn)
        order = np.random.default_rng((seed, place, 1)).permutation(len(made.curves))
        chosen = replace(made, asked=int(order[turn]))
        if chosen.is_clear():
            break
    return chosen.shuffled(np.random.default_rng((seed, place, 2 + turn)))


# The kinds ------------------------------------------------------------------------------------


def by_hand(seed: int, turn: int) -> Question:
    """A number is written, and noise arrives from then on: a memory cell and two plain RNNs."""
    rng = np.random.default_rng(seed)
    written = round(float(rng.uniform(3, 5) * rng.choice((-1, 1))), 1)
    weights = (0.9, 1.2)
    hand = Hand(seed, weights=weights)
    for gates in [Gates("write", 1, 0, 0, written), *[KEEP] * (CELL_STEPS - 1)]:
        hand.step(gates)
    cell = tuple(step.c for step in hand.steps)
    shrinks, grows = (tuple(step.held[k] for step in hand.steps) for k in range(2))
    curves = (
        Curve(
            "memory cell",
            cell,
            f"Its forget gate is open (f = 1) and its input gate shut (i = 0): {CELL_STEPS} steps "
            f"on it holds {cell[-1]:.2f}, which is what was written.",
        ),
        Curve(
            "RNN with w = 0.9",
            shrinks,
            f"Every step multiplies what it holds by 0.9: of {written:.1f}, "
            f"{written * 0.9 ** (CELL_STEPS - 1):.2f} would be left after {CELL_STEPS} steps. The "
            f"{shrinks[-1]:.2f} that it holds is noise.",
        ),
        Curve(
            "RNN with w = 1.2",
            grows,
            "As w > 1, what it holds grows until tanh stops it: the sign stays, the number does "
            f"not. At the end it holds {grows[-1]:.2f} instead of {written:.1f}.",
        ),
    )
    largest = float(np.ceil(np.abs([cell, shrinks, grows]).max()))
    return Question(
        "cell",
        f"At step 1, {written:.1f} is written. From then on the input is noise between -1 and 1. "
        "What a memory cell and two RNNs of one unit hold:",
        "step",
        {k: str(k + 1) for k in (0, 9, 19, 29, 39)},
        curves,
        "charlm lab cell",
        (-largest, largest),
    )


def gradient(seed: int, turn: int) -> Question:
    """How much of the gradient reaches back, in fresh networks."""
    explodes = gradient_back("rnn", seed, gain=2.0)
    keeps = gradient_back("lstm", seed, forget_bias=2.0)
    curves = [
        Curve(
            "RNN with W of norm 2",
            explodes,
            f"Every step back can multiply the gradient by up to 2: {FAR} steps back it is "
            f"{explodes[FAR]:.0f} times what it was.",
        ),
        Curve(
            "LSTM with forget bias 2",
            keeps,
            f"Its forget gates begin nearly open, at about σ(2) = 0.88, and the gradient goes back "
            f"through the memory: {FAR} steps back {keeps[FAR]:.2f} of it is left.",
        ),
    ]
    if turn == 0:
        vanishes = gradient_back("rnn", seed, gain=0.5)
        name = "RNN with W of norm 0.5"
        why = f"Every step back multiplies the gradient by 0.5 or less: {FAR} steps back"
    else:
        vanishes = gradient_back("lstm", seed, forget_bias=0.0)
        name = "LSTM with forget bias 0"
        why = f"Its forget gates begin half shut, at about σ(0) = 0.5: {FAR} steps back only"
    curves.append(Curve(name, vanishes, f"{why} {_tiny(vanishes[FAR])} of it is left."))
    return Question(
        "gradient",
        "How much of the gradient reaches the state k steps back, in fresh networks (k = 0: 1; "
        "logarithmic):",
        "k, steps back",
        {k: str(k) for k in (0, 10, 20, 30)},
        tuple(curves),
        "charlm lab gradients data/demo.txt",
        GRADIENT_RANGE,
        log_y=True,
    )


def recall(seed: int, turn: int) -> Question:
    """Accuracy against lag: an RNN, a gated network and an n-gram model."""
    gated, order = ("lstm", 3) if turn == 0 else ("gru", 5)
    plain, gates = (
        [
            lags.recall(lags.Job(cell, lag, seed, RECALL_UNITS, RECALL_STEPS))[0]
            for lag in RECALLED_LAGS
        ]
        for cell in ("rnn", gated)
    )
    counts = [lags.recall_of_ngram(order, lag, seed) for lag in RECALLED_LAGS]
    curves = (
        Curve(
            "RNN",
            tuple(plain),
            f"{_percent(plain, 4)} right at lag 4, {_percent(plain, 30)} at lag 30: within "
            f"{RECALL_STEPS} steps of training no gradient found its way back that far.",
        ),
        Curve(
            gated.upper(),
            tuple(gates),
            f"{_percent(gates, 4)} right at lag 4, {_percent(gates, 30)} at lag 30: its gates "
            "begin so that they keep what was read for about as long as the lag.",
        ),
        Curve(
            f"{order}-gram model",
            tuple(counts),
            f"It sees {order - 1} symbols back and no further: {_percent(counts, order - 1)} right "
            f"at lag {order - 1}, {_percent(counts, 8)} at lag 8, where it can only guess.",
        ),
    )
    return Question(
        "recall",
        "How often a model recalls a symbol that came k symbols earlier, after a short training "
        "for each k (guessing: 0.5):",
        "k, the lag",
        {k: str(lag) for k, lag in enumerate(RECALLED_LAGS)},
        curves,
        "charlm lab memory",
        (0.0, 1.0),
    )


def counting(seed: int, turn: int) -> Question:
    """Inside of networks that count a's: a memory cell, a forget gate and a plain state."""
    states, _ = read_counting(trained_counter("rnn", seed))
    memories, forgets = read_counting(trained_counter("lstm", seed))
    state = states[:, best_counter(states)]
    unit = best_counter(memories)
    memory, forget = memories[:, unit], forgets[:, unit]
    curves = (
        Curve(
            "LSTM's memory cell c",
            tuple(memory.tolist()),
            f"It counts the a's up, to {memory.max():.1f}, and the b's down. Only c can do that: "
            "no tanh or σ keeps it between -1 and 1.",
        ),
        Curve(
            "LSTM's forget gate f",
            tuple(forget.tolist()),
            "A gate is a σ, never below 0 or above 1. This one is open, "
            f"{forget.mean():.2f} on average, so that the count is kept.",
        ),
        Curve(
            "RNN's state h",
            tuple(state.tolist()),
            f"A state is a tanh, between -1 and 1; this one goes from {state.min():.2f} to "
            f"{state.max():.2f}, and has no room for a long count.",
        ),
    )
    return Question(
        "counting",
        f"An LSTM and an RNN have learned aⁿbⁿ, and read {COUNTED} a's, then {COUNTED} b's. "
        "A number inside one of them at every step; mind the scales:",
        "symbols read",
        {0: "a", COUNTED: "b"},
        curves,
        "charlm lab memory",
    )


def temperature(seed: int, turn: int) -> Question:
    """The probabilities of the next letter at three temperatures."""
    letters, logits = after_rhyme(seed)
    order = np.argsort(-logits)[:LETTERS_SHOWN]
    first = "_" if letters[order[0]] == " " else letters[order[0]]
    at_one = softmax(logits)[order[0]]
    curves = []
    for tau, does in TEMPERATURES.items():
        shares = softmax(logits / tau)[order]
        why = f"{does}: {first} has a probability of {shares[0]:.2f}"
        compared = "" if tau == 1 else f", at temperature 1 {at_one:.2f}"
        name = f"softmax at temperature {tau:g}"
        curves.append(Curve(name, tuple(shares.tolist()), f"{why}{compared}."))
    return Question(
        "temperature",
        f'What follows "{BEFORE}" to an LSTM that has learned a rhyme: the probabilities of '
        f"{LETTERS_SHOWN} letters:",
        "next letter",
        {k: "_" if letters[one] == " " else letters[one] for k, one in enumerate(order)},
        tuple(curves),
        "charlm sample --temperature 0.5",
        (0.0, 1.0),
    )


KINDS: dict[str, Callable[[int, int], Question]] = {
    "cell": by_hand,
    "gradient": gradient,
    "recall": recall,
    "counting": counting,
    "temperature": temperature,
}
SECONDS = {"cell": 0.1, "gradient": 0.1, "recall": 4.5, "counting": 2.5, "temperature": 0.5}


def _tiny(value: float) -> str:
    return f"{value:.0e}".replace("e-0", "e-")


def _percent(rates: list[float], lag: int) -> str:
    return f"{100 * rates[RECALLED_LAGS.index(lag)]:.0f} %"
