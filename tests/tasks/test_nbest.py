"""N-best lists: reading them in every format."""

from __future__ import annotations

import json

import pytest

from charlm.errors import CharlmError
from charlm.tasks.nbest import Hypothesis, Utterance, read, read_kaldi, read_references


def test_reading_tsv_and_json() -> None:
    one = Utterance("u1", (Hypothesis("a b", -1.5, -0.5), Hypothesis("", -2.0, -0.25)))
    two = Utterance("u2", (Hypothesis("c", 3.0, 1.0),))
    tsv = ["u1\ta b\t-1.5\t-0.5", "u1\t\t-2\t-0.25", "", "u2\tc\t3\t1"]
    assert read(tsv, "f") == [one, two]
    named = ["score\tutterance\told_lm_score\thypothesis", "-1.5\tu1\t-0.5\ta b", "-2\tu1\t-.25\t"]
    assert read(named, "f") == [one]
    objects = [
        {"utterance": "u1", "hypothesis": "a b", "score": -1.5, "old_lm_score": -0.5},
        {"utterance": "u1", "hypotheses": [{"text": "", "score": -2, "old_lm_score": -0.25}]},
    ]
    assert read(map(json.dumps, objects), "f") == [one]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("u1\ta", "line 2: expected utterance, hypothesis and score"),
        ("u1\ta\tx", "line 2: the score 'x'"),
        ("u1\ta\tnan", "line 2: the score nan is not finite"),
        ("u1\ta\tinf", "not finite"),
        ("\ta\t1", "line 2: the utterance has no name"),
        ("{bad", "line 2: not valid JSON"),
        ('{"utterance": "u", "text": "a"}', "line 2: the score is missing"),
        ('{"utterance": "u", "hypotheses": 3}', "list of objects"),
        ("u1\ta\t1\t2", "some do not"),
        ('{"utterance": "u", "hypotheses": []}', "non-empty list"),
        ('{"utterance": "u", "text": "a", "score": 1' + "0" * 400 + "}", "is not a number"),
        ("{" + '"a":[' * 100_000, "line 2: not valid JSON"),
    ],
)
def test_malformed_lines_are_named(line: str, message: str) -> None:
    with pytest.raises(CharlmError, match=message):
        read(["u1\ta\t1", line], "f")


def test_kaldi_s_files() -> None:
    texts = ["utt-a-1 the pear", "utt-a-2 the pair", "utt-a-3"]
    acoustic = ["utt-a-1 10.5", "utt-a-2 10", "utt-a-3 30"]
    lm = ["utt-a-1 2", "utt-a-2 1", "utt-a-3 1"]
    (found,) = read_kaldi(texts, acoustic, lm, ["t", "a", "l"])
    assert found.id == "utt-a"
    assert [(h.text, h.score, h.old_lm) for h in found.hypotheses] == [
        ("the pear", -12.5, -2.0),
        ("the pair", -11.0, -1.0),
        ("", -31.0, -1.0),
    ]
    with pytest.raises(CharlmError, match="'utt-a-2' has no score"):
        read_kaldi(texts, acoustic[:1], None, ["t", "a"])
    with pytest.raises(CharlmError, match="a, line 1"):
        read_kaldi(texts, ["utt-a-1 x"], None, ["t", "a"])


def test_references() -> None:
    assert read_references(["u1 the pear", "u2\ta b", "u3"], "f") == {
        "u1": "the pear",
        "u2": "a b",
        "u3": "",
    }
    with pytest.raises(CharlmError, match="line 2: u1"):
        read_references(["u1 a", "u1 b"], "f")
