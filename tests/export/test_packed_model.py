"""What of a model a page gets, and which models it cannot run."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

import pytest
from toys import recurrent_lm, small_model_file, tokenizer_of

from charlm import config
from charlm.errors import CharlmError
from charlm.export import packed_model
from charlm.export.one_page import OWN
from charlm.export.packed_model import packed
from charlm.models import model_file


def tree(level: str = "char", **options: Any) -> Any:
    """The plain values of a packed network."""
    contents = small_model_file(level, **options)
    data = packed(model_file.build(contents), contents.tokenizer, "tale", "a tale")
    whole = zlib.decompress(data)
    return json.loads(whole[4 : 4 + int.from_bytes(whole[:4], "little")])


def test_every_cell_and_level_has_its_script() -> None:
    """Whoever adds one is told here to add it to the page, too."""
    assert packed_model.CELLS == config.CELLS
    assert packed_model.LEVELS == config.LEVELS
    for file, table, names in (
        ("cells.js", "CELLS", packed_model.CELLS),
        ("tokenizers.js", "TOKENIZERS", packed_model.LEVELS),
    ):
        (entries,) = re.findall(rf"const {table} = \{{ (.*) \}};", (OWN / file).read_text("utf-8"))
        assert tuple(re.findall(r'"?([\w-]+)"?: ', entries)) == names


def test_what_a_page_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tokenizer_of("char")
    lm = recurrent_lm(vocab_size=tokenizer.vocab_size)
    monkeypatch.setattr(packed_model, "CELLS", ("gru",))
    with pytest.raises(CharlmError, match="cannot run the cell lstm"):
        packed(lm, tokenizer, "", "")
    monkeypatch.setattr(packed_model, "LEVELS", ("word",))
    with pytest.raises(CharlmError, match="cannot run models of level char"):
        packed(lm, tokenizer, "", "")


def test_the_smaller_of_table_and_weights_is_written() -> None:
    few = tree(layers=2)["model"]["tensors"]
    assert "rnn.0.weight_ih" in few
    assert "rnn.0.table" not in few
    wide = small_model_file()
    for tied in (False, True):
        lm = recurrent_lm(vocab_size=wide.tokenizer.vocab_size, embed=40, layers=2, tied=tied)
        whole = zlib.decompress(packed(lm, wide.tokenizer, "", ""))
        found = json.loads(whole[4 : 4 + int.from_bytes(whole[:4], "little")])["model"]["tensors"]
        assert "rnn.0.table" in found
        assert {"rnn.0.weight_ih", "rnn.0.bias_ih"}.isdisjoint(found)
        assert "rnn.1.weight_ih" in found
        assert ("embedding.weight" in found) == tied


def test_the_card_is_that_of_the_server() -> None:
    card = tree(bidirectional=True)["card"]
    assert card["network"] is None
    assert not card["causal"]
    card = tree("word", cell="gru", layers=2)["card"]
    places = ["0:h", "0:r", "0:z", "1:h", "1:r", "1:z"]
    assert card["network"] == {"layers": 2, "units": 4, "places": places}
    assert (card["id"], card["level"], card["description"]) == ("tale", "word", "a tale")
