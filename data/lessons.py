"""Sentences that textbooks explain language models with, and their families.

What decides a word stands right before it (*the clouds are in the sky*), or far back (*I grew up in
France … I speak fluent French*). Of every family that has a far one, some combinations are never
written: `pairs_english` and `pairs_chinese` make minimal pairs of them, so that a model can be
tested on sentences that it cannot have learned by heart.
"""

from collections.abc import Iterator, Sequence
from random import Random

from frames import bind, capital, finish, invent_name, sentence

Pair = tuple[str, str, str]  # good, bad, phenomenon


def is_kept_out(first: int, second: int) -> bool:
    """Whether a combination, of the places of its parts in their lists, is never written."""
    return (first + second) % 4 == 0


# ------------------------------------------------------------------------------------- English

IN_THEIR_PLACE = (
    "the clouds are in the sky",
    "the grey clouds are in the sky",
    "the stars are in the sky",
    "the gulls are in the sky",
    "the boats are in the harbour",
    "the books are in the library",
    "the trees are in the garden",
    "the cows are in the barn",
)
COUNTRIES = (
    ("France", "French"),
    ("Germany", "German"),
    ("Spain", "Spanish"),
    ("Italy", "Italian"),
    ("Greece", "Greek"),
    ("Poland", "Polish"),
    ("Japan", "Japanese"),
    ("Sweden", "Swedish"),
)
SPEAKERS = (
    ("I", "I speak"),
    ("I", "I speak"),
    ("we", "we speak"),
    ("they", "they speak"),
    ("Anna", "she speaks"),
    ("Hugo", "he speaks"),
    ("my aunt", "she speaks"),
    ("my uncle", "he speaks"),
)
WHERE = (
    "",
    " in a house by the sea",
    " with two dogs and an old horse",
    " near the {place}",
    ", where the summers are long and warm",
    " in a village behind the hill",
    " in a family of {few} children",
)
SINCE = (
    ", and",
    ", so",
    " and came here by train when the war was over, but",
    ", and even today",
    ". Now we all live near the {place}, but with our mother",
    ". In winter the family came here by ship, and to this day",
)
NATIONS = ("Egyptian", "Egyptian", "French", "German", "Spanish", "Greek", "Polish", "Swedish")
BREEDS = (
    "the {nation} {one} is a breed of {pet}",
    "the {nation} {one} is an old breed of {pet}",
    "the {one} is a {small} breed of {pet}",
    "the {nation} {one} is a bird of the forest",
    "the {one} is a bread of the north",
    "{we} bought a loaf of bread and some {drink}",
    "the {role} cut the bread into {few} pieces",
    "the {nation} bread was fresh and warm",
    "this breed of {pet} is rare",
)
BREED_SLOTS = {"pet": ("cat", "cat", "dog", "horse"), "small": ("small", "rare", "clever")}


def in_their_place(rng: Random) -> str:
    """The clouds are in the sky."""
    return finish(rng, rng.choice(IN_THEIR_PLACE))


def grew_up(rng: Random) -> str:
    """I grew up in France in a family of five children, so I speak fluent French."""
    while True:
        country, where = rng.randrange(len(COUNTRIES)), rng.randrange(len(WHERE))
        if not is_kept_out(country + 1, where):
            return finish(rng, grown_up(rng, country, where), upper=0.9)


def grown_up(rng: Random, country: int, where: int) -> str:
    (name, speaks), since = rng.choice(SPEAKERS), rng.choice(SINCE)
    if since.endswith("but"):
        speaks = speaks.replace(" ", " still ")
    land, tongue = COUNTRIES[country]
    return sentence(rng, f"{name} grew up in {land}{WHERE[where]}{since} {speaks} fluent {tongue}")


def breed(rng: Random) -> str:
    """The Egyptian Velmora is a breed of cat."""
    frame = bind(rng.choice(BREEDS), {"one": invent_name(rng), "nation": rng.choice(NATIONS)})
    for slot, words in BREED_SLOTS.items():
        frame = bind(frame, {slot: rng.choice(words)})
    return finish(rng, sentence(rng, frame), upper=0.9)


