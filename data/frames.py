"""What makes a sentence of a frame."""

import re
from collections.abc import Mapping
from random import Random

import grammar as g

SLOT = re.compile(r"\{(\w+)\}")


def fill(rng: Random, frame: str, slots: Mapping[str, g.Frames]) -> str:
    """Replace every slot, and the slots inside its filling, by a random choice."""
    while match := SLOT.search(frame):
        choice = rng.choice(slots[match[1]])
        frame = frame[: match.start()] + choice + frame[match.end() :]
    return frame


def repeats(text: str) -> int:
    """How many names and longer words of a text come back in it."""
    words = re.findall(r"[A-Z][a-z]{2,}|[a-z]{4,}", SLOT.sub("", text))
    return len(words) - len(set(words))


def bind(frame: str, words: Mapping[str, str]) -> str:
    """Put the given words into their slots and leave the other slots open."""
    for slot, word in words.items():
        frame = frame.replace(f"{{{slot}}}", word)
    return frame


def sentence(rng: Random, frame: str) -> str:
    """Fill a frame so that no two slots say the same, with one person doing one thing."""
    while True:
        she, her = rng.choice(g.SINGULAR)
        we, my = rng.choice(g.ANYBODY)
        begun = bind(frame, {"she": she, "her": her, "we": we, "my": my})
        text = fill(rng, begun, g.SLOTS)
        if repeats(text) <= repeats(begun):
            return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def capital(text: str) -> str:
    return text[0].upper() + text[1:]


def finish(rng: Random, text: str, stop: float = 0.95, upper: float = 0.65) -> str:
    """End the sentence with a full stop (mostly) and begin it with a capital letter (often)."""
    if text[-1] not in '.?!"' and rng.random() < stop:
        text += "."
    return capital(text) if rng.random() < upper else text


def invent_name(rng: Random) -> str:
    """A name built of syllables; there are so many that hardly one comes three times."""
    return "".join(map(rng.choice, (g.NAME_STARTS, g.NAME_MIDDLES, g.NAME_ENDS)))
