"""A seeded generator of n-best lists: real sentences misheard, with noisy first-pass scores."""

from __future__ import annotations

import numpy as np

from charlm.config import TokenizerConfig
from charlm.models.kneser_ney import estimate
from charlm.models.ngram import NgramLM
from charlm.tasks.nbest import Hypothesis, Utterance
from charlm.text.tokenizer import Tokenizer, build

SOUNDS_LIKE = {
    "pear": ["pair", "pare"],
    "sea": ["see"],
    "their": ["there"],
    "two": ["to", "too"],
    "night": ["knight"],
    "the": ["a", "thee"],
    "red": ["read"],
    "boat": ["vote", "bolt"],
    "sees": ["seas", "seize"],
}
NOUNS = ["pear", "sea", "boat", "night", "red house", "old man", "apple"]
VERBS = ["sees", "likes", "wants", "has"]


def sentences(count: int, seed: int) -> list[str]:
    """Sentences of a small language, as training text and as truth."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        one, other = rng.choice(NOUNS, 2)
        verb = rng.choice(VERBS)
        made.append(f"the {one} {verb} the {other}" + (" at two" if rng.random() < 0.3 else ""))
    return made


def corrupt(words: list[str], rng: np.random.Generator) -> list[str]:
    """One mishearing: a near-homophone, a word lost, or a word put in."""
    words = list(words)
    k = int(rng.integers(len(words)))
    kind = rng.random()
    if kind < 0.6 and words[k] in SOUNDS_LIKE:
        words[k] = str(rng.choice(SOUNDS_LIKE[words[k]]))
    elif kind < 0.8:
        del words[k]
    else:
        words.insert(k, str(rng.choice(["a", "of", "to"])))
    return words


def nbest(
    truths: list[str], seed: int, size: int = 8, noise: float = 4.0
) -> list[tuple[str, list[tuple[str, float]]]]:
    """(utterance, hypotheses with scores, best first); the truth is among most of them."""
    rng = np.random.default_rng(seed)
    lists = []
    for number, truth in enumerate(truths):
        found: dict[str, float] = {}
        for k in range(size):
            words = truth.split()
            for _ in range(0 if k == 0 and rng.random() < 0.9 else int(rng.integers(1, 4))):
                words = corrupt(words, rng) if words else words
            wrong = len(set(words) ^ set(truth.split()))
            score = -0.5 * wrong + noise * float(rng.standard_normal()) / 2
            found.setdefault(" ".join(words), round(score, 4))
        ordered = sorted(found.items(), key=lambda item: -item[1])
        lists.append((f"utt{number:03d}", ordered))
    return lists


def nbest_task(seed: int = 2, count: int = 60) -> tuple[list[Utterance], dict[str, str]]:
    """N-best lists, and what was said."""
    truths = sentences(count, seed)
    lists = nbest(truths, seed)
    made = [
        Utterance(id, tuple(Hypothesis(text, own) for text, own in found)) for id, found in lists
    ]
    return made, {u.id: truth for u, truth in zip(made, truths, strict=True)}


def trigram() -> tuple[NgramLM, Tokenizer]:
    """A model of the language that the sentences are of."""
    text = "".join(line + "\n" for line in sentences(400, seed=1))
    tokenizer = build(TokenizerConfig(level="word"), [text])
    ids = tokenizer.encode(text)
    return estimate(ids, tokenizer.vocab_size, tokenizer.eos, 3, lines=True), tokenizer