def pairs_english(rng: Random) -> Iterator[Pair]:
    """Countries with stories that they never come with; a breed that nobody has heard of."""
    for where in range(len(WHERE)):
        for country, (_, right) in enumerate(COUNTRIES):
            if is_kept_out(country + 1, where):
                wrong = rng.choice([tongue for _, tongue in COUNTRIES if tongue != right])
                good = capital(grown_up(rng, country, where)) + "."
                yield good, good.replace(f"fluent {right}", f"fluent {wrong}"), "language"
    for pet in BREED_SLOTS["pet"][1:]:
        for nation in NATIONS[1:]:
            good = f"The {nation} Mau is a breed of {pet}."
            yield good, good.replace("breed", "bread"), "breed"


# ------------------------------------------------------------------------------------- Chinese

HE_OR_SHE = (
    ("妹妹", "她"),
    ("弟弟", "他"),
    ("小红", "她"),
    ("小明", "他"),
    ("姐姐", "她"),
    ("哥哥", "他"),
    ("她", "她"),
    ("他", "他"),
)
NEVER_JUDGED = (("女儿", "她"), ("儿子", "他"), ("小丽", "她"), ("小刚", "他"))  # but spoken of
DEEDS = (
    "上学迟到了，老师批评了",
    "没有写作业，老师批评了",
    "上课说话，同桌批评了",
    "打碎了花瓶，妈妈批评了",
    "忘了关门，爸爸批评了",
    "说谎了，妈妈批评了",
    "迟到了，老师批评了",
    "主动打扫教室，老师表扬了",
    "考试得了第一名，爸爸表扬了",
    "帮同学补习数学，老师表扬了",
    "洗了碗，妈妈表扬了",
    "得奖了，老师表扬了",
)
NEVER_JUDGED_DEEDS = (  # but told of
    "放学以后没有回家，妈妈批评了",
    "上课的时候睡着了，老师批评了",
    "把弟弟的书包藏起来，爸爸批评了",
    "帮爷爷种树，奶奶表扬了",
    "画了一幅画，老师表扬了",
    "给生病的同学送去了课本，老师表扬了",
)
AFTERWARDS = (
    "晚上{他}写了日记",
    "后来{他}早早地睡了",
    "{他}没有告诉别人",
    "朋友们都问{他}为什么",
)
PLACES = ("云南", "北京", "上海", "西安", "桂林", "海南", "杭州", "青岛")
LANDS = (
    ("法国", "法语"),
    ("德国", "德语"),
    ("英国", "英语"),
    ("日本", "日语"),
    ("俄国", "俄语"),
    ("泰国", "泰语"),
    ("韩国", "韩语"),
)
TRAVELLERS = ("我", "他", "她", "小明", "小红", "小丽", "小刚", "叔叔")
BORN = (
    ("我", "我"),
    ("我", "我"),
    *HE_OR_SHE,
    *NEVER_JUDGED,
)
CHILDHOOD = (
    "",
    "住在海边，",
    "在那儿上过学，",
    "家里养了两只猫，",
    "爸爸是那儿的医生，",
    "每天和邻居的孩子踢球，",
    "家旁边有一座公园，",
)
SINCE_THEN = (
    "",
    "",
    "",
    "现在住在北京，",
    "七岁才来到中国，",
    "虽然很久没有回去，但是",
    "后来跟妈妈一起搬到了北京，",
)
DAYS = ("昨天", "昨天", "今天", "前天", "上周五", "星期一")


