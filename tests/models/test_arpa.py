"""ARPA files: written, read back, read by KenLM, and refused where they are not sound."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
import pytest

import charlm
from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.models import arpa
from charlm.models.kneser_ney import estimate
from charlm.models.ngram import NgramLM
from charlm.text.tokenizer import Tokenizer, build

TEXT = (
    "the cat sat on the mat\nthe dog sat\na cat ate the dog\nthe end of a day\nso it goes\n" * 3
    + "a b\tc\n"
)

FOREIGN = """
\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-99 <s> -0.3
-1.0\tcat\t-0.2
-0.5 </s>
-0.7 the -0.1
-1.2 <unk>

\\2-grams:
-0.2 <s> the
-0.4\tthe cat
-0.1 cat </s>

\\end\\
"""


def model(level: str = "word", text: str = TEXT) -> tuple[NgramLM, Tokenizer]:
    tokenizer = build(
        TokenizerConfig(level=level, vocab_size=60 if level == "subword" else 0), [text]
    )
    ids = tokenizer.encode(text)
    return estimate(ids, tokenizer.vocab_size, tokenizer.eos, 3, lines=True), tokenizer


@pytest.mark.parametrize("level", ["word", "char", "byte"])
@pytest.mark.parametrize("name", ["m.arpa", "m.arpa.gz"])
def test_round_trip(level: str, name: str, tmp_path: Path) -> None:
    lm, tokenizer = model(level)
    path = tmp_path / "m.arpa"
    arpa.write(path, lm, tokenizer)
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress(path.read_bytes()))
    again, tokens = arpa.read(tmp_path / name)
    assert tokens.as_dict() == tokenizer.as_dict()
    ids = tokenizer.encode("the cat ate a zebra\nthe dog\n").astype(np.int64)[None]
    np.testing.assert_allclose(
        again.read(again.start(1), ids)[0], lm.read(lm.start(1), ids)[0], atol=1e-5
    )


def test_a_file_of_another_tool(tmp_path: Path) -> None:
    path = tmp_path / "x.arpa"
    path.write_text(FOREIGN)
    loaded = charlm.load(path)
    scored = loaded.score("the cat")
    assert scored.measures.log10prob == pytest.approx(-0.2 - 0.4 - 0.1, abs=1e-6)
    # the zebra </s>: found, backed off to <unk>, backed off to </s>
    other = loaded.score("the zebra").measures
    assert other.log10prob == pytest.approx(-0.2 + (-0.1 - 1.2) - 0.5, abs=1e-6)
    assert other.oov == 1
    assert [word for word, _, _ in loaded.full_scores("the")] == pytest.approx([-0.2, -0.1 - 0.5])


def test_a_missing_unk_is_nearly_impossible(tmp_path: Path) -> None:
    path = tmp_path / "x.arpa"
    path.write_text(FOREIGN.replace("-1.2 <unk>\n", "").replace("1=5", "1=4"))
    assert charlm.load(path).score("zebra", eos=False).measures.log10prob < -90


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\\data\\", "", "no \\data"),
        ("ngram 2=3", "ngram 2=4", "number"),
        ("ngram 2=3", "ngram 2=2", "expected"),
        ("ngram 1=5", "ngram 1=4", "is a count wrong?"),
        ("ngram 2=3", "ngram 3=3", "ngram 2"),
        ("-0.1 cat </s>", "-0.4 the cat", "duplicate"),
        ("-0.1 cat </s>", "nan cat </s>", "log-probability"),
        ("-0.1 cat </s>", "0.5 cat </s>", "log-probability"),
        ("-0.1 cat </s>", "-0.1 dog </s>", "dog"),
        ("-0.1 cat </s>", "-0.1 cat", "word"),
        ("-1.0\tcat\t-0.2", "-1.0\tcat\tx", "number"),
        ("-1.0\tcat\t-0.2", "-1.0\tthe\t-0.2", "second time"),
        ("-0.5 </s>", "-0.5 end", "</s>"),
        ("\\end\\", "", "too soon"),
        ("\\2-grams:", "\\3-grams:", "2-grams"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.arpa"
    assert old in FOREIGN
    path.write_text(FOREIGN.replace(old, new))
    with pytest.raises(CharlmError, match="is not a valid ARPA file; line") as error:
        arpa.read(path)
    assert message in str(error.value)


def test_damage_of_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "x.arpa.gz"
    path.write_bytes(gzip.compress(FOREIGN.encode())[:-20])
    with pytest.raises(CharlmError, match="cannot be read"):
        arpa.read(path)
    with pytest.raises(CharlmError, match="No such file"):
        arpa.read(tmp_path / "none.arpa")


def test_a_trigram_without_its_bigram_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.arpa"
    text = FOREIGN.replace("ngram 2=3", "ngram 2=3\nngram 3=1")
    path.write_text(text.replace("\\end\\", "\\3-grams:\n-0.1 cat the </s>\n\n\\end\\"))
    with pytest.raises(CharlmError, match="'cat the </s>'"):
        arpa.read(path)


def test_what_a_file_cannot_hold_is_refused(tmp_path: Path) -> None:
    ids = np.array([2, 3, 0])
    _, tokenizer = model()
    stream = estimate(ids, tokenizer.vocab_size, 0, 2, lines=False)
    with pytest.raises(CharlmError, match="context=sentence"):
        arpa.write(tmp_path / "x.arpa", stream, tokenizer)
    lm, tokenizer = model(text="<s> the\na b\n")
    with pytest.raises(CharlmError, match=r"the word <s>, which .*: train it with a text without"):
        arpa.write(tmp_path / "x.arpa", lm, tokenizer)
    assert list(tmp_path.iterdir()) == []


def test_kenlm_reads_our_files_and_agrees(tmp_path: Path) -> None:
    kenlm = pytest.importorskip("kenlm", reason="the kenlm package is not installed")
    lm, tokenizer = model()
    path = tmp_path / "m.arpa"
    arpa.write(path, lm, tokenizer)
    theirs, ours = kenlm.Model(str(path)), charlm.load(path)
    for sentence in ("the cat sat", "a zebra sat on the dog", "", "so it goes"):
        own = ours.score(sentence).measures.log10prob
        assert own == pytest.approx(theirs.score(sentence), abs=1e-4)
        found = list(ours.full_scores(sentence))
        for (p, length, oov), (q, their_length, their_oov) in zip(
            found, theirs.full_scores(sentence), strict=True
        ):
            assert math.isclose(p, q, abs_tol=1e-4)
            assert (length, oov) == (their_length, their_oov)
