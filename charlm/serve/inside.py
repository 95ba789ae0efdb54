"""The network at work, for the page: its units over a text, and what a prediction depends on."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
from fastapi import FastAPI, Request

from ..models.activations import GATES, Place, activations, network_in, places
from ..models.arithmetic import Array
from ..models.recurrent import RecurrentLM
from ..tasks.influence import influence
from .api_errors import ApiError
from .schemas import ERRORS, MAX_SHOWN, InfluenceRequest, InsideRequest, UnitRequest
from .served import Served, ServedModels

LARGEST = 127  # of a value that is sent as a signed byte


def add_routes(app: FastAPI, models: ServedModels, named: Callable[[Request], str | None]) -> None:
    """Add the routes to the application. named: the model that the path of a request names."""

    def served(request: Request, model: str | None) -> tuple[Served, RecurrentLM]:
        one = models[model or named(request)]
        network = network_in(one.model.lm)
        if network is None:
            raise ApiError(404, f"{one.name} has no network with hidden units", param="model")
        return one, network

    @app.post("/v1/inside", tags=["the network at work"], responses=ERRORS)
    async def inside(asked: InsideRequest, request: Request) -> dict[str, Any]:
        """All units of a layer after each token: T × units signed bytes, base64, 127 for 1.

        Gates are shown from −1 for 0 to 1; what can be larger than 1 is divided by the largest.
        """
        one, network = served(request, asked.model)
        return await one.call(_inside, one, network, asked)

    @app.post("/v1/unit", tags=["the network at work"], responses=ERRORS)
    async def unit(asked: UnitRequest, request: Request) -> dict[str, Any]:
        """One unit (layer:unit:what) after each token of a text, scaled likewise."""
        one, network = served(request, asked.model)
        return await one.call(_unit, one, network, asked)

    @app.post("/v1/influence", tags=["the network at work"], responses=ERRORS)
    async def influences(asked: InfluenceRequest, request: Request) -> dict[str, Any]:
        """How much what is predicted in place of a token depends on each token before it, bits."""
        one, network = served(request, asked.model)
        return await one.call(_influence, one, network, asked)


def _place(network: RecurrentLM, text: str) -> Place:
    layer, _, what = text.partition(":")
    found = (int(layer), what) if layer.isdecimal() and len(layer) < 9 else (-1, "")
    if found not in places(network):
        choices = ", ".join(f"{layer}:{what}" for layer, what in places(network))
        raise ApiError(404, f"there is no {text!r}: choose of {choices}", param="place")
    return found


def _scaled(place: Place, values: Array) -> Array:
    """From −1 to 1."""
    if place[1] in GATES:
        return 2 * values - 1
    return values / max(1.0, float(np.abs(values).max(initial=0)))


def _values(one: Served, network: RecurrentLM, text: str, place: Place) -> tuple[list[str], Array]:
    """The tokens of a text, and all units of a place after each of them, (T, H)."""
    ids = one.tokenizer.encode(text).astype(np.int64)
    parts = [found[place] for _, found in activations(network, ids)]
    empty = np.zeros((0, network.config.hidden), np.float32)
    return list(map(one.name_of, ids.tolist())), np.concatenate([empty, *parts])


def _inside(one: Served, network: RecurrentLM, asked: InsideRequest) -> dict[str, Any]:
    place = _place(network, asked.place)
    tokens, values_TH = _values(one, network, asked.text, place)
    tokens, values_TH = tokens[-MAX_SHOWN:], values_TH[-MAX_SHOWN:]
    bytes_TH = np.round(LARGEST * _scaled(place, values_TH)).astype(np.int8)
    return {
        "model": one.name,
        "tokens": tokens,
        "units": values_TH.shape[1],
        "values": base64.b64encode(bytes_TH.tobytes()).decode(),
    }


def _unit(one: Served, network: RecurrentLM, asked: UnitRequest) -> dict[str, Any]:
    layer, _, rest = asked.unit.partition(":")
    index, _, what = rest.partition(":")
    place = _place(network, f"{layer}:{what or 'h'}")
    if not (index.isdecimal() and len(index) < 9 and int(index) < network.config.hidden):
        last = network.config.hidden - 1
        raise ApiError(404, f"units are 0 to {last}, not {index!r}", param="unit")
    tokens, values_TH = _values(one, network, asked.text, place)
    values_T = _scaled(place, values_TH[:, int(index)])
    return {"model": one.name, "tokens": tokens, "values": np.round(values_T, 3).tolist()}


def _influence(one: Served, network: RecurrentLM, asked: InfluenceRequest) -> dict[str, Any]:
    ids = one.tokenizer.encode(asked.text).astype(np.int64)
    if not asked.text.endswith("\n"):
        ids = np.append(ids, one.tokenizer.eos)
    if asked.token >= len(ids):
        raise ApiError(404, f"tokens are 0 to {len(ids) - 1}, not {asked.token}", param="token")
    bits = influence(network, ids, asked.token)
    tokens = list(map(one.name_of, ids.tolist()))
    return {"model": one.name, "tokens": tokens, "bits": np.round(bits, 5).tolist()}
