"""What a prediction depends on: how it changes without each of the tokens before it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..lm import Ids
from ..measures import LN2
from ..models.recurrent import RecurrentLM

WINDOW = 128  # tokens before the prediction that are looked at


def influence(lm: RecurrentLM, ids_T: Ids, at: int) -> npt.NDArray[np.float64]:
    """How much the prediction in place of token `at` depends on each token before it, (at,) bits.

    That is the Kullback-Leibler divergence D(P ‖ P′) = Σ_v P(v) log2 (P(v) / P′(v)) of the
    prediction P′ after reading an average token (the mean of all embeddings) in its place. Tokens
    more than WINDOW back count as 0. ids_T: the tokens of a text from the beginning of a line.
    """
    first = max(0, at - WINDOW)
    found = np.zeros(at)
    if at == first:
        return found
    stack, n = lm.stack, at - first
    _, state = lm.read(lm.start(1), ids_T[None, :first])
    state = state.take(np.zeros(n + 1, np.intp))
    average = stack.cells[0].inputs(stack.embedding.mean(axis=0, keepdims=True))[0]
    for t, x_G in enumerate(stack.inputs(ids_T[first:at])):
        x_BG = np.repeat(x_G[None], n + 1, axis=0)
        x_BG[t] = average  # row t has another token here, the last row has none
        state = stack.step(state, x_BG)
    nats_BV = lm.predict(state).astype(np.float64)
    p_V = np.exp(nats_BV[-1])
    found[first:] = np.maximum(0, ((nats_BV[-1] - nats_BV[:-1]) * p_V).sum(axis=1)) / LN2
    return found
