"""What every unit of a recurrent network does over a text: h, c and the gates, token by token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

from ..lm import Ids, LanguageModel
from .arithmetic import Array
from .combined import CombinedLM
from .recurrent import RecurrentLM, RecurrentState
from .unigram_cache import UnigramCacheLM

Place: TypeAlias = tuple[int, str]  # layer, and h, c or a gate

GATES = ("i", "f", "o", "r", "z")  # lie between 0 and 1
TOKENS_AT_ONCE = 1000  # tokens read at a time


def network_in(lm: LanguageModel) -> RecurrentLM | None:
    """A model that is a network, or the first network in a mixture with the same tokens."""
    if isinstance(lm, RecurrentLM):
        return lm
    inner = lm.parts if isinstance(lm, CombinedLM) else ()
    under = [lm.lm] if isinstance(lm, UnigramCacheLM) else []
    found = map(network_in, [*inner, *under])
    return next((one for one in found if one is not None), None)


def overview(lm: LanguageModel) -> dict[str, Any] | None:
    """What the page must know of the network in a model, if there is one."""
    network = network_in(lm)
    if network is None:
        return None
    return {
        "layers": network.config.layers,
        "units": network.config.hidden,
        "places": [f"{layer}:{what}" for layer, what in places(network)],
    }


def places(lm: RecurrentLM) -> list[Place]:
    """What there is to see of a network: by layer h, c and the gates, in the textbook's order."""
    _, found = next(activations(lm, np.array([lm.eos])))
    return sorted(found, key=lambda place: (place[0], "hciforz".index(place[1])))


def activations(lm: RecurrentLM, ids_T: Ids) -> Iterator[tuple[int, dict[Place, Array]]]:
    """Run a network over a text from a line's beginning, TOKENS_AT_ONCE tokens at a time.

    Yields where the chunk begins, and by layer h, c and the gates after each of its tokens, (T, H).
    """
    state = lm.start(1)
    for first in range(0, len(ids_T), TOKENS_AT_ONCE):
        found, state = activations_from(lm, state, ids_T[first : first + TOKENS_AT_ONCE])
        yield first, found


def activations_from(
    lm: RecurrentLM, state: RecurrentState, ids_T: Ids
) -> tuple[dict[Place, Array], RecurrentState]:
    """By layer h, c and the gates after each of T further tokens, (T, H), and the state then."""
    found: dict[Place, Array] = {}
    layers = []
    x_TG = lm.stack.inputs(ids_T)
    for k, cell in enumerate(lm.stack.cells):
        if k > 0:
            x_TG = cell.inputs(lm.stack.top([found[j, "h"] for j in range(k)]))
        steps = [state.layers[k]]
        for t in range(len(x_TG)):
            steps.append(cell.step(x_TG[t : t + 1], steps[-1]))
        parts_TH = [np.concatenate(part) for part in zip(*steps, strict=True)]
        for what, part_TH in zip("hc", parts_TH, strict=False):
            found[k, what] = part_TH[1:]
        before = tuple(part_TH[:-1] for part_TH in parts_TH)
        for what, gate_TH in cell.gates(x_TG, before).items():  # all T steps at once
            found[k, what] = gate_TH
        layers.append(steps[-1])
    return found, RecurrentState(tuple(layers))
