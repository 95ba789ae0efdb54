"""Properties of a text that a unit may follow."""

from __future__ import annotations

from charlm.config import TokenizerConfig
from charlm.lab import properties
from charlm.text import tokenizer


def test_inside_quotes() -> None:
    def of(text: str) -> str:
        return "".join(str(int(inside)) for inside in properties.inside_quotes(text))

    assert of('a "b c" d') == "001111000"
    assert of("“b” „c“ «d»") == "11001100110"
    assert of('"b\nc" d') == "1111000"  # goes on over a line end
    assert of('"b\n\nc') == "11100"  # but not over an empty line
    assert list(properties.inside_quotes(["``", "so", "''", "x"])) == [1, 1, 0, 0]


def test_positions_count_from_line_and_word() -> None:
    tokens = tokenizer.build(TokenizerConfig(level="char"), ["ab Cd\ne"])
    ids = tokens.encode("ab Cd\ne")
    own = properties.pieces(tokens, ids)
    found = properties.properties(own, tokens.starts_word()[ids])
    assert found["position in line"].tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert found["position in word"].tolist() == [0, 1, 0, 1, 2, 0, 1]
    assert found["end of word"].tolist() == [0, 1, 0, 0, 1, 0, 1]
    assert found["capital letter"].tolist() == [0, 0, 0, 1, 0, 0, 0]


def test_pieces_of_bytes_are_characters() -> None:
    tokens = tokenizer.build(TokenizerConfig(level="byte"), [])
    assert properties.pieces(tokens, tokens.encode("a“\n")) == ["a", "", "", "“", "\n"]
