"""The little texts of `shapes`: sentences with names, reviews, words to be turned round."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


Names = tuple[tuple[str, ...], tuple[str, ...]]  # first and last

KNOWN: Names = (
    _words("Anna Tom Clara Ben Lena Max Nora Paul Rosa Hugo May June Ivy Leo"),
    _words("Miller Baker Stone Wood Brown King Fisher Young Hill Lane"),
)
ASKED: Names = (  # never seen, but for May and June, which are also months
    _words("Harry Hermione Ron Luna Neville Percy May June"),
    _words("Potter Granger Weasley Lovegood"),
)
PLACES = _words("London Paris Rome Cairo Lima Oslo")
MONTHS = _words("May June March April August")
ROLES = _words("queen farmer teacher sailor doctor king baker")
VERBS = _words("invented found painted wrote bought built sold")
THINGS = _words("song clock boat lamp poem game machine door spell")
ADJECTIVES = _words("new old small strange clever")
NAMED = "Harry Potter and Hermione Granger invented a new spell"  # Ng's course notes

GOOD = _words("good great lovely funny moving clever")
BAD = _words("bad dull slow boring silly awful")
SUBJECTS = ("the film", "the story", "the music", "this movie", "the ending", "the acting")
REVIEWED = "there is nothing to like in this movie"  # Ng's, a review of one star
LETTERS = "abcdefgh"

Tagged = tuple[list[str], list[int]]  # words, and for each whether it belongs to a person's name


def tagged(rng: Random, names: Names = KNOWN) -> Tagged:
    """A sentence with the names of people, and of months and places, which are not to be marked."""
    person, other = _person(rng, names), _person(rng, names)
    role, verb, month = rng.choice(ROLES), rng.choice(VERBS), rng.choice(MONTHS)
    thing = f"a {rng.choice(ADJECTIVES)} {rng.choice(THINGS)}"
    frames = (
        f"{person} and {other} {verb} {thing}",
        f"{person} {verb} {thing} in {month}",
        f"in {month} {person} {verb} {thing}",
        f"the {role} met {person} in {rng.choice(PLACES)}",
        f"the {role} and {person} {verb} {thing}",
        f"the {role} {verb} {thing} for {person} in {month}",
        f"in {rng.choice(PLACES)} the {role} {verb} {thing}",
        f"{person} met the {role} and {other} in {month}",
    )
    words, marks = [], []
    for word in rng.choice(frames).split():
        words.append(word.removesuffix("*"))
        marks.append(int(word.endswith("*")))
    return words, marks


def _person(rng: Random, names: Names) -> str:
    """A name, every word of it marked with a star."""
    first, last = map(rng.choice, names)
    return f"{first}* {last}*" if rng.random() < 0.5 else f"{first}*"


Review = tuple[list[str], int]  # words, and whether it praises


def review(rng: Random) -> Review:
    """Praise or blame, in which *not*, *nothing* and *but* turn the words round."""
    praises = rng.randrange(2)
    words = rng.choice(CLAUSES[praises])
    if rng.random() < 0.4:  # what comes after "but" decides
        words = f"{rng.choice(CLAUSES[1 - praises])} , but {words}"
    return words.split(), praises


def verdict(words: Sequence[str]) -> int | None:
    """Whether a review praises; None for what is none."""
    parts = " ".join(words).split(" , but ")
    found = [next((k for k in (0, 1) if part in CLAUSES[k]), None) for part in parts]
    if len(found) > 2 or None in found or (len(found) == 2 and found[0] == found[1]):
        return None
    return found[-1]


def _clauses(straight: Sequence[str], turned: Sequence[str], verbs: Sequence[str]) -> list[str]:
    enjoy, dislike, like, hate = verbs
    return [
        clause
        for subject in SUBJECTS
        for clause in (
            *(f"{subject} was {word}" for word in straight),
            *(f"{subject} was {no} {word}" for no in ("not", "never") for word in turned),
            *(f"there is nothing {word} in {subject}" for word in turned),
            f"there is a lot to {like} in {subject}",
            f"there is nothing to {hate} in {subject}",
            f"you will {enjoy} {subject}",
            f"you will not {dislike} {subject}",
        )
    ]


CLAUSES = (
    _clauses(BAD, GOOD, ("dislike", "enjoy", "hate", "like")),
    _clauses(GOOD, BAD, ("enjoy", "dislike", "like", "hate")),
)


def word(rng: Random, longest: int) -> str:
    """Random letters, three to `longest` of them."""
    return "".join(rng.choices(LETTERS, k=rng.randint(3, longest)))


def vocabulary(texts: Sequence[Sequence[str]]) -> dict[str, int]:
    """Words to numbers from 2 on; 0 is padding, 1 whatever else there is."""
    found = dict.fromkeys(word for words in texts for word in words)
    return {word: k for k, word in enumerate(found, start=2)}
