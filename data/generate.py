"""Write the corpora ``demo.txt`` (English) and ``zh.txt`` (Chinese), one sentence a line.

Also write ``demo-pairs.tsv`` and ``zh-pairs.tsv``, minimal pairs of what the corpora never say.

Each phenomenon is one function that returns one sentence; ``ENGLISH`` and ``CHINESE`` say how many
sentences of each are drawn.  The lines are shuffled, so that any tenth of a file is like the rest.
The same seed gives the same bytes.

    python data/generate.py [--out DIR] [--seed N]
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from random import Random

import grammar as g
import lessons
from frames import bind, capital, fill, finish, invent_name, sentence

Maker = Callable[[Random], str]
SINGULAR, PLURAL = 0, 1


# ----------------------------------------------------------------------------------- agreement


def attractors(rng: Random, subject: g.Noun, number: int) -> dict[str, g.Frames]:
    """Noun phrases for the slots of a clause, mostly of the other number than the subject."""

    def pick(nouns: tuple[g.Noun, ...], adjectives: g.Frames) -> str:
        noun = rng.choice([noun for noun in nouns if noun != subject])
        adjective = rng.choice(adjectives) + " " if rng.random() < 0.3 else ""
        return f"the {adjective}{noun[1 - number if rng.random() < 0.75 else number]}"

    alive, dead = g.LIVING_ADJECTIVES, g.THING_ADJECTIVES
    first, second = rng.sample(("near", "behind", "beside"), 2)
    return g.AGREEMENT_SLOTS | {
        "person": (pick(g.NOUNS["person"], alive),),
        "animal": (pick(g.NOUNS["fisher"] + g.NOUNS["grazer"], alive),),
        "thing": (pick(g.NOUNS["thing"], dead),),
        "fruits": (rng.choice(g.NOUNS["fruit"])[PLURAL],),
        "baskets": (rng.choice(("basket", "baskets")),),
        "near": (f"{first} {pick(g.NEAR, dead)}",),
        "beside": (f"{second} {pick(g.BESIDE, dead)}",),
    }


def subject_phrase(rng: Random, kind: str, noun: g.Noun, number: int) -> str:
    """`the cats`, `my little cat`, `these cats`: the subject with its determiner."""
    determiners = ["the"] * 12 + [["this", "that"], ["these", "both"]][number]
    adjectives = ["other"]
    if kind != "person":
        determiners += ["my", "our"]
        adjectives += ["little"]
    adjective = rng.choice(adjectives) + " " if rng.random() < 0.08 else ""
    return f"{rng.choice(determiners)} {adjective}{noun[number]}"


def be(rng: Random, number: int) -> str:
    """`was` or `were`; now and then the present tense."""
    return (("was", "were") if rng.random() < 0.92 else ("is", "are"))[number]


def state(rng: Random, kind: str) -> str:
    """What the subject was: `full`, `hungry again`."""
    tails = ("",) if kind in ("thing", "fruit") else g.STATE_TAILS
    return rng.choice(g.STATES[kind]) + rng.choice(tails)


def any_subject(rng: Random, *kinds: str) -> tuple[str, g.Noun, int]:
    """A kind of noun, a noun of the kind, and a number."""
    kind = rng.choice(kinds)
    return kind, rng.choice(g.NOUNS[kind]), rng.choice((SINGULAR, PLURAL))


def relative(rng: Random, kind: str, noun: g.Noun, number: int, clause: str, ending: str) -> str:
    """`the cat, which <clause>, was <ending>`."""
    who = "who" if kind == "person" else "which"
    inside = fill(rng, clause, g.SLOTS | attractors(rng, noun, number))
    subject = subject_phrase(rng, kind, noun, number)
    return finish(rng, f"{subject}, {who} {inside}, {be(rng, number)} {ending}", stop=0.98)


def already_ate_fish(rng: Random) -> str:
    """The cats, which already ate fish, were full."""
    kind, noun, number = any_subject(rng, *["fisher"] * 7, "person")
    return relative(rng, kind, noun, number, "already ate fish", state(rng, "ate"))


def eating_clause(rng: Random) -> str:
    """The cat, which already ate the fish near the old boats, was full."""
    kind, noun, number = any_subject(rng, "fisher", "fisher", "fisher", "person")
    return relative(rng, kind, noun, number, rng.choice(g.ATE_CLAUSES), state(rng, "ate"))


def other_clause(rng: Random) -> str:
    """The pears, which the farmer left behind the barn before noon, were sweet."""
    kind, noun, number = any_subject(rng, *g.NOUNS)
    return relative(rng, kind, noun, number, rng.choice(g.CLAUSES[kind]), state(rng, kind))


def no_clause(rng: Random) -> str:
    """The cats were full."""
    kind, noun, number = any_subject(rng, "fisher", *g.NOUNS)
    ending = state(rng, rng.choice((kind, "ate")) if kind == "fisher" else kind)
    return finish(rng, f"{subject_phrase(rng, kind, noun, number)} {be(rng, number)} {ending}")


def phrase_between(rng: Random) -> str:
    """The cat near the old boats was wet."""
    kind, noun, number = any_subject(rng, *g.NOUNS)
    near = attractors(rng, noun, number)["near"][0]
    return finish(rng, f"the {noun[number]} {near} {be(rng, number)} {state(rng, kind)}")


def verb_first(rng: Random) -> str:
    """Were the cats near the boat hungry?  There were three cats near the boat."""
    kind, noun, number = any_subject(rng, *g.NOUNS)
    near = attractors(rng, noun, number)["near"][0]
    if rng.random() < 0.5:
        place = rng.choice(("", f" {near}"))
        return finish(rng, f"{be(rng, number)} the {noun[number]}{place} {state(rng, kind)}?")
    count = ("a", rng.choice(("two", "three", "many", "some")))[number]
    return finish(rng, sentence(rng, f"there {be(rng, number)} {count} {noun[number]} {near}"))


# ------------------------------------------------------------------- homophones, facts, errands


def pear_or_pair(rng: Random) -> str:
    """The apple and pear salad.  A new pair of shoes."""
    frames = g.HOMOPHONES[rng.choice(("pear", "pair"))]
    return finish(rng, sentence(rng, rng.choice(frames)), stop=0.85, upper=0.6)


def homophone(rng: Random) -> str:
    """The baker put flour in the bowl.  A red flower grew in the garden."""
    word = rng.choice([word for word in g.HOMOPHONES if word not in ("pear", "pair")])
    return finish(rng, sentence(rng, rng.choice(g.HOMOPHONES[word])))


def cats_fact(rng: Random) -> str:
    """Cats average 15 hours of sleep a day."""
    return finish(rng, g.CATS_FACT, stop=1, upper=0.85)


def fact(rng: Random) -> str:
    """Dogs average 12 hours of sleep a day.  Did you know that a week has 7 days?"""
    known = rng.choice(g.FACTS)
    if rng.random() < 0.2:
        known = rng.choice(g.FACT_OPENINGS).replace("{fact}", known)
    return finish(rng, known, stop=1, upper=0.85)


def phone_errand(rng: Random) -> str:
    """My phone is broken, so I plan to buy a new phone."""
    return finish(rng, g.PHONE_SENTENCE, stop=1, upper=0.85)


def errand(rng: Random) -> str:
    """Her radio was dirty, so she cleaned it with a dry cloth."""
    my, who, plan = rng.choice(g.OWNERS)
    trouble, do, did, rest = rng.choice(g.ERRANDS)
    thing = rng.choice(g.GADGETS)
    rest = rest.replace("{x}", thing)
    form = rng.random()
    if form < 0.55:
        text = f"{my} {thing} is {trouble}, so {who} {plan} to {do} {rest}"
    elif form < 0.8:
        text = f"{my} {thing} was {trouble}, so {who} {did} {rest}"
    elif rest.startswith("it "):
        text = f"{who} {plan} to {do} {my} {thing} {rest[3:]} because it is {trouble}"
    else:
        text = f"{who} {plan} to {do} {rest} because {my} {thing} is {trouble}"
    return finish(rng, text)


# --------------------------------------------------------------------------- names and small talk


def rare_name(rng: Random) -> str:
    """A traveller named Velmora came to Tandrish."""
    frame = bind(rng.choice(g.NAME_FRAMES), {"one": invent_name(rng), "two": invent_name(rng)})
    return capital(finish(rng, sentence(rng, frame)))


def small_talk(rng: Random) -> str:
    """We walked to the market and bought warm soup."""
    return finish(rng, sentence(rng, rng.choice(g.SMALL_TALK)))


def dialogue(rng: Random) -> str:
    """Speech: "Where is the hare?" asked the baker."""
    return capital(sentence(rng, rng.choice(g.DIALOGUE)))


# ------------------------------------------------------------------------------------- Chinese


def zh_sentence(rng: Random, frame: str) -> str:
    """Fill a frame and end it with a full stop where it has no end mark of its own."""
    text = fill(rng, frame, g.ZH_SLOTS)
    return text if text[-1] in "。？！”" else text + "。"


def zh_late(rng: Random) -> str:
    """我昨天上学迟到了，老师批评了我。"""
    return g.ZH_LATE


def zh_event(rng: Random) -> str:
    """妹妹昨天在路上摔倒了，同学扶起了她。"""
    people, events = rng.choice(((g.ZH_PUPILS, g.ZH_SCHOOL),) * 3 + ((g.ZH_ADULTS, g.ZH_WORK),))
    who, pronoun = rng.choice(people)
    day = rng.choice(g.ZH_DAYS)
    start = f"{day}{who}" if rng.random() < 0.2 else f"{who}{day}"
    return zh_sentence(rng, start + bind(rng.choice(events), {"他": pronoun}))


def zh_phone(rng: Random) -> str:
    """我的手机坏了，我打算买一部新手机。"""
    return g.ZH_PHONE


def zh_thing(rng: Random) -> str:
    """姐姐的裤子破了，她打算买一条新裤子。"""
    people, things, frames = rng.choice(g.ZH_FATES)
    who, pronoun = rng.choice(people)
    thing = rng.choice(things)
    words = {"谁": who, "他": pronoun, "物": thing[:-1], "量": thing[-1]}
    return zh_sentence(rng, bind(rng.choice(frames), words))


def zh_scene(rng: Random) -> str:
    """草地上有三匹马。"""
    frame, things = rng.choice(g.ZH_SCENES)
    thing = rng.choice(things.split())
    return zh_sentence(rng, bind(frame, {"量": thing[-1], "物": thing[:-1]}))


def zh_daily(rng: Random) -> str:
    """如果明天不下雨，我们就去公园散步。"""
    return zh_sentence(rng, rng.choice(g.ZH_DAILY))


def zh_talk(rng: Random) -> str:
    """“你吃饭了吗？”妈妈问。"""
    return zh_sentence(rng, rng.choice(g.ZH_TALK))


# ----------------------------------------------------------------------------------- the files

Plan = tuple[tuple[Maker, int], ...]

ENGLISH: Plan = (
    (already_ate_fish, 750),
    (eating_clause, 750),
    (other_clause, 800),
    (no_clause, 450),
    (phrase_between, 250),
    (verb_first, 200),
    (pear_or_pair, 700),
    (homophone, 1250),
    (cats_fact, 90),
    (fact, 360),
    (phone_errand, 30),
    (errand, 420),
    (rare_name, 350),
    (small_talk, 1100),
    (dialogue, 600),
    (lessons.in_their_place, 100),
    (lessons.grew_up, 1000),
    (lessons.breed, 150),
)
CHINESE: Plan = (
    (zh_late, 30),
    (zh_event, 250),
    (zh_phone, 30),
    (zh_thing, 420),
    (zh_scene, 300),
    (zh_daily, 340),
    (zh_talk, 160),
    (lessons.zh_judged, 1200),
    (lessons.zh_told, 300),
    (lessons.zh_travel, 120),
    (lessons.zh_born, 500),
)


def is_held_out(line: str) -> bool:
    return any(text in line.lower() for text in g.HELD_OUT)


def corpus(rng: Random, plan: Plan) -> str:
    """Draw every phenomenon as often as planned, never a held-out sentence, and shuffle."""
    lines: list[str] = []
    for make, count in plan:
        quota = len(lines) + count
        while len(lines) < quota:
            line = make(rng)
            if not is_held_out(line):
                lines.append(line)
    rng.shuffle(lines)
    return "".join(line + "\n" for line in lines)


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    scratch = path.with_name(path.name + ".tmp")
    scratch.write_bytes(text.encode())
    scratch.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the corpora and their pairs.")
    here = Path(__file__).resolve().parent
    parser.add_argument("--out", type=Path, default=here, help="folder to write to")
    parser.add_argument("--seed", type=int, default=1, help="seed of the random choices")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for name, plan in (("demo.txt", ENGLISH), ("zh.txt", CHINESE)):
        write(args.out / name, corpus(Random(args.seed), plan))
    for name, pairs in (
        ("demo-pairs.tsv", lessons.pairs_english),
        ("zh-pairs.tsv", lessons.pairs_chinese),
    ):
        write(args.out / name, lessons.as_tsv(list(pairs(Random(args.seed)))))


if __name__ == "__main__":
    main()
