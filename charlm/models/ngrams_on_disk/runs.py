"""From a text to sorted runs: the n-grams of one stretch of it each, sorted and counted.

A run is a file of R blocks (`rows.pack`), one for each of R ranges of n-grams, the same in all
runs, so that the n-grams of a range can be read from each of them and sorted in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ...system import storage
from . import rows
from .columns import Column, Keys
from .rows import Packed, Rows

RANGES = 2  # for each stretch: what is merged needs more memory than what is counted
SAMPLES, SAMPLE_TOKENS = 256, 1024  # stretches of text, to find ranges of about the same size


@dataclass(frozen=True)
class Text:
    """A text of T tokens of which n-grams are counted, in stretches that fit into memory."""

    ids: Column  # (T,)
    vocab_size: int
    eos: int
    order: int
    lines: bool  # contexts end at line ends: <s> (word V) stands before each line
    stretch: int  # tokens

    @property
    def padding(self) -> int:
        """What stands in a row after the end of a shorter n-gram."""
        return self.vocab_size + 1

    @property
    def bits(self) -> int:
        """Of a word."""
        return self.padding.bit_length()

    @property
    def stretches(self) -> int:
        return max(1, -(-len(self.ids) // self.stretch))

    def rows(self, start: int, stop: int) -> Rows:
        """The n-grams that begin with tokens start … stop − 1, and with <s> before any of these."""
        V, N = self.vocab_size, self.order
        tokens = self.ids.read(start, min(stop + N - 1, len(self.ids))).astype(np.uint32)
        beginning = stop - start
        if self.lines:
            starts_line = np.empty(len(tokens), bool)
            starts_line[1:] = tokens[:-1] == self.eos
            starts_line[:1] = start == 0 or self.ids.read(start - 1, start)[0] == self.eos
            spread = np.full(len(tokens) + int(starts_line.sum()), V, np.uint32)
            spread[np.arange(len(tokens)) + np.cumsum(starts_line)] = tokens
            beginning += int(starts_line[:beginning].sum())
            tokens = spread
        elif start == 0:  # the text is taken to follow a line
            tokens = np.concatenate([np.array([self.eos], np.uint32), tokens])
            beginning += 1
        padded = np.concatenate([tokens, np.full(N, self.padding, np.uint32)])
        found = [padded[k : k + beginning] for k in range(N)]
        if self.lines:
            ended = np.zeros(beginning, bool)
            for k in range(1, N):
                ended |= found[k - 1] == self.eos
                found[k] = np.where(ended, np.uint32(self.padding), found[k])
        return found

    def ranges(self) -> Packed:
        """First words of n-grams (R − 1,), in order: where all but the first of R ranges begin."""
        places = np.linspace(0, max(0, len(self.ids) - SAMPLE_TOKENS), SAMPLES).astype(np.int64)
        found = [
            rows.first_words(self.rows(at, min(at + SAMPLE_TOKENS, len(self.ids))), self.bits)
            for at in np.unique(places).tolist()
        ]
        sample = np.sort(np.concatenate(found))
        parts = RANGES * self.stretches
        at = np.arange(1, parts) * len(sample) // parts
        return np.unique(sample[at])


@dataclass(frozen=True)
class Runs:
    """The sorted runs of a text, in a directory."""

    text: Text
    directory: Path

    @cached_property
    def ranges(self) -> Packed:
        return self.text.ranges()

    def path(self, index: int) -> Path:
        return self.directory / f"run-{index:05}"

    def write(self, index: int) -> None:
        """Sort and count the n-grams of stretch `index`, unless that has been done before."""
        path, text = self.path(index), self.text
        if path.exists():
            return
        start = index * text.stretch
        found, counts = rows.sort(
            text.rows(start, min(start + text.stretch, len(text.ids))), text.bits
        )
        bounds = np.searchsorted(rows.first_words(found, text.bits), self.ranges)
        size = rows.width(text.padding)
        blocks = [
            rows.pack([words[first:last] for words in found], counts[first:last], size)
            for first, last in zip([0, *bounds], [*bounds, len(counts)], strict=True)
        ]
        ends = np.cumsum([0, *map(len, blocks)], dtype=np.int64) + 8 * (len(blocks) + 1)
        with storage.atomic(path) as file:
            file.write(ends.tobytes())
            for block in blocks:
                file.write(block)

    def read(self, part: int) -> tuple[Rows, Keys]:
        """All rows of a range, from all runs, sorted and counted."""
        text, size = self.text, rows.width(self.text.padding)
        found, counts = [], []
        for index in range(text.stretches):
            with self.path(index).open("rb") as file:
                file.seek(8 * part)
                first, last = np.frombuffer(file.read(16), np.int64).tolist()
                file.seek(first)
                block, times = rows.unpack(file.read(last - first), text.order, size)
            found.append(block)
            counts.append(times)
        joined = [np.concatenate(words) for words in zip(*found, strict=True)]
        found.clear()
        return rows.sort(joined, text.bits, np.concatenate(counts))

    def remove(self) -> None:
        for index in range(self.text.stretches):
            self.path(index).unlink(missing_ok=True)
