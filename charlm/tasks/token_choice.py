"""How the next token is chosen: what is ruled out, filters, a draw, and what is then refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ..lm import Ids, Nats
from .sampling_filters import Filters, draw

if TYPE_CHECKING:
    from .constraints import Constrained
    from .seen_ngrams import Guard

STUCK = -1  # in place of a token: the guards leave none that is allowed
DEAD_END = -2  # likewise: the constraint allows none
_NONE: Ids = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Chooser:
    """Chooses the next token of B texts.

    Tokens that are banned or that a guard forbids have no probability, and the filters see what is
    left. What is then drawn is put to the constraint; if it refuses, the next is drawn from the
    others, until one is allowed. So the constraint is asked about few tokens, and the result is
    distributed as if it had been asked about all that the filters keep. Where it allows none of
    these, the filters are applied to all that it does allow.
    """

    filters: Callable[[Nats], Nats] = field(default_factory=Filters)
    banned: Ids = field(default_factory=lambda: _NONE)
    banned_first: Ids = field(default_factory=lambda: _NONE)  # as the first token after the prompt
    guards: Sequence[Guard] = ()
    constraint: Constrained | None = None
    at_most: int = 0  # tokens that the filters keep, of any distribution; 0: no limit

    def __call__(self, predicted_BV: Nats, draws_B: Nats, texts_BT: Ids, first: bool) -> Ids:
        """A token for each of B texts (T tokens so far), or why there is none.

        That is STUCK where the guards leave none, and DEAD_END where the constraint would not allow
        any without them either. predicted_BV: log-probabilities, nats. draws_B: uniform in [0, 1).
        """
        nats: Nats = predicted_BV.astype(np.float64)
        nats[:, self.banned] = -np.inf
        if first:
            nats[:, self.banned_first] = -np.inf
        stuck = None
        held_back: dict[int, list[int]] = defaultdict(list)  # by the guards, of each text
        if self.guards:
            for guard in self.guards:
                for row, ids in enumerate(guard.forbidden(texts_BT)):
                    if self.constraint is not None:
                        held_back[row] += ids[np.isfinite(nats[row, ids])].tolist()
                    nats[row, ids] = -np.inf
            stuck = np.isneginf(nats).all(axis=-1)
            nats[stuck] = 0.0  # whatever: it will not be drawn from
        kept = self.filters(nats)
        chosen = draw(kept, draws_B)
        if stuck is not None:
            chosen[stuck] = STUCK
        if self.constraint is not None:
            for row in np.flatnonzero(chosen != STUCK).tolist():
                allowed = self.constraint.after(texts_BT[row])
                if not allowed(int(chosen[row])):
                    kept[row, chosen[row]] = nats[row, chosen[row]] = -np.inf
                    # the draw has been used up: it only seeds the next ones
                    rng = np.random.default_rng(int(draws_B[row] * 2**53))
                    token = self._draw_allowed(nats[row], kept[row], allowed, rng)
                    if token == DEAD_END and any(map(allowed, held_back[row])):
                        token = STUCK
                    chosen[row] = token
        return chosen

    def _draw_allowed(
        self,
        nats_V: Nats,
        kept_V: Nats,
        allowed: Callable[[int], bool],
        rng: np.random.Generator,
    ) -> int:
        """Draw one of the tokens that are allowed, if possible one that the filters kept.

        Those are tried in the order of log P + Gumbel noise, in which the first that is allowed is
        a draw from all that are (the Gumbel-max trick, as in Kool et al. 2019).
        """
        left = np.flatnonzero(np.isfinite(kept_V))
        order = left[np.argsort(-(kept_V[left] + rng.gumbel(size=len(left))))]
        for drawn in order.tolist():
            if allowed(drawn):
                return int(drawn)
        nats_V[left] = -np.inf
        rest = np.flatnonzero(np.isfinite(nats_V))
        rest = rest[np.argsort(-nats_V[rest], kind="stable")]
        possible = list(islice(filter(allowed, rest.tolist()), self.at_most or None))
        if not possible:
            return DEAD_END
        nats_V[np.setdiff1d(rest, possible)] = -np.inf
        return int(draw(self.filters(nats_V[None]), rng.random(1))[0])
