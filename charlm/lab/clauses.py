"""Sentences with a long clause between subject and verb, drawn from a small grammar.

    The cat, which already ate fish near the old boats, was full.

Nearly all words are also in data/demo.txt, so that models of that text can be tested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import Any, TypeAlias

Noun: TypeAlias = tuple[str, str]  # singular, plural
Known: TypeAlias = Callable[[str], bool]  # whether a model knows all words of a text

MAX_CLAUSE = 20  # words of a clause
MIN_CLAUSE_WITH_NOUN = 3  # words of a clause with a noun, such as: saw the cats
VERBS = ("was", "were")
MAX_TRIES = 60  # attempts per sentence requested


def _nouns(text: str) -> tuple[Noun, ...]:
    """`cat box/boxes` as pairs; a word alone takes an s."""
    pairs = (word.partition("/") for word in text.split())
    return tuple((one, many or one + "s") for one, _, many in pairs)


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|"))


@dataclass(frozen=True)
class Lexicon:
    """The words that sentences are made of; in a phrase, N stands for a noun, A an adjective."""

    animals: tuple[Noun, ...] = _nouns(
        "cat dog bird bear fox/foxes gull otter seal goose/geese mouse/mice hare horse cow"
    )
    people: tuple[Noun, ...] = _nouns(
        "child/children man/men woman/women boy girl baker farmer sailor teacher guest"
    )
    things: tuple[Noun, ...] = _nouns(
        "boat box/boxes basket chair table house barn bell bridge door lamp cup"
    )
    adjectives: tuple[str, ...] = _phrases("old | little | red | small | blue")
    states: tuple[str, ...] = _phrases(
        "full | hungry | sleepy | happy | wet | calm | quiet | tired | cold"
    )
    adverbs: tuple[str, ...] = _phrases("already | finally | quickly")
    deeds: tuple[str, ...] = _phrases(
        "slept | waited | sang | ran | ate fish | ate corn | ate bread | ate rice | drank water"
    )
    deeds_to: tuple[str, ...] = _phrases("saw the N | fed the N | chased the N | met the N")
    when: tuple[str, ...] = _phrases(
        "again | yesterday | before noon | after lunch | before dinner | after breakfast"
        " | in the rain | in the snow | in the wind | all day"
    )
    where: tuple[str, ...] = _phrases("near the N | behind the N | beside the N | near the A N")

    def known(self, known: Known) -> tuple[Lexicon, tuple[str, ...]]:
        """The part of the lexicon that a model knows, and what was left out."""
        left_out: list[str] = []

        def kept(items: Sequence[Any]) -> tuple[Any, ...]:
            good: list[Any] = []
            for item in items:
                words = item.split() if isinstance(item, str) else item
                text = " ".join(word for word in words if word not in ("A", "N"))
                (good if known(text) else left_out).append(item if known(text) else text)
            return tuple(good)

        parts: dict[str, Any] = {
            field.name: kept(getattr(self, field.name)) for field in fields(self)
        }
        return Lexicon(**parts), tuple(left_out)

    @property
    def sufficient(self) -> bool:
        """Whether it has enough words to make sentences."""
        subjects = self.animals + self.people
        return len(subjects) > 1 and all(getattr(self, f.name) for f in fields(self)[2:])


@dataclass(frozen=True)
class Frame:
    """A sentence with the numbers of its nouns left open."""

    subject: Noun
    who: str  # which | who
    clause: tuple[str | Noun, ...]
    state: str

    def beginning(self, number: int, rng: Random | None = None) -> str:
        """Everything before the verb: the subject in `number`, other nouns in the opposite one.

        With `rng` the other nouns are of either number.
        """
        if not self.clause:
            return f"The {self.subject[number]}"
        words = [
            word if isinstance(word, str) else word[rng.randint(0, 1) if rng else 1 - number]
            for word in self.clause
        ]
        return f"The {self.subject[number]}, {self.who} {' '.join(words)},"


@dataclass(frozen=True)
class Item:
    """A sentence with both verbs."""

    beginning: str  # everything before the verb
    state: str
    number: int  # of the subject: 0 singular, 1 plural

    def text(self, right: bool = True) -> str:
        """The sentence, with the right verb or the wrong one."""
        verb = VERBS[self.number if right else 1 - self.number]
        return f"{self.beginning} {verb} {self.state}."


def draw_frame(rng: Random, words: Lexicon, length: int, nouns: bool) -> Frame | None:
    """A sentence whose clause has `length` words (0: there is none), with nouns in it or none.

    None if no clause of that length is found. A clause with nouns has at least
    MIN_CLAUSE_WITH_NOUN words.
    """
    subject = rng.choice(words.animals + words.people)
    clause = _draw_clause(rng, words, subject, length, nouns)
    if clause is None:
        return None
    return Frame(
        subject, "which" if subject in words.animals else "who", clause, rng.choice(words.states)
    )


def _draw_clause(
    rng: Random, words: Lexicon, subject: Noun, length: int, nouns: bool
) -> tuple[str | Noun, ...] | None:
    deeds = words.deeds + words.deeds_to * nouns
    more = words.when + words.where * 2 * nouns
    others = [noun for noun in words.animals + words.people + words.things if noun != subject]
    for _ in range(1000):
        clause: list[str] = []
        used: set[str] = set()
        while len(clause) < length:
            if clause and rng.random() < 0.65:
                core, link = rng.choice(more), ""
            else:
                core, link = rng.choice(deeds), "and " * bool(clause)
                if rng.random() < 0.3:
                    link += f"{rng.choice(words.adverbs)} "
            if core in used and "N" not in core and rng.random() < 0.9:
                continue  # rarely repeat a phrase
            used.add(core)
            clause += f"{link}{core}".split()
        if len(clause) == length and nouns == ("N" in clause):
            return tuple(
                rng.choice(others) if w == "N" else rng.choice(words.adjectives) if w == "A" else w
                for w in clause
            )
    return None


def draw_items(
    rng: Random, words: Lexicon, length: int, attractors: bool, count: int, known: Known
) -> list[Item]:
    """Up to `count` sentences, half with a singular and half with a plural subject.

    Clauses of `length` words; with attractors, all nouns in them have the opposite number to
    the subject; without, they contain no such nouns.
    """
    if attractors and length < MIN_CLAUSE_WITH_NOUN:
        return []
    found: dict[Frame, list[Item]] = {}
    for _ in range(MAX_TRIES * count):
        if 2 * len(found) >= count:
            break
        frame = draw_frame(rng, words, length, attractors)
        if frame is None:
            break
        both = [Item(frame.beginning(n), frame.state, n) for n in (0, 1)]
        if all(known(item.text(right)) for item in both for right in (True, False)):
            found[frame] = both
    return [item for both in found.values() for item in both]


def draw_text(rng: Random, words: Lexicon, count: int, avoid: set[str]) -> Iterator[str]:
    """Training lines that are not in `avoid`, and whose beginnings are not either.

    Clauses have 0 … MAX_CLAUSE words; half of those long enough have nouns, of any number.
    """
    while count:
        length, number = rng.randint(0, MAX_CLAUSE), rng.randint(0, 1)
        nouns = length >= MIN_CLAUSE_WITH_NOUN and rng.random() < 0.5
        frame = draw_frame(rng, words, length, nouns)
        assert frame is not None, "all words together make a clause of any length"
        item = Item(frame.beginning(number, rng), frame.state, number)
        if avoid.isdisjoint((item.text(), item.beginning)):
            count -= 1
            yield item.text()
