"""The OpenAPI description, with what is true of the models that are served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .limits import Limits
from .schemas import MAX_ID
from .served import ServedModels

BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def complete(description: dict[str, Any], models: ServedModels, limits: Limits) -> None:
    """Put the limits into an OpenAPI description: of a text's length, and of token ids.

    Of several models, the largest vocabulary counts. Where no model is bidirectional, no `suffix`
    is taken. Bounds get the names of JSON Schema: pydantic keeps its own for those of values that
    a function looks at first.
    """
    schemas = description["components"]["schemas"]
    served = list(models.by_name.values())
    last_id = max(one.last_id for one in served)
    for part in _parts(schemas):
        for name in BOUNDS.keys() & part.keys():
            part[BOUNDS[name]] = part.pop(name)
    for name in ("CompletionRequest", "DetokenizeRequest"):
        for part in _parts(schemas[name]):
            if "items" in part and part["items"].get("maximum") == MAX_ID:
                part["items"]["maximum"] = last_id
    fields = schemas["CompletionRequest"]["properties"]
    for part in _parts(fields["max_tokens"]):
        if part.get("type") == "integer":
            part["maximum"] = limits.max_tokens
    if all(one.engine is not None for one in served):
        fields["suffix"] = {"type": "null", "description": "For bidirectional models only."}


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """All objects in a schema, itself included."""
    if isinstance(schema, dict):
        yield schema
    for part in list(schema.values() if isinstance(schema, dict) else schema):
        if isinstance(part, dict | list):
            yield from _parts(part)
