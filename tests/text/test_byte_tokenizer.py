"""Bytes: nothing is unknown and nothing is lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from charlm.text.byte_tokenizer import ByteTokenizer
from charlm.text.pieces import utf8
from charlm.text.tokenizer import Tokenizer

savage = st.text(
    st.sampled_from(list("ab T \n\r\t\0é中▁😀<0x>\x0b\x1c\x85\u2028\u00a0")), max_size=30
)
from_file = st.binary(max_size=40).map(lambda data: data.decode("utf-8", "surrogateescape"))


def ids_of(tokenizer: Tokenizer, text: str) -> list[int]:
    return [int(i) for i in tokenizer.encode(text)]


@given(text=from_file | savage)
def test_byte_is_lossless_for_whatever_a_file_holds(text: str) -> None:
    tokenizer = ByteTokenizer()
    assert tokenizer.lossless
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(text)) == len(utf8(text))


def test_bytes() -> None:
    tokenizer = ByteTokenizer()
    assert ids_of(tokenizer, "a\né\udcff") == [97, 256, 0xC3, 0xA9, 0xFF]
    assert tokenizer.decode([97, 10, 256, 0xC3]) == "a\n\n\udcc3"
    assert [tokenizer.token(i) for i in (97, 228, 256)] == ["a", "0xE4", "</s>"]
    assert tokenizer.vocab_size == 257
    assert tokenizer.unk is None
