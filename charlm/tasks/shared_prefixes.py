"""Score many sequences with shared prefixes, reading every prefix only once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..lm import CausalLM, Ids, Nats, S
from ..models.padding import rows_that_fit

MAX_BATCH = 1 << 14  # sequences held in memory in parallel
MAX_TOKENS = 1 << 24  # and tokens, if all were as long as the longest
MAX_READ_FRACTION = 0.8  # of the tokens; if more are left to read, sharing does not pay


def shared_logprobs(lm: CausalLM[S], seqs: Sequence[Ids]) -> list[Nats]:
    """`lm.logprobs(seqs)`, reading common prefixes only once.

    N-best lists and minimal pairs consist mostly of these. All sequences advance together, one
    token at a time, as the set of distinct prefixes.
    """
    found: dict[bytes, Nats] = {}  # the same sequence gets the same numbers
    keys = [np.asarray(seq).astype(">i4").tobytes() for seq in seqs]  # sort like the ids
    unique = {key: np.asarray(seq, np.int64) for key, seq in zip(keys, seqs, strict=True)}
    if lm.order:  # an n-gram model looks everything up at once anyway
        found = dict(zip(unique, lm.logprobs(list(unique.values())), strict=True))
    else:
        for group in _groups({key: unique[key] for key in sorted(unique)}):
            members = [unique[key] for key in group]
            pays = _count_prefixes(members) <= MAX_READ_FRACTION * sum(map(len, members))
            nats = _walk_prefixes(lm, members) if pays else lm.logprobs(members)
            found.update(zip(group, nats, strict=True))
    return [found[key] for key in keys]


def _groups(ordered: Mapping[bytes, Ids]) -> Iterator[list[bytes]]:
    """Sorted sequences in groups that fit in memory."""
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


def _count_prefixes(ordered: Sequence[Ids]) -> int:
    """The number of distinct non-empty prefixes of sorted sequences."""
    total = 0
    before: Ids = np.zeros(0, np.int64)
    for seq in ordered:
        n = min(len(seq), len(before))
        differ = np.flatnonzero(seq[:n] != before[:n])
        total += len(seq) - (int(differ[0]) if len(differ) else n)
        before = seq
    return total


def _walk_prefixes(lm: CausalLM[S], seqs: Sequence[Ids]) -> list[Nats]:
    lengths = np.array([len(seq) for seq in seqs])
    ids_NT = np.zeros((len(seqs), int(lengths.max(initial=0))), np.int64)
    for row, seq in zip(ids_NT, seqs, strict=True):
        row[: len(seq)] = seq
    nats_NT = np.zeros(ids_NT.shape)
    node_N = np.zeros(len(seqs), np.int64)  # which row of `state` each sequence is at
    state, rows = lm.start(1), rows_that_fit(lm.vocab_size)
    for t in range(ids_NT.shape[1]):
        alive = np.flatnonzero(lengths > t)
        keys, branch = np.unique(
            node_N[alive] * lm.vocab_size + ids_NT[alive, t], return_inverse=True
        )
        parents, tokens = np.divmod(keys, lm.vocab_size)
        nats = np.empty(len(keys))
        nodes = np.unique(parents)  # sorted, as `parents` is
        for first in range(0, len(nodes), rows):
            part = nodes[first : first + rows]
            begin, end = np.searchsorted(parents, [part[0], part[-1] + 1])
            predicted = lm.predict(state.take(part))
            indices = np.searchsorted(part, parents[begin:end])
            nats[begin:end] = predicted[indices, tokens[begin:end]]
        nats_NT[alive, t] = nats[branch]
        continues = np.zeros(len(keys), bool)
        continues[branch[lengths[alive] > t + 1]] = True
        if not continues.any():
            break
        state = lm.advance(state.take(parents[continues]), tokens[continues])
        node_N[alive] = (np.cumsum(continues) - 1)[branch]
    return [row[:n] for row, n in zip(nats_NT, lengths, strict=True)]
