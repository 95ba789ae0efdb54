"""Compress a file with a language model, and read it back."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, TypeAlias

import numpy as np

from ..errors import CharlmError
from ..lm import Ids
from ..text.tokenizer import Tokenizer
from . import container, portable_arithmetic, tokens
from .adaptive import Adaptive
from .coder import Decoder, Encoder
from .container import FRAME_BYTES, MODEL, PLAIN, Frame, Readable
from .portable import Portable, Scores
from .predictor import BATCH, Predictor

ROW_BYTES, MAX_ROWS, MOST_ROWS = 1 << 13, 64, 4096  # by default: a row for each 8 KB, up to 64
REPETITIVE = 0.04  # of its size: where a file takes less without a model, that is not asked
MAX_UNKNOWN = 0.25  # of a text's tokens: nor with more of them
Progress: TypeAlias = Callable[[float], None]  # called with the bytes of the source that are done
Share: TypeAlias = Callable[[float], None]  # called with the share of a frame that is done


class Codec:
    """A model and its tokenizer, as compression uses them."""

    def __init__(
        self,
        lm: Portable,
        tokenizer: Tokenizer,
        *,
        adapt: bool = False,
        blocks: int = 0,
        batch: int = BATCH,
    ) -> None:
        """adapt: learn while coding. blocks: stretches read side by side; 0: by a frame's size.

        batch: how many of them are computed at a time.
        """
        portable_arithmetic.check()
        self.lm, self.tokenizer, self.blocks, self.batch = lm, tokenizer, blocks, batch
        self.adaptive = self._afresh() if adapt else None

    def _afresh(self) -> Adaptive:
        return Adaptive(self.lm.vocab_size, self.tokenizer.eos)

    def _is_plain(self, frame: Frame) -> bool:
        """Whether a frame needs no model; after one that does not, what was learned is forgotten.

        The writer may have learned from it before it turned out to be longer than without a model,
        and the reader cannot.
        """
        if frame.method == PLAIN and self.adaptive is not None:
            self.adaptive = self._afresh()
        return frame.method == PLAIN

    # Compress ---------------------------------------------------------------------------------

    def compress(self, source: BinaryIO, target: BinaryIO, progress: Progress) -> tuple[int, int]:
        """Write the frames of a file: its bytes, and those written."""
        size = written = frames = 0
        for text in _texts(source):
            data = text.encode("utf-8", "surrogateescape")
            frame = self.frame(text, data, partial(_share, progress, size, len(data)))
            self._is_plain(frame)
            written += container.write_frame(target, frame)
            size, frames = size + len(data), frames + 1
            progress(size)
        written += container.write_end(target, frames)
        return size, written

    def frame(self, text: str, data: bytes, share: Share) -> Frame:
        """A stretch of a file as a frame: by the model, or without it where that is shorter."""
        plain = without_model(data)
        found = tokens.split(self.tokenizer, text)
        if found is None or len(plain.body) < REPETITIVE * len(data):
            return plain
        ids, side = found
        if np.count_nonzero(ids == self.tokenizer.unk) > MAX_UNKNOWN * len(ids):
            return plain
        return min(self._by_model(ids, side, data, share), plain, key=_size)

    def _by_model(self, ids: Ids, side: bytes, data: bytes, share: Share) -> Frame:
        blocks = self.blocks or max(1, min(MAX_ROWS, len(data) // ROW_BYTES))
        rows = max(1, min(blocks, len(ids)))
        coder = Encoder()

        def put(row_ids: Ids, scores: Scores) -> Ids:
            coder.put(row_ids, scores)
            return row_ids

        self._read(ids, rows, put, share)
        packed = container.squeeze(side) if side else b""
        crc = zlib.crc32(data)
        return Frame(MODEL, len(data), len(ids), rows, crc, packed, coder.finish())

    # Decompress -------------------------------------------------------------------------------

    def decompress(self, source: Readable, target: BinaryIO, progress: Progress) -> int:
        """Write the original of the frames that follow: its bytes.

        Raises CharlmError for damaged ones, and if the model finds other bytes than were there.
        """
        size = read = 0
        for frame in container.read_frames(source):
            packed = len(frame.side) + len(frame.body)
            data = self.original(frame, partial(_share, progress, read, packed))
            target.write(data)
            size, read = size + len(data), read + packed
            progress(read)
        return size

    def original(self, frame: Frame, share: Share) -> bytes:
        """The bytes that a frame stands for."""
        if self._is_plain(frame):
            return container.unsqueeze(frame.body, frame.size)
        try:
            data = self._from_model(frame, share)
        except CharlmError:  # tokens that no text has
            data = b""
        if len(data) != frame.size or zlib.crc32(data) != frame.crc:
            raise CharlmError(
                "the model finds another text in it than was put there: this machine computes "
                "otherwise than the one that wrote it"
            )
        return data

    def _from_model(self, frame: Frame, share: Share) -> bytes:
        coder, ids = Decoder(frame.body), np.zeros(frame.tokens, np.int64)

        def take(row_ids: Ids, scores: Scores) -> Ids:
            return coder.take(scores)

        self._read(ids, frame.rows, take, share)
        side = container.unsqueeze(frame.side, 16 * frame.size + 64) if frame.side else b""
        text = tokens.join(self.tokenizer, ids, side)
        return text.encode("utf-8", "surrogateescape")

    # Both -------------------------------------------------------------------------------------

    def _read(
        self,
        ids: Ids,
        rows: int,
        step: Callable[[Ids, Scores], Ids],
        share: Share,
    ) -> None:
        """Go through ids (N,), all rows side by side; `step` puts the ids of a step, or finds them.

        The first rows are one longer if they cannot all be of one length.
        """
        length, longer = divmod(len(ids), rows)
        begin = np.arange(rows) * length + np.minimum(np.arange(rows), longer)
        steps = length + (longer > 0)
        predictor = Predictor(self.lm, rows, self.batch)
        if self.adaptive is not None:
            self.adaptive.start(rows)
        for t in range(steps):
            place = begin + t if t < length else begin[:longer] + t
            scores = predictor.scores()[: len(place)]
            if self.adaptive is not None:
                scores = self.adaptive.scores(scores)
            ids[place] = step(ids[place], scores)
            if self.adaptive is not None:
                self.adaptive.learn(ids[place])
            if t + 1 < steps:
                predictor.advance(ids[place])
            share((t + 1) / steps)


def without_model(data: bytes) -> Frame:
    """A frame that needs none."""
    return Frame(PLAIN, len(data), 0, 0, zlib.crc32(data), body=container.squeeze(data))


def _size(frame: Frame) -> int:
    return len(frame.side) + len(frame.body)


def _share(progress: Progress, before: int, size: int, share: float) -> None:
    """Report a share of `size` bytes, after those before."""
    progress(before + share * size)


def _texts(source: BinaryIO) -> Iterator[str]:
    """A file in stretches of up to FRAME_BYTES, decoded; what is not UTF-8 as lone surrogates."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    last = False
    while not last:
        data = _filled(source)
        last = len(data) < FRAME_BYTES
        if text := decoder.decode(data, final=last):
            yield text


def _filled(source: BinaryIO) -> bytes:
    """FRAME_BYTES, or less at the end: a pipe gives them in smaller pieces."""
    pieces, missing = [], FRAME_BYTES
    while missing and (piece := source.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
