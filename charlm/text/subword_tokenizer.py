"""The subword tokenizer: SentencePiece trained on the corpus, its model stored inside ours.

Kudo and Richardson (2018), "SentencePiece: A simple and language independent subword tokenizer";
unigram model: Kudo (2018), "Subword Regularization"; BPE: Sennrich, Haddow and Birch (2016).
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

import numpy as np
import sentencepiece

from ..config import TokenizerConfig
from ..errors import CharlmError
from ..lm import Ids, Mask
from .pieces import Memo, smallest_unsigned, utf8, whole_words

EOS, UNK = 0, 1
DEFAULT_VOCAB_SIZE = 4000
MIN_VOCAB_SIZE, BYTES_END = 300, 258  # smallest vocabulary; <EOS>, <UNK> and the bytes within it
SENTENCE_CHARS = 1000  # at most 4,000 bytes: longer lines are broken for training
SAMPLE_CHARS = 8 << 20  # of text to train on; longer texts are subsampled evenly
PART_CHARS = 1000  # a longer word is segmented in parts of this many characters
COVERAGE = 0.9995  # of the characters that get a piece of their own; the rest are bytes
THREADS = 4  # fixed, because the order of floating-point sums decides ties
SPACE = "▁"  # U+2581, SentencePiece's mark for a space
TRAINER_SPEC, MODEL_TYPE, BPE = 2, 3, 2  # in sentencepiece_model.proto
_APART = re.compile(
    f"([{SPACE}\ud800-\udfff]+)"
)  # encoded as bytes: SentencePiece would alter them


class SubwordTokenizer:
    """Pieces of words, and single bytes for whatever has no piece: nothing is out of vocabulary.

    Each word is segmented on its own, together with the space before it (the first of a line
    as if it had one): pieces never span a space. Id 0 closes a line, 1 is SentencePiece's
    <UNK>, which no text is encoded to, 2 … 257 are the bytes.
    """

    level = "subword"
    lossless = True
    settings = frozenset({"vocab_size", "algorithm"})

    def __init__(self, model: bytes):
        """`model` is a serialized SentencePiece model with byte fallback, as `train` makes it."""
        try:
            self._sp = sentencepiece.SentencePieceProcessor(model_proto=model)
        except (RuntimeError, ValueError, TypeError):
            raise CharlmError("the SentencePiece model inside is damaged") from None
        self.model = model
        self.vocab_size = int(self._sp.vocab_size())
        self.eos = int(self._sp.eos_id())
        self.unk: int | None = int(self._sp.unk_id())
        self._byte_ids = [int(self._sp.piece_to_id(f"<0x{b:02X}>")) for b in range(256)]
        if self.eos < 0 or not all(map(self._sp.is_byte, self._byte_ids)):
            raise CharlmError("the SentencePiece model inside lacks </s> or the byte pieces")
        self._names = [str(self._sp.id_to_piece(i)) for i in range(self.vocab_size)]
        self._names[self.eos], self._names[self._sp.unk_id()] = "</s>", "<UNK>"
        self._bytes = [name.replace(SPACE, " ").encode() for name in self._names]
        self._bytes[self.eos] = b"\n"
        for byte, i in enumerate(self._byte_ids):
            self._names[i], self._bytes[i] = f"0x{byte:02X}", bytes((byte,))
        self._dtype = smallest_unsigned(self.vocab_size)
        self._memo = Memo(self._segment)

    @classmethod
    def from_text(cls, config: TokenizerConfig, chunks: Iterable[str]) -> SubwordTokenizer:
        """`train` with the settings of `config`."""
        return cls.train(whole_words(chunks), config.vocab_size, config.algorithm)

    @classmethod
    def train(
        cls, chunks: Iterable[str], vocab_size: int = 0, algorithm: str = "unigram"
    ) -> SubwordTokenizer:
        """Train on at most SAMPLE_CHARS of the text, evenly sampled; deterministic.

        The vocabulary is smaller if the text does not yield `vocab_size` pieces. Raises CharlmError
        if `vocab_size` is too small, since it includes the 256 bytes.
        """
        vocab_size = vocab_size or DEFAULT_VOCAB_SIZE
        if vocab_size < MIN_VOCAB_SIZE:
            raise CharlmError(
                f"`vocab_size={vocab_size}` is too small: subwords need at least {MIN_VOCAB_SIZE}, "
                "because these include the 256 bytes."
            )
        sample = subsample(sentences(chunks), SAMPLE_CHARS)
        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=split_at_rare(sample, (vocab_size - BYTES_END) // 2),
                model_writer=model,
                model_type=algorithm,
                vocab_size=vocab_size,
                hard_vocab_limit=False,
                character_coverage=1.0,  # `split_at_rare` has removed the rare ones
                byte_fallback=True,
                normalization_rule_name="identity",
                add_dummy_prefix=False,  # we add the space ourselves
                remove_extra_whitespaces=False,
                max_sentence_length=8 * SENTENCE_CHARS,
                eos_id=EOS,
                unk_id=UNK,
                bos_id=-1,
                pad_id=-1,
                num_threads=THREADS,
                minloglevel=2,
            )
        except RuntimeError as error:
            raise CharlmError(
                f"SentencePiece could not find subwords in this text ({error}). "
                "Give more text, another `vocab_size`, or `level=char`."
            ) from None
        return cls(model.getvalue())

    def encode(self, text: str) -> Ids:
        """Ids (N,) of the pieces of `text`, with <EOS> for each newline."""
        words: list[str] = []
        for line in text.split("\n"):
            if line:
                words += line.split(" ")
            words.append("\n")
        words.pop()
        return np.fromiter(chain.from_iterable(map(self._memo.__getitem__, words)), self._dtype)

    def decode(self, ids: Ids | Sequence[int]) -> str:
        """The text, bytes that are not UTF-8 as lone surrogates, <UNK> as "<UNK>"."""
        data = b"".join(map(self._bytes.__getitem__, np.asarray(ids, np.int64).tolist()))
        text = data.decode("utf-8", "surrogateescape")
        return text.removeprefix(" ").replace("\n ", "\n")

    def unknown(self, text: str) -> Sequence[str]:
        return ()

    def token(self, id: int) -> str:
        return self._names[id]

    def starts_word(self) -> Mask:
        """(V,) True for pieces that begin with a space, and for <EOS>."""
        return np.array([piece[:1] in (b" ", b"\n") for piece in self._bytes])

    def scores(self) -> list[float]:
        """(V,) what SentencePiece adds up, or with BPE compares, to choose among pieces.

        NaN for what is no piece of text: <EOS>, <UNK> and the bytes.
        """
        special = {self.eos, self.unk, *self._byte_ids}
        found = range(self.vocab_size)
        return [math.nan if k in special else float(self._sp.get_score(k)) for k in found]

    @property
    def is_bpe(self) -> bool:
        """Whether pieces come of merges (BPE), not of a unigram model."""
        fields = _message(_message(self.model)[TRAINER_SPEC][0])
        return BPE in fields.get(MODEL_TYPE, ())

    def as_dict(self) -> dict[str, Any]:
        return {"level": "subword", "model": base64.b64encode(self.model).decode("ascii")}

    def extended(self, config: TokenizerConfig, chunks: Iterable[str]) -> SubwordTokenizer:
        return self

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SubwordTokenizer:
        return cls(base64.b64decode(data["model"], validate=True))

    def _segment(self, word: str) -> Iterator[int]:
        """Ids of one word and the space before it; a newline is <EOS>."""
        if word == "\n":
            yield self.eos
            return
        word = " " + word
        for start in range(0, len(word), PART_CHARS):
            for k, run in enumerate(_APART.split(word[start : start + PART_CHARS])):
                if k % 2:
                    yield from map(self._byte_ids.__getitem__, utf8(run))
                elif run:
                    yield from self._sp.encode(run)


def _message(data: bytes) -> dict[int, list[Any]]:
    """The fields of a message in a protocol buffer: numbers, and as bytes all else."""
    found: dict[int, list[Any]] = {}
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte, at = data[at], at + 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        field, kind = divmod(number(), 8)
        if kind == 0:
            found.setdefault(field, []).append(number())
            continue
        size = {1: 8, 5: 4}.get(kind) or number()
        found.setdefault(field, []).append(data[at : at + size])
        at += size
    return found


def sentences(chunks: Iterable[str]) -> Iterator[str]:
    """The non-empty lines, broken after SENTENCE_CHARS or at the last space before that."""
    for chunk in chunks:
        for line in chunk.split("\n"):
            start = 0
            while start < len(line):
                end = start + SENTENCE_CHARS
                if end < len(line) and (space := line.rfind(" ", start + 1, end)) > 0:
                    end = space
                yield line[start:end]
                start = end


def subsample(lines: Iterable[str], budget: int) -> list[str]:
    """Every 2^k-th line, with the smallest k that stays within `budget` characters.

    Deterministic; never holds more than the budget and one line.
    """
    kept: list[str] = []
    size, step = 0, 1
    for n, line in enumerate(lines):
        if n % step == 0:
            kept.append(line)
            size += len(line)
            while size > budget and len(kept) > 1:
                kept, step = kept[::2], 2 * step
                size = sum(map(len, kept))
    return kept


def split_at_rare(lines: Sequence[str], max_chars: int) -> Iterator[str]:
    """The lines, each after a space, broken at every character that gets no piece of its own.

    The `max_chars` most frequent characters get one, or as many as make up COVERAGE of the text
    if that is fewer. SentencePiece would refuse to leave out more than 2 % of it.
    """
    lines = [" " + line.strip(" ") for line in lines]
    counts = Counter(chain.from_iterable(lines))
    chars = sorted(counts, key=lambda char: (-counts[char], char))
    covered = accumulate(counts[char] for char in chars)
    needed = sum(total < COVERAGE * counts.total() for total in covered) + 1
    rare = {*chars[min(max_chars, needed) :], *filter(_APART.match, chars)} - {" "}
    broken = dict.fromkeys(map(ord, rare), "\n")
    for line in lines:
        yield from filter(None, line.translate(broken).split("\n"))
