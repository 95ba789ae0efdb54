"""Scoring many sequences that begin alike: every prefix is read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..lm import CausalLM, Ids, Nats, S
from ..models.padding import rows_that_fit

MAX_BATCH = 1 << 14  # most sequences held in memory side by side
MAX_TOKENS = 1 << 24  # and most tokens, were all as long as the longest
MAX_SHARE_READ = 0.8  # of the tokens; if more than so many are left to read, sharing does not pay


def shared_logprobs(lm: CausalLM[S], seqs: Sequence[Ids]) -> list[Nats]:
    """`lm.logprobs(seqs)`, reading what sequences have in common at their beginning only once.

    N-best lists and minimal pairs are mostly such beginnings. All sequences advance together, a
    token at a time, as the distinct prefixes that are left.
    """
    found: dict[bytes, Nats] = {}  # the same sequence gets the same numbers
    keys = [np.asarray(seq).astype(">i4").tobytes() for seq in seqs]  # sorted as the ids would be
    unique = {key: np.asarray(seq, np.int64) for key, seq in zip(keys, seqs, strict=True)}
    if lm.order:  # an n-gram model looks everything up at once anyway
        found = dict(zip(unique, lm.logprobs(list(unique.values())), strict=True))
    else:
        for group in _groups({key: unique[key] for key in sorted(unique)}):
            own = [unique[key] for key in group]
            shares = _distinct(own) <= MAX_SHARE_READ * sum(map(len, own))
            nats = _walk(lm, own) if shares else lm.logprobs(own)
            found.update(zip(group, nats, strict=True))
    return [found[key] for key in keys]


def _groups(ordered: Mapping[bytes, Ids]) -> Iterator[list[bytes]]:
    """Sorted sequences in groups that fit in memory side by side."""
    group: list[bytes] = []
    longest = 0
    for key, seq in ordered.items():
        longest = max(longest, len(seq))
        if group and (len(group) == MAX_BATCH or (len(group) + 1) * longest > MAX_TOKENS):
            yield group
            group, longest = [], len(seq)
        group.append(key)
    if group:
        yield group


def _distinct(ordered: Sequence[Ids]) -> int:
    """How many different non-empty prefixes sorted sequences have."""
    total = 0
    before: Ids = np.zeros(0, np.int64)
    for seq in ordered:
        n = min(len(seq), len(before))
        differ = np.flatnonzero(seq[:n] != before[:n])
        total += len(seq) - (int(differ[0]) if len(differ) else n)
        before = seq
    return total


def _walk(lm: CausalLM[S], seqs: Sequence[Ids]) -> list[Nats]:
    lengths = np.array([len(seq) for seq in seqs])
    ids_NT = np.zeros((len(seqs), int(lengths.max(initial=0))), np.int64)
    for row, seq in zip(ids_NT, seqs, strict=True):
        row[: len(seq)] = seq
    nats_NT = np.zeros(ids_NT.shape)
    node_N = np.zeros(len(seqs), np.int64)  # which row of `state` each sequence has come to
    state, rows = lm.start(1), rows_that_fit(lm.vocab_size)
    for t in range(ids_NT.shape[1]):
        alive = np.flatnonzero(lengths > t)
        keys, branch = np.unique(
            node_N[alive] * lm.vocab_size + ids_NT[alive, t], return_inverse=True
        )
        parents, tokens = np.divmod(keys, lm.vocab_size)
        own = np.empty(len(keys))
        nodes = np.unique(parents)  # rising, as `parents` is
        for first in range(0, len(nodes), rows):
            part = nodes[first : first + rows]
            begin, end = np.searchsorted(parents, [part[0], part[-1] + 1])
            predicted = lm.predict(state.take(part))
            places = np.searchsorted(part, parents[begin:end])
            own[begin:end] = predicted[places, tokens[begin:end]]
        nats_NT[alive, t] = own[branch]
        goes_on = np.zeros(len(keys), bool)
        goes_on[branch[lengths[alive] > t + 1]] = True
        if not goes_on.any():
            break
        state = lm.advance(state.take(parents[goes_on]), tokens[goes_on])
        node_N[alive] = (np.cumsum(goes_on) - 1)[branch]
    return [nats[:n] for nats, n in zip(nats_NT, lengths, strict=True)]
