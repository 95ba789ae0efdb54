"""data/demo.txt is what its generator writes and holds what the README beside it promises."""

import importlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

DATA = Path(__file__).resolve().parents[2] / "data"
DEMO = (DATA / "demo.txt").read_text(encoding="utf-8")
ZH = (DATA / "zh.txt").read_text(encoding="utf-8")
LINES = DEMO.splitlines()
ZH_LINES = ZH.splitlines()


def generate(out: Path, *options: str) -> None:
    script = str(DATA / "generate.py")
    subprocess.run([sys.executable, script, "--out", str(out), *options], check=True)


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DATA))
    return importlib.import_module("generate")


def matches(pattern: str, lines: Iterable[str] = LINES) -> list[str]:
    return [line for line in lines if re.search(pattern, line)]


# ------------------------------------------------------------------------------ the generator


def test_same_seed_gives_the_committed_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "new")
    names = ["demo-pairs.tsv", "demo.txt", "zh-pairs.tsv", "zh.txt"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == names
    for name in names:
        assert (tmp_path / "new" / name).read_bytes() == (DATA / name).read_bytes()


def test_another_seed_gives_other_sentences(tmp_path: Path) -> None:
    generate(tmp_path, "--seed", "2")
    other = (tmp_path / "demo.txt").read_text(encoding="utf-8").splitlines()
    assert len(other) == len(LINES)
    assert len(set(other) - set(LINES)) > 1000


def test_line_counts_are_the_plans_and_the_readmes(generator: ModuleType) -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    promised = {name: int(count) for name, count in re.findall(r"\| `(\w+)` \| (\d+) \|", readme)}
    planned = {make.__name__: count for make, count in generator.ENGLISH + generator.CHINESE}
    assert promised == planned
    assert len(LINES) == sum(count for _, count in generator.ENGLISH)
    assert len(ZH_LINES) == sum(count for _, count in generator.CHINESE)


def test_sizes() -> None:
    assert 250_000 <= len(DEMO.encode()) <= 500_000
    assert 150_000 <= len(ZH.encode()) <= 250_000


def test_held_out_sentences_are_not_written(generator: ModuleType) -> None:
    held_out = generator.g.HELD_OUT
    assert len(held_out) >= 10
    for text in held_out:
        assert text not in DEMO.lower()
        assert text not in ZH
        assert generator.is_held_out(text.capitalize() + ".")


def test_every_tenth_has_every_phenomenon() -> None:
    """The trainer holds out the last tenth of the lines, which must be like the rest."""
    tenth = len(LINES) // 10
    for start in range(0, 10 * tenth, tenth):
        part = LINES[start : start + tenth]
        for pattern in ("already ate fish,", "pear", "pair", "^Cats average 15 ", '"', "because"):
            assert matches(pattern, part)


# ---------------------------------------------------------------------------------- the lines


@pytest.mark.parametrize("lines", [LINES, ZH_LINES])
def test_lines_are_clean(lines: list[str]) -> None:
    for line in lines:
        assert line
        assert line == " ".join(line.split())
        assert "{" not in line
        assert "}" not in line


def test_english_spelling_of_articles_quotes_and_ends() -> None:
    assert DEMO.isascii()
    assert not matches(r"(?i)\ba [aeiou]|\ban [^aeioh]|\b(\w+) \1\b")
    for line in LINES:
        assert line.count('"') % 2 == 0
        assert line[0] in '"' or line[0].isalpha()
        assert line[-1] in '.?!"' or line[-1].isalnum()
    bare = matches(r"\w$")
    assert 0.01 < len(bare) / len(LINES) < 0.1


def test_most_lines_begin_with_a_capital_and_some_do_not() -> None:
    share = len(matches(r"^\"?[A-Z]")) / len(LINES)
    assert 0.6 < share < 0.85


def test_speech_is_in_straight_quotes() -> None:
    spoken = matches('"')
    assert len(spoken) >= 600
    for line in spoken:
        assert re.search(r'[.,?!]"', line)
        assert re.search(r"\b(asked|said|cried)\b", line)


# --------------------------------------------------------------------------------- agreement

PLURALS = {"children", "men", "women", "geese", "mice"}
PREPOSITION = r" (of|near|behind|beside|in|with|from|by|on) .*"
MODIFIERS = {"other", "little", "red", "blue", "black", "white", "brown", "grey", "apple"}
MODIFIERS |= {"two", "three", "four", "five", "six", "seven", "many", "some", "any", "no"}
MODIFIERS |= {"the", "a", "an", "my", "our", "your"}


def is_plural(noun: str) -> bool:
    return noun in PLURALS or (noun.endswith("s") and noun.lower() != "this")


def subject_before(text: str) -> str:
    """The head of the noun phrase that `text` ends with, or '' if there is none."""
    text = re.sub(r", (which|who) [^,]*,", "", text)
    text = re.sub(r'.*([,.?!"]|\b(so|because)\b|\bthat (?=[a-z]+s\b))', "", text).strip()
    text = re.sub(r"^(in|at) [a-z]+ ", "", text, flags=re.IGNORECASE)
    return re.sub(PREPOSITION, "", text).rpartition(" ")[2]


def subject_after(text: str) -> str:
    """The noun that follows a verb at the head of a question or after `there`."""
    words: list[str] = re.findall(r"[A-Za-z]+|\d+", text)
    return next(word for word in words if word not in MODIFIERS and not word.isdigit())


def wrong_verbs(line: str) -> list[str]:
    """The forms of `be` in a line that do not agree with their subject."""
    wrong = []
    for found in re.finditer(r"\b(am|is|are|was|were)\b", line, re.IGNORECASE):
        subject = subject_before(line[: found.start()])
        if subject.lower() in {"", "there", "where", "why", "what", "far", "much", "here", "time"}:
            subject = subject_after(line[found.end() :].removeprefix(" there"))
        allowed = {"is", "was"}
        if subject == "I":
            allowed = {"am", "was"}
        elif subject.lower() in {"we", "you", "they"} or is_plural(subject):
            allowed = {"are", "were"}
        if found[0].lower() not in allowed:
            wrong.append(f"{subject} {found[0]}")
    return wrong


def test_agreement_is_never_wrong() -> None:
    assert {line: wrong_verbs(line) for line in LINES if wrong_verbs(line)} == {}


def test_the_checker_sees_every_wrong_verb() -> None:
    swap = {"was": "were", "were": "was", "Was": "Were", "Were": "Was"}
    lines = matches(r"(?i)\b(was|were)\b")
    assert len(lines) > 3000
    for line in lines:
        assert wrong_verbs(re.sub(r"\b(was|were|Was|Were)\b", lambda word: swap[word[0]], line))


def test_which_already_ate_fish_has_many_subjects_of_both_numbers() -> None:
    pattern = r"(?i)^(?:the|my|our|this|that|these|both) (?:other |little )?(\w+), wh(?:ich|o) "
    subjects = Counter(
        found[1]
        for line in LINES
        if (found := re.match(pattern + r"already ate fish, (?:was|were|is|are) \w+", line))
    )
    assert sum(subjects.values()) >= 750
    for one, many in (("cat", "cats"), ("dog", "dogs"), ("fox", "foxes"), ("seal", "seals")):
        assert subjects[one] >= 15
        assert subjects[many] >= 15
    assert subjects["cat"] >= 80
    assert subjects["cats"] >= 80
    assert subjects["child"]
    assert subjects["children"]


def test_clauses_grow_to_a_dozen_words() -> None:
    lengths: Counter[int] = Counter()
    for line in LINES:
        for clause in re.findall(r", ((?:which|who) [^,]*), (?:was|were|is|are)\b", line):
            lengths[len(clause.split())] += 1
    assert all(lengths[words] >= 40 for words in (2, 4, 5, 6, 7, 8, 9, 10, 11, 12))
    assert max(lengths) <= 14
    assert len(matches(r"(?i)^(the|my|our) \w+ (was|were) \w+")) >= 200


def test_attractors_of_the_other_number_stand_before_the_verb() -> None:
    pattern = r"(?i)^the \w+, wh(?:ich|o) [^,]*(?:near|behind|beside) the (?:\w+ )?(\w+), (\w+)"
    against = sum(
        is_plural(found[1]) != (found[2] in ("were", "are"))
        for line in LINES
        if (found := re.match(pattern, line))
    )
    assert against >= 300


# -------------------------------------------------------------------------------- homophones

# Every place where a word may stand; anywhere else it would be misspelt for its rival.
CONTEXTS = {
    "pair": r"(a|the|new|\w+) pair of \w+s\b",
    "pairs": r"two pairs of \w+s\b",
    "their": r"\btheir (?!is|are|was|were|any|by|in)\w+",
    "there": r"\bthere (is|are|was|were|any|by|in)\b",
    "sea": r"\b(the|calm|cold|dark|wide|grey) sea\b",
    "see": r"\b(I|you|we|to|can|and) see (the|my|a|an)\b",
    "flour": r"\b(of|the|put|more|bought|made) flour\b",
    "flower": r"\b(every|the|red|blue|white|yellow) flower\b",
    "meat": r"\b(the|fresh|cold) meat\b|^meat and bread",
    "meet": r"\b(us|will|we|to) meet\b",
    "write": r"\b(please|to|and|will|I|you) write\b|^write your name",
    "right": r"\b(turn|was|were|his|her|the) right\b",
    "son": r"\b(a|the|her|his|their|our) son (and|of|goes|to|is)\b",
    "sun": r"\bthe sun\b",
    "hair": r"\b(long|short black|her|his|with red) hair\b",
    "hare": r"\b(the|a|an|brown|this|that|my|our|little|other|funny|clever|lovely|small|strange)"
    r" hare\b",
    "bare": r"\bbare (feet|branches|in winter)|\b(were|cold and) bare\b",
    "week": r"\b(a|next|last|all) week\b",
    "weak": r"\b(was|is|felt|too) weak\b",
    "knight": r"\b(the|brave|a) knight\b",
    "night": r"\b(at|the|good|last) night\b",
    "hear": r"\b(you|I|could|not|cannot) hear\b",
    "here": r"\bhere (is your|and|for|today|yesterday|last|before|in|on)\b|\b(stops|from) here\b"
    r"|\bcame here\b",
    "blew": r"\bblew (hard|the|a|out|through)\b",
    "road": r"\b(the|right side of the) road\b",
    "rode": r"\brode (a|over|their|home)\b",
    "piece": r"\ba piece of (cake|paper|cheese|\w+ pie|\w+ cake)\b",
    "peace": r"\b(made|in|wanted) peace\b",
    "wood": r"\b(of|the|dark|carried) wood\b",
    "would": r"\bwould (you )?like\b",
    "tail": r"\b(its|red|black|white|brown|grey) tail\b",
    "tale": r"\b(a|the) tale\b",
}


@pytest.mark.parametrize("word", sorted(CONTEXTS))
def test_homophones_stand_in_their_own_context(word: str) -> None:
    found = 0
    for line in matches(rf"(?i)\b{word}\b"):
        text = line[0].lower() + line[1:] if not line.startswith("I ") else line
        text = re.sub(r'(?<=")([A-HJ-Z])', lambda letter: letter[1].lower(), text)
        there = len(re.findall(rf"\b{word}\b", text))
        assert len(list(re.finditer(CONTEXTS[word], text))) == there, line
        found += there
    assert found >= 20


def test_pear_is_a_fruit_and_pair_counts_clothes() -> None:
    dish = r"(salad|tart|juice|pie|cake|jam)"
    assert len(matches(rf"(?i)\bapple and pear {dish}")) >= 60
    assert len(matches(r"^The apple and pear salad")) >= 5
    assert len(matches(r"^the apple and pear salad")) >= 3
    assert len(matches(rf"(?i)^the \w+ and pear {dish}\.$")) >= 25  # titles, not sentences
    assert len(matches(r"(?i)\bpairs? of (shoes|socks|gloves|boots|trousers|sandals)\b")) >= 250
    assert not matches(rf"(?i)\bpears? of\b|\bpair (and|{dish})")


# --------------------------------------------------------------------- facts, errands, names


def test_facts_have_one_ending() -> None:
    assert len(matches(r"^Cats average 15 hours of sleep a day\.$")) >= 60
    assert len(matches(r"(?i)cats average 15 hours of sleep a day\.$")) == 90
    endings: dict[str, set[str]] = {}
    for line in matches(r"\b\d+ (hours|legs|years|kilometres|days|months|minutes) ?[a-z ]*[.?]$"):
        found = re.search(r"(\w+ (?:average|have|has|live|run)[a-z ]*) (\d+ [a-z ]+)[.?]$", line)
        if found:
            endings.setdefault(found[1].lower(), set()).add(found[2])
    assert len(endings) >= 20
    assert {start for start, ends in endings.items() if len(ends) > 1} == set()
    for start, ends in endings.items():
        assert ("average" in start) == all(end.endswith(" hours of sleep a day") for end in ends)


def test_the_verb_of_an_errand_fits_the_words_around_it() -> None:
    after = {
        "buy": r"(a new|another) \w+",
        "repair": r"(it|(my|our|her|his|their) \w+) with new parts",
        "borrow": r"(a \w+|one) from a friend",
        "sell": r"(it|(my|our|her|his|their) \w+) to a (friend|neighbour)",
        "clean": r"(it|(my|our|her|his|their) \w+) with a dry cloth",
    }
    lines = matches(r"(?i)plans? to (buy|repair|borrow|sell|clean)\b")
    verbs: Counter[str] = Counter()
    for line in lines:
        found = re.search(r"plans? to (\w+) (.*?)( because .*)?\.?$", line)
        assert found
        assert re.fullmatch(after[found[1]], found[2])
        verbs[found[1]] += 1
    assert all(verbs[verb] >= 20 for verb in after)
    phone = "My phone is broken, so I plan to buy a new phone."
    assert len(matches(f"^{re.escape(phone)}$")) >= 20


def test_rare_words_are_invented_names() -> None:
    """At a minimum count of 3 the names become unknown and every other word stays."""
    words = re.findall(r"[A-Za-z]+|\d+", DEMO)
    counts = Counter(word.lower() for word in words)
    rare = {word for word, count in counts.items() if count < 3}
    in_lower_case = {word for word in words if not word[0].isupper()}
    assert len(rare) >= 400
    assert rare & in_lower_case == set()
    assert 400 <= len(counts) - len(rare) <= 800
