"""What the page shows of a network is what the network does."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from server import Client

from charlm.models.activations import activations
from charlm.models.recurrent import RecurrentLM


def network(client: Client, name: str) -> RecurrentLM:
    lm = client.models[name].model.lm
    assert isinstance(lm, RecurrentLM)
    return lm


@pytest.mark.parametrize("level", ["char", "word", "byte", "subword"])
def test_units(client: Client, level: str) -> None:
    text, lm = "the cats ate", network(client, level)
    ids = client.models[level].tokenizer.encode(text)
    ((_, expected),) = activations(lm, ids)
    card = client.get(f"/v1/models/{level}")["network"]
    assert card == {"layers": 1, "units": 12, "places": ["0:h", "0:c", "0:i", "0:f", "0:o"]}
    for place in card["places"]:
        found = client.post("/v1/inside", text=text, place=place, model=level)
        assert len(found["tokens"]) == len(ids)
        values = np.frombuffer(base64.b64decode(found["values"]), np.int8).reshape(-1, 12) / 127
        real = expected[0, place[2:]]
        scaled = 2 * real - 1 if place[2:] in "ifo" else real / max(1, float(np.abs(real).max()))
        np.testing.assert_allclose(values, scaled, atol=0.005)
        unit = client.post("/v1/unit", text=text, unit=f"0:3:{place[2:]}", model=level)
        assert unit["tokens"] == found["tokens"]
    assert client.post("/v1/inside", text="", model=level)["tokens"] == []


def test_influence(client: Client) -> None:
    found = client.post("/v1/influence", text="the cats", token=8)
    assert found["tokens"] == [*"the cats", "\n"]
    assert len(found["bits"]) == 8
    assert max(found["bits"]) > 0
    assert client.post("/v1/influence", text="the cats\n", token=8)["tokens"][-1] == "\n"


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("inside", {"text": "a", "place": "7:h"}, "place"),
        ("inside", {"text": "a", "place": "h"}, "place"),
        ("unit", {"text": "a", "unit": "0:99:h"}, "unit"),
        ("unit", {"text": "a", "unit": "0"}, "unit"),
        ("influence", {"text": "a", "token": 2}, "token"),
        ("inside", {"text": "a", "model": "both"}, "model"),
    ],
)
def test_what_is_not_there(client: Client, path: str, body: dict[str, str], param: str) -> None:
    status, error = client.fails(f"/v1/{path}", body)
    assert (status, error["param"]) == (404, param)


def test_a_long_text_is_refused(client: Client) -> None:
    assert client.fails("/v1/inside", {"text": "a" * 20_001})[0] == 400
