"""How good a training run's result is, in plain words, and what would help most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..measures import bits
from .show import number

if TYPE_CHECKING:
    from ..runs.events import Outcome, Plan

OVERFITS = 1.15  # validation loss over training loss, from which more text is wanted
EARLY = 0.75  # of the steps: a best step before that means that the rest was overfitting
MIN_STEPS = 20  # for that to mean anything
LITTLE_TEXT = 5000  # characters, about two pages
MANY_UNKNOWN = 0.05  # of the validation tokens
WORSE = 0.02  # more bits than guessing, relatively: a very short run takes about as many
SAME = 0.005  # relative difference of bits that is none


def verdict(outcome: Outcome, plan: Plan) -> list[str]:
    """Sentences for the summary: the result beside the baselines, and what would help most."""
    if plan.network.bidirectional:  # pseudo-bits cannot be compared
        return [_what_would_help(outcome, plan)]
    return [*_beside_baselines(outcome), _what_would_help(outcome, plan)]


def _beside_baselines(outcome: Outcome) -> list[str]:
    ours, base = float(outcome.best["bits_per_char"]), outcome.baseline
    guessing = f"Guessing takes {number(outcome.guessing_bits_per_char, 2)} bits/char"
    if base is None and outcome.interrupted:
        later = "the n-gram model is counted when the run is finished (--resume)"
        return [f"{guessing}, this network {number(ours, 3)}; {later}."]
    if base is None:
        return [f"{guessing}, this network {number(ours, 3)}."]
    theirs = base.measures.bits_per_char
    part = "" if base.tokens == base.of else f"'s first {base.tokens:,} tokens"
    ngrams = f"{guessing}, the {base.order}-gram model of the same text{part} {number(theirs, 3)}"
    if outcome.network is not None:
        network = number(outcome.network["bits_per_char"], 3)
        if ours > (1 - SAME) * theirs:
            few = "no" if number(ours, 3) == number(theirs, 3) else "hardly"
            both = f"and both mixed {few} fewer than the n-grams alone, {number(ours, 3)}."
            return [f"{ngrams}, the network {network}, {both}"]
        both = f"and both mixed, which is the model, {number(ours, 3)}."
        return [f"{ngrams}, the network {network}, {both}"]
    if abs(ours / theirs - 1) < SAME:
        return [f"{ngrams}: as many as this network."]
    if ours < theirs:
        return [f"{ngrams}: this network takes {1 - ours / theirs:.0%} fewer."]
    return [
        f"{ngrams}: fewer than this network.",
        "So use the n-gram model (charlm ngram), or both together (without --plain).",
    ]


def _worse_than_guessing(outcome: Outcome) -> bool:
    network = outcome.network or outcome.best
    return float(network["bits_per_char"]) > (1 + WORSE) * outcome.guessing_bits_per_char


def _what_would_help(outcome: Outcome, plan: Plan) -> str:
    best, level = outcome.best, plan.corpus.tokenizer.level
    if not plan.network.bidirectional and _worse_than_guessing(outcome):
        return (
            "The network is worse than guessing: training went wrong, and more time or text would "
            "not help. What would help most: a lower --lr"
            + (", or a larger --softmax-sample." if plan.config.softmax_sample else ".")
        )
    unknown = best["oov"] / max(1, best["tokens"])
    if unknown > MANY_UNKNOWN and level == "char":
        return (
            "What would help most: more text, or its lines in random order, since "
            f"{unknown:.0%} of the characters of the validation text are not in the rest."
        )
    if unknown > MANY_UNKNOWN:
        return (
            f"What would help most: another level (--level char or subword), since {unknown:.0%} "
            f"of the {level}s are unknown to this one."
        )
    if outcome.ended_early:
        return (
            "What would help most: more text. More passes over this one would only overfit, so "
            "training ended early."
        )
    if plan.corpus.train_text.chars < LITTLE_TEXT:
        return "What would help most: more text. This is little to learn a language from."
    alone = outcome.network or best
    valid_nats, train_nats = -alone["logprob"] / max(1, alone["tokens"]), outcome.train_nats
    if train_nats is not None and valid_nats > OVERFITS * train_nats:
        seen, unseen = (number(bits(nats), 2) for nats in (train_nats, valid_nats))
        return (
            "What would help most: more text. On the text it has seen it is much better "
            f"({seen} bits a token, {unseen} on the rest): it overfits."
        )
    if outcome.best_step < EARLY * outcome.steps and outcome.steps >= MIN_STEPS:
        return (
            f"What would help most: more text. After step {outcome.best_step:,} "
            "it overfits; what it learned since is not kept."
        )
    return "What would help most: to train longer (--minutes)."