def zh_judged(rng: Random) -> str:
    """妹妹昨天没有写作业，老师批评了她。"""
    if rng.random() < 0.25:
        return judged(rng, "我", rng.choice(DEEDS), "我")
    while True:
        person, deed = rng.randrange(len(HE_OR_SHE)), rng.randrange(len(DEEDS))
        if not is_kept_out(person // 2, deed):
            who, pronoun = HE_OR_SHE[person]
            return judged(rng, who, DEEDS[deed], pronoun)


def judged(rng: Random, who: str, deed: str, pronoun: str) -> str:
    day = rng.choice(DAYS)
    start = rng.choice((f"{day}{who}", who, f"{who}{day}", f"{who}{day}", f"{who}{day}"))
    return f"{start}{deed}{pronoun}。"


def zh_told(rng: Random) -> str:
    """女儿昨天帮爷爷种树，晚上她写了日记。"""
    who, pronoun = rng.choice((*HE_OR_SHE, *NEVER_JUDGED, *NEVER_JUDGED))
    deed = rng.choice((*DEEDS, *NEVER_JUDGED_DEEDS, *NEVER_JUDGED_DEEDS)).partition("，")[0]
    after = bind(rng.choice(AFTERWARDS), {"他": pronoun})
    return f"{who}{rng.choice(DAYS)}{deed}，{after}。"


def zh_travel(rng: Random) -> str:
    """我喜欢旅游，其中最喜欢的地方是云南，以后有机会一定要去云南。"""
    while True:
        person, place = rng.randrange(len(TRAVELLERS)), rng.randrange(len(PLACES))
        if not is_kept_out(person + 1, place):
            return travel(TRAVELLERS[person], PLACES[place], PLACES[place])


def travel(who: str, place: str, again: str) -> str:
    return f"{who}喜欢旅游，其中最喜欢的地方是{place}，以后有机会一定要去{again}。"


def zh_born(rng: Random) -> str:
    """我出生在法国，在那儿上过学，后来跟妈妈一起搬到了北京，我会说法语。"""
    while True:
        land, childhood = rng.randrange(len(LANDS)), rng.randrange(len(CHILDHOOD))
        if not is_kept_out(land + 1, childhood):
            return born(rng, land, childhood)


def born(rng: Random, land: int, childhood: int) -> str:
    (name, pronoun), since = rng.choice(BORN), rng.choice(SINCE_THEN)
    country, tongue = LANDS[land]
    return f"{name}出生在{country}，{CHILDHOOD[childhood]}{since}{pronoun}会说{tongue}。"


def pairs_chinese(rng: Random) -> Iterator[Pair]:
    """What is never written: who with which deed, new subjects, new deeds, both, places, lands."""
    other = {"他": "她", "她": "他"}
    for number, deed in enumerate(DEEDS):
        for person, (who, pronoun) in enumerate(HE_OR_SHE):
            if is_kept_out(person // 2, number):
                yield judged_pair(rng, who, deed, pronoun, other[pronoun], "pairing")
        for who, pronoun in NEVER_JUDGED:
            yield judged_pair(rng, who, deed, pronoun, other[pronoun], "subject")
    for deed in NEVER_JUDGED_DEEDS:
        for who, pronoun in HE_OR_SHE:
            yield judged_pair(rng, who, deed, pronoun, other[pronoun], "deed")
        for who, pronoun in NEVER_JUDGED:
            yield judged_pair(rng, who, deed, pronoun, other[pronoun], "subject and deed")
    for person, who in enumerate(TRAVELLERS):
        for number, place in enumerate(PLACES):
            if is_kept_out(person + 1, number):
                wrong = rng.choice([name for name in PLACES if name != place])
                yield travel(who, place, place), travel(who, place, wrong), "place"
    for number, (_, right) in enumerate(LANDS):
        for childhood in range(len(CHILDHOOD)):
            if is_kept_out(number + 1, childhood):
                wrong = rng.choice([tongue for _, tongue in LANDS if tongue != right])
                good = born(rng, number, childhood)
                yield good, good.replace(right, wrong), "language"


def judged_pair(rng: Random, who: str, deed: str, right: str, wrong: str, phenomenon: str) -> Pair:
    good = judged(rng, who, deed, right)
    return good, f"{good[:-2]}{wrong}。", phenomenon


def as_tsv(pairs: Sequence[Pair]) -> str:
    """The pairs as `charlm pairs` reads them."""
    return "".join("\t".join(row) + "\n" for row in [("good", "bad", "phenomenon"), *pairs])
