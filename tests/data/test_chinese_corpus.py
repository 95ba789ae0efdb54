"""The Chinese corpus, data/zh.txt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"
DEMO = (DATA / "demo.txt").read_text(encoding="utf-8")
ZH = (DATA / "zh.txt").read_text(encoding="utf-8")
LINES = DEMO.splitlines()
ZH_LINES = ZH.splitlines()


def matches(pattern: str, lines: Iterable[str] = LINES) -> list[str]:
    return [line for line in lines if re.search(pattern, line)]


MEASURES = {
    noun: measure
    for measure, nouns in {
        "部": ("手机", "电影"),
        "台": ("电脑", "相机", "冰箱", "电视", "洗衣机"),
        "辆": ("车", "自行车", "汽车"),
        "块": ("手表",),
        "盏": ("台灯",),
        "个": ("闹钟", "书包", "苹果", "学生"),
        "副": ("耳机", "手套"),
        "把": ("雨伞", "椅子"),
        "件": ("衣服", "毛衣", "外套"),
        "条": ("裤子", "鱼", "船"),
        "双": ("鞋子", "袜子"),
        "顶": ("帽子",),
        "只": ("猫", "狗", "鸟", "羊", "兔子", "鸭子", "鸡"),
        "匹": ("马",),
        "头": ("牛",),
        "本": ("书", "词典"),
        "张": ("照片", "地图", "桌子", "电影票"),
        "棵": ("树",),
        "朵": ("花",),
        "封": ("信",),
        "支": ("钢笔",),
    }.items()
    for noun in nouns
}
PRONOUNS = {"我": "我", "他": "他", "她": "她", "小明": "他", "小红": "她", "弟弟": "他"}
PRONOUNS |= {"妹妹": "她", "哥哥": "他", "姐姐": "她", "叔叔": "他"}
PRONOUNS |= {"女儿": "她", "儿子": "他", "小丽": "她", "小刚": "他"}
PEOPLE = "|".join(PRONOUNS)


def test_chinese_is_simplified_with_full_width_punctuation() -> None:
    assert re.fullmatch(r"[\u4e00-\u9fff，。？！：“”\n]+", ZH)
    assert not set("這個們時門車書貓買賣開點鐘話說見電腦機壞請給沒還應覺廣師遲學") & set(ZH)
    for line in ZH_LINES:
        assert line[-1] in "。？！”"
        assert line.count("“") == line.count("”")


def test_the_two_chinese_model_sentences_recur() -> None:
    assert ZH_LINES.count("我昨天上学迟到了，老师批评了我。") >= 25
    assert ZH_LINES.count("我的手机坏了，我打算买一部新手机。") >= 25


def test_chinese_measure_words_agree() -> None:
    nouns = "|".join(sorted(MEASURES, key=len, reverse=True))
    checked = 0
    for line in ZH_LINES:
        for measure, noun in re.findall(rf"[一两三四五几许多](\w)新?(?:厚)?({nouns})[，。]", line):
            assert MEASURES[noun] == measure, line
            checked += 1
    assert checked >= 350


def test_chinese_broken_things_are_bought_again_with_the_right_measure() -> None:
    lines = matches(r"[坏破]了，所?以?.打算买", ZH_LINES)
    pattern = rf"(?:因为)?({PEOPLE})的(\w+)[坏破]了，(?:所以)?(\w)打算买一(\w)新(\w+)。"
    for line in lines:
        found = re.fullmatch(pattern, line)
        assert found, line
        who, broken, pronoun, measure, bought = found.groups()
        assert broken == bought
        assert MEASURES[bought] == measure
        assert PRONOUNS[who] == pronoun
    assert len(lines) >= 120


def test_chinese_consequences_fall_on_the_one_who_acted() -> None:
    days = "昨天|今天|前天|上周五|星期一"
    pattern = rf"^(?:{days})?({PEOPLE})(?:{days})?(.+)，\w\w(批评|表扬)了(\w)。$"
    verbs: Counter[str] = Counter()
    for line in ZH_LINES:
        if found := re.match(pattern, line):
            who, deed, verb, pronoun = found.groups()
            assert PRONOUNS[who] == pronoun, line
            assert (verb == "批评") == bool(re.search("迟到|没有写|说话|打碎|忘了|说谎", deed)), (
                line
            )
            verbs[verb] += 1
    assert verbs["批评"] >= 500
    assert verbs["表扬"] >= 300
