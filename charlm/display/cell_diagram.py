"""The inside of a recurrent cell at one step: its gates, its state and how they are joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .diagram import Diagram

Values = Mapping[str, Sequence[float]]  # units shown, −1 to 1 or 0 to 1, by name as below

W, H = 92.0, 22.0  # of a strip
UP, GATE, DOWN = 50.0, 190.0, 280.0  # heights: the line of the state, the gates, what is read
READ = 42.0  # from s_{t−1} down to x_t


def lstm_cell(values: Values, *, peepholes: bool = False) -> Diagram:
    """Long short-term memory: values of "x", "s before", "c before", "i", "f", "g", "o", "c", "s".

    c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t,   s_t = o_t ⊙ tanh(c_t)
    """
    found = Diagram(760, 340)
    across = {"f": 190.0, "i": 310.0, "g": 430.0, "o": 560.0}
    plus, out = 370.0, 560.0
    found.arrow((20 + W, UP), (across["f"] - 10, UP))
    found.arrow((across["f"] + 10, UP), (plus - 10, UP))
    found.arrow((plus + 10, UP), (650, UP))
    found.arrow((across["f"], GATE), (across["f"], UP + 10))
    found.arrow((across["i"], GATE), (across["i"], 125), (plus - 10, 125))
    found.arrow((across["g"], GATE), (across["g"], 125), (plus + 10, 125))
    found.arrow((plus, 115), (plus, UP + 10))
    found.arrow((out, UP), (out, 80), head=False)
    found.label(out, 89, "tanh")
    found.arrow((out, 98), (out, 115))
    found.arrow((out, GATE), (out, 135))
    found.arrow((out + 10, 125), (650, 125))
    for x, y, sign in ((across["f"], UP, "⊙"), (plus, UP, "+"), (plus, 125, "⊙"), (out, 125, "⊙")):
        found.circle(x, y, sign)
    if peepholes:
        for name in "fi":
            side = across[name] - 30
            found.arrow((130, UP), (130, 160), (side, 160), (side, GATE), dashed=True)
        found.arrow((620, UP), (620, 160), (out + 30, 160), (out + 30, GATE), dashed=True)
        found.label(140, 172, "p", anchor="start")
    _named(found, 20, UP, "c_{t−1}", values["c before"])
    _named(found, 650, UP, "c_t", values["c"])
    _named(found, 650, 125, "s_t", values["s"])
    squash = {"f": "σ", "i": "σ", "g": "tanh", "o": "σ"}
    says = {"f": "forget", "i": "input", "g": "candidate", "o": "output"}
    _gates(found, across, squash, says, values)
    return found


def gru_cell(values: Values) -> Diagram:
    """Gated recurrent unit: values of "x", "s before", "r", "z", "n", "s".

    s_t = (1 − z_t) ⊙ n_t + z_t ⊙ s_{t−1}
    """
    found = Diagram(760, 340)
    across = {"r": 190.0, "z": 340.0, "n": 540.0}
    plus = 540.0
    found.arrow((20 + W, UP), (across["z"] - 10, UP))
    found.arrow((across["z"] + 10, UP), (plus - 10, UP))
    found.arrow((plus + 10, UP), (650, UP))
    found.arrow((across["z"], GATE), (across["z"], UP + 10))
    found.arrow((across["z"], 125), (plus - 10, 125))
    found.label(440, 114, "1 − z")
    found.arrow((plus, GATE), (plus, 135))
    found.arrow((plus, 115), (plus, UP + 10))
    found.arrow((across["r"], GATE), (across["r"], 160), (440, 160), (440, 215), (446, 215))
    found.circle(456, 215, "⊙", 9)
    found.arrow((456, 255), (456, 224))
    found.arrow((465, 215), (480, 215), (480, GATE + H / 2), (plus - W / 2, GATE + H / 2))
    found.label(430, 234, "W_n s")
    for x, y, sign in ((across["z"], UP, "⊙"), (plus, UP, "+"), (plus, 125, "⊙")):
        found.circle(x, y, sign)
    _named(found, 20, UP, "s_{t−1}", values["s before"])
    _named(found, 650, UP, "s_t", values["s"])
    squash = {"r": "σ", "z": "σ", "n": "tanh"}
    says = {"r": "reset", "z": "update", "n": "candidate"}
    _gates(found, across, squash, says, values)
    return found


def rnn_cell(values: Values, *, squash: str = "tanh") -> Diagram:
    """The simple recurrent network: values of "x", "s before" and "s".

    s_t = f(U x_t + W s_{t−1} + b)
    """
    found = Diagram(560, 150)
    found.box(250, 28, 70, 44, squash)
    found.arrow((20 + W, UP), (250, UP))
    found.label(180, UP - 10, "W")
    found.arrow((285, 118), (285, 72))
    found.label(296, 95, "U", anchor="start")
    found.arrow((320, UP), (440, UP))
    _named(found, 20, UP, "s_{t−1}", values["s before"])
    _named(found, 285 - W / 2, 129, "x_t", values["x"])
    _named(found, 440, UP, "s_t", values["s"])
    return found


CELLS: Mapping[str, Callable[[Values], Diagram]] = {
    "rnn": rnn_cell,
    "rnn-relu": lambda values: rnn_cell(values, squash="relu"),
    "lstm": lstm_cell,
    "lstm-peephole": lambda values: lstm_cell(values, peepholes=True),
    "gru": gru_cell,
}


def _gates(
    found: Diagram,
    across: Mapping[str, float],
    squash: Mapping[str, str],
    says: Mapping[str, str],
    values: Values,
) -> None:
    """The gates in a row, and the line that brings them x_t and s_{t−1}."""
    bus = 255.0
    last = max(across.values())
    found.arrow((20 + W, DOWN), (150, DOWN), (150, bus), (last, bus), head=False)
    found.arrow((20 + W, DOWN + READ), (150, DOWN + READ), (150, DOWN), head=False)
    for name, x in across.items():
        found.arrow((x, bus), (x, GATE + H))
        found.strip(x - W / 2, GATE, W, H, values[name])
        found.label(x + 6, GATE - 10, f"{name}ₜ = {squash[name]}(…)", anchor="start")
        found.label(x + 6, GATE + H + 18, says[name], anchor="start", size=11)
    _named(found, 20, DOWN, "s_{t−1}", values["s before"])
    _named(found, 20, DOWN + READ, "x_t", values["x"])


def _named(found: Diagram, x: float, y: float, name: str, values: Sequence[float]) -> None:
    """A strip whose middle is at height y, and its name above it."""
    found.strip(x, y - H / 2, W, H, values)
    found.label(x, y - H / 2 - 8, name.replace("_{t−1}", "ₜ₋₁").replace("_t", "ₜ"), anchor="start")
