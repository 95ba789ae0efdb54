"""The numbers that charlm prints, from their definitions."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charlm.errors import CharlmError
from charlm.measures import OOV, Measures, oov_treatment, perplexity, ranks, surprisal

amounts = st.builds(
    Measures,
    logprob=st.floats(-1e6, 0),
    tokens=st.integers(1, 10**6),
    chars=st.integers(1, 10**6),
    bytes=st.integers(1, 10**6),
    oov=st.integers(0, 100),
    oov_logprob=st.floats(-100, 0),
)


def test_a_fair_coin() -> None:
    """Eight tosses, one token and two characters (of three bytes each) a toss."""
    tosses = Measures(8 * math.log(0.5), tokens=8, chars=16, bytes=48)
    assert tosses.perplexity == pytest.approx(2)
    assert tosses.bits == pytest.approx(8)
    assert tosses.bits_per_char == pytest.approx(0.5)
    assert tosses.bits_per_byte == pytest.approx(1 / 6)
    assert tosses.nats_per_token == pytest.approx(math.log(2))
    assert tosses.log10prob == pytest.approx(math.log10(2**-8))


def test_unknown_tokens_are_left_out_of_sum_and_count() -> None:
    known = Measures(-6.0, tokens=3, chars=9, bytes=9)
    unknown = Measures(-1.0, tokens=2, chars=5, bytes=5, oov=2, oov_logprob=-1.0)
    both = known + unknown
    assert both.perplexity == pytest.approx(math.exp(7 / 5))
    assert both.perplexity_excluding_oov == pytest.approx(known.perplexity)


@given(amounts, amounts)
def test_measures_add_up(one: Measures, other: Measures) -> None:
    both = one + other
    assert both.bits == pytest.approx(one.bits + other.bits)
    assert both == other + one
    assert min(one.bits_per_char, other.bits_per_char) <= both.bits_per_char + 1e-9
    assert both.bits_per_char <= max(one.bits_per_char, other.bits_per_char) + 1e-9


@given(amounts)
def test_json_holds_the_attributes(one: Measures) -> None:
    for name, value in one.as_dict().items():
        assert getattr(one, name) == value or math.isnan(value)


def test_what_has_no_value_is_nan_and_what_is_too_large_infinite() -> None:
    nothing = Measures(0.0, 0, 0, 0)
    for value in (
        nothing.perplexity,
        nothing.nats_per_token,
        nothing.nats_per_char,
        nothing.bits_per_byte,
    ):
        assert math.isnan(value)
    assert perplexity(-math.inf, 1) == perplexity(-1e4, 1) == perplexity(-700.0, 1) == math.inf
    assert perplexity(-699.0, 1) == math.exp(699)
    assert surprisal(math.log(0.25)) == pytest.approx(2)
    assert str(surprisal(0.0)) == "0.0"  # not -0.0


def test_scaled_to_the_size_of_a_text() -> None:
    half = Measures(-5.0, tokens=10, chars=0, bytes=0).scale_to(tokens=20, chars=90, bytes=100)
    assert (half.tokens, half.chars, half.bytes) == (10, 45, 50)
    one = Measures(-1.0, tokens=1, chars=0, bytes=0).scale_to(tokens=1, chars=3, bytes=5)
    assert (one.chars, one.bytes) == (3, 5)
    none = Measures(0.0, tokens=0, chars=0, bytes=0).scale_to(tokens=0, chars=3, bytes=5)
    assert (none.chars, none.bytes) == (0, 0)


def test_unknown_tokens_may_be_spelled_left_out_or_neither() -> None:
    text = Measures(-6.0, tokens=3, chars=4, bytes=4, oov=1, oov_logprob=-1.0, spelling=-8.0)
    assert [text.nats(oov) for oov in OOV] == [-6.0, -14.0, -5.0]
    assert text.logprob_spelled == -14
    assert text.bits_per_char_spelled == pytest.approx(14 / math.log(2) / 4)
    assert (text + text).logprob_spelled == -28
    record = text.as_dict()
    assert record["bits_per_char_spelled"] > record["bits_per_char"]
    unspelled = replace(text, spelling=math.nan).as_dict()
    assert record.keys() - unspelled.keys() == {"logprob_spelled", "bits_per_char_spelled"}


def test_unknown_tokens_are_spelled_where_their_numbers_differ() -> None:
    assert oov_treatment(None, [1, 1, 1]) == "closed"
    assert oov_treatment(None, [1, 0, 1]) == "spelled"
    assert oov_treatment(None, []) == "closed"
    for oov in OOV:
        assert oov_treatment(oov, [1, 0]) == oov_treatment(oov, [1, 1]) == oov
    with pytest.raises(CharlmError, match=r"tokens 'open': choose closed \| spelled \| exclude"):
        oov_treatment("open", [])


def test_nothing_spelled_has_no_bits_per_character() -> None:
    assert math.isnan(Measures(0.0, 0, 0, 0, spelling=-1.0).bits_per_char_spelled)


def test_the_most_probable_text_has_rank_one_and_ties_share_theirs() -> None:
    texts = [Measures(nats, 3, 9, 9) for nats in (-7.0, -5.0, -7.0, -9.0, -5.0)]
    assert ranks(texts) == [3, 1, 3, 5, 1]
    unknown = Measures(-5.5, 3, 9, 9, oov=1, oov_logprob=-2.0, spelling=-9.0)
    assert ranks([texts[1], unknown]) == ranks([texts[1], unknown], "closed") == [1, 2]
    assert ranks([texts[1], unknown], "exclude") == [2, 1]
    assert ranks([]) == []
