"""The shapes of recurrent networks: one or many tokens in, one or many out.

    one to one             ŷ = softmax(V tanh(U x + b) + c)            no state: a word by itself
    many to many, Tx = Ty  ŷ_t = softmax(V s_t + c) for every t        which words are names?
    many to one            ŷ = softmax(V s_T + c)                      praise or blame?
    one to many            x_1 is a label, x_t = ŷ_{t−1} from then on  a review of that kind
    many to many, Tx ≠ Ty  a decoder begins with the encoder's s_Tx    a word, letters turned round

(Karpathy 2015 draws them so; the encoder and decoder are those of Cho et al. and of Sutskever et
al. 2014.) All are GRUs of one layer but the first, which has none. Each is tested on sentences that
it was not trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import require
from .learn import run_parallel
from .progress import Progress
from .shape_tasks import HIDDEN, TESTED, Example, Job, Trial, train_and_test

STEPS = {
    "one to one": 200,
    "many to many, Tx = Ty": 300,
    "many to one": 500,
    "one to many": 2000,
    "many to many, Tx ≠ Ty": 2500,
}
DOES = {
    "one to one": "is a word, alone, part of a name?",
    "many to many, Tx = Ty": "the same, within a sentence",
    "many to one": "praise or blame?",
    "one to many": "from a label to a review",
    "many to many, Tx ≠ Ty": "a word, its letters turned round",
}


@dataclass(frozen=True)
class Shape:
    """One shape, by seed."""

    name: str
    steps: int
    trials: tuple[Trial, ...]

    @property
    def examples(self) -> tuple[Example, ...]:
        """Those of the first seed."""
        return self.trials[0].examples


@dataclass(frozen=True)
class Shapes:
    """The experiment's numbers."""

    seeds: tuple[int, ...]
    shapes: tuple[Shape, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "seeds": self.seeds,
            "hidden": HIDDEN,
            "tests": TESTED,
            "shapes": [
                {
                    "shape": one.name,
                    "task": DOES[one.name],
                    "steps": one.steps,
                    "right": [trial.right for trial in one.trials],
                    "answers_right": [trial.words_right for trial in one.trials],
                    "examples": [
                        {
                            "title": example.title,
                            "read": [column.read for column in example.columns],
                            "answers": [column.answer for column in example.columns],
                        }
                        for example in one.examples
                    ],
                }
                for one in self.shapes
            ],
        }


def experiment(
    *, seed: int = 1, seeds: int = 1, part: float = 1.0, progress: Progress | None = None
) -> Shapes:
    """Train and test all five shapes, for `seeds` seeds from `seed` on.

    part: of the steps, to take. Raises CharlmError unless it is in (0, 1].
    """
    require(0 < part <= 1, "the part of the steps must be above 0, and at most 1")
    all_seeds = tuple(range(seed, seed + seeds))
    taken = {name: max(1, round(part * steps)) for name, steps in STEPS.items()}
    jobs = [Job(name, k, steps) for name, steps in taken.items() for k in all_seeds]
    trials = run_parallel(train_and_test, jobs, [float(one.steps) for one in jobs], progress)
    return Shapes(
        all_seeds,
        tuple(
            Shape(name, steps, tuple(trials[k * seeds : (k + 1) * seeds]))
            for k, (name, steps) in enumerate(taken.items())
        ),
    )
