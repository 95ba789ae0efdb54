"""The OpenAPI description tells the truth of the models that are served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_support import write_model
from server import Client, serving

from charlm.serve.limits import Limits


def properties(client: Client, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json")["components"]["schemas"][name]["properties"]
    return found


def of_type(schema: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [part for part in schema["anyOf"] if part["type"] == kind]


def test_limits_are_told(tmp_path: Path) -> None:
    model = write_model(tmp_path / "char.safetensors")
    with serving([model], Limits(max_tokens=77)) as client:
        asked = properties(client, "CompletionRequest")
        (served,) = client.models.by_name.values()
        (tokens,) = of_type(asked["max_tokens"], "integer")
        assert (tokens["minimum"], tokens["maximum"]) == (0, 77)
        last = served.last_id
        ids = {"type": "integer", "minimum": 0, "maximum": last}
        assert properties(client, "DetokenizeRequest")["tokens"]["items"] == ids
        assert [part["items"] for part in of_type(asked["prompt"], "array")][1] == ids
        assert client.post("/detokenize", tokens=[float(last)])
        assert client.fails("/detokenize", {"tokens": [last + 1]})[0] == 400
        assert asked["suffix"]["type"] == "null"


@pytest.mark.parametrize("name", ["temperature", "top_p", "n", "top_k"])
def test_bounds_have_the_names_of_json_schema(client: Client, name: str) -> None:
    for part in properties(client, "CompletionRequest")[name]["anyOf"]:
        assert not {"ge", "gt", "le", "lt"} & part.keys()
        assert part["type"] == "null" or {"minimum", "exclusiveMinimum"} & part.keys()


def test_a_bidirectional_model_takes_a_suffix(client: Client) -> None:
    assert of_type(properties(client, "CompletionRequest")["suffix"], "string")
