r"""N-gram models as ARPA files, the text format that SRILM, KenLM and others share.

    \data\
    ngram 1=4
    …
    \1-grams:
    -0.7782	the	-0.3010         log10 P, the words, log10 β (omitted if it is 0)
    …
    \end\

Words are separated by spaces, so a space is written ▁, and other whitespace and raw bytes as
<0x0A>. A first line `# charlm {…}` describes the tokenizer of charlm's own files; to all other
tools it is a comment. Files from other tools have whitespace-separated words.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, cast

import numpy as np

from ..errors import CharlmError
from ..measures import LN10
from ..system import output_file
from ..text.tokenizer import Tokenizer, from_dict
from ..text.word_tokenizer import WordTokenizer
from .ngram import ABSENT, MAX_NGRAM_ORDER, START_NATS, NgramLM, Order

START, END, UNKNOWN = "<s>", "</s>", "<unk>"
SPACE_MARK = "▁"
HEADER = "# charlm "
KENLM_BINARY = b"mmap lm http://kheafield.com/code"  # how its files begin
UNKNOWN_NATS = -100 * LN10  # of <unk> in a model without one (as in KenLM)
SUFFIXES = (".arpa", ".arpa.gz")
GZIP = b"\x1f\x8b"
MAX_LINE = 1 << 16  # characters; nobody has such words
MAX_FIRST_LINE = 1 << 23  # which may hold a tokenizer
HEAD_BYTES = 4096  # \\data\\ must appear within these


def is_arpa(path: Path) -> bool:
    """Whether a file is an ARPA file, by its name or its first bytes."""
    if path.name.endswith(SUFFIXES):
        return True
    try:
        with path.open("rb") as file:
            start = file.read(HEAD_BYTES)
        if start.startswith(GZIP):
            with gzip.open(path) as packed:
                start = packed.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return False
    return re.search(rb"^\\data\\\s*$", start, re.MULTILINE) is not None


def refuse_kenlm_binary(path: Path) -> None:
    """Raise CharlmError if a file is one of KenLM's own, which only KenLM reads."""
    try:
        with path.open("rb") as file:
            start = file.read(len(KENLM_BINARY))
    except OSError:
        return
    if start == KENLM_BINARY:
        raise CharlmError(
            f"{path} is a binary model of KenLM's, which only KenLM reads: give the ARPA file that "
            "build_binary made it from"
        )


def is_ours(head: bytes) -> bool:
    """Whether a file that begins so was written by `write`."""
    if head.startswith(GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, len(HEADER))
        except zlib.error:
            return False
    return head.startswith(HEADER.encode())


def write(path: Path, lm: NgramLM, tokenizer: Tokenizer) -> None:
    """Write the model atomically.

    Raises CharlmError for a model whose contexts span sentence ends, and if two tokens would look
    the same.
    """
    if not lm.lines:
        raise CharlmError(
            "an ARPA file holds contexts within sentences only, and this model's span them: "
            "train it with `context=sentence`"
        )
    words = [*_names(tokenizer), START]
    _check_distinct(words)
    about = tokenizer.as_dict()
    about.pop("words", None)  # they are the 1-grams
    about.pop("rare", None)  # a header has no room for them
    with output_file.writing(path) as plain, ExitStack() as stack:
        file: IO[bytes] = plain
        if path.name.endswith(".gz"):
            packed = gzip.GzipFile("", "wb", fileobj=plain, mtime=0)
            file = cast(IO[bytes], stack.enter_context(packed))

        def put(text: str) -> None:
            file.write(text.encode("utf-8", "surrogateescape"))

        put(HEADER + json.dumps(about) + "\n\n\\data\\\n")
        for k, order in enumerate(lm.orders, 1):
            put(f"ngram {k}={len(order.keys)}\n")
        texts = words
        for k, order in enumerate(lm.orders, 1):
            if k > 1:
                prefix, last = (part.tolist() for part in np.divmod(order.keys, lm.base))
                texts = [f"{texts[p]} {words[w]}" for p, w in zip(prefix, last, strict=True)]
            put(f"\n\\{k}-grams:\n")
            log10, back = (order.nats / LN10).tolist(), (order.backoff / LN10).tolist()
            rows = zip(log10, texts, back, strict=True)
            while part := list(islice(rows, 1 << 16)):
                put(
                    "".join(
                        f"{p:.7g}\t{t}\t{b:.7g}\n" if b else f"{p:.7g}\t{t}\n" for p, t, b in part
                    )
                )
        put("\n\\end\\\n")


def _check_distinct(words: Sequence[str]) -> None:
    """Raise CharlmError, with the cure, if two words would look alike."""
    seen: set[str] = set()
    for word in words:
        known = UNKNOWN if word == "<UNK>" else word
        if known in seen:
            cure = f"`unk_token={word}`" if known == UNKNOWN else "a text without it"
            raise CharlmError(
                f"the model has the word {word}, which stands for something else in an ARPA file: "
                f"train it with {cure}"
            )
        seen.add(known)


def _names(tokenizer: Tokenizer) -> list[str]:
    """Every token as an ARPA file spells it."""
    names = [_escape(tokenizer.token(k)) for k in range(tokenizer.vocab_size)]
    if tokenizer.level == "byte":
        names = [f"<0x{k:02X}>" for k in range(tokenizer.vocab_size)]
    names[tokenizer.eos] = END
    if tokenizer.unk is not None:
        names[tokenizer.unk] = UNKNOWN
    return names


def _escape(name: str) -> str:
    name = name.replace(" ", SPACE_MARK)
    return re.sub(r"[\x00-\x20]", lambda found: f"<0x{ord(found[0]):02X}>", name)


def read(path: Path) -> tuple[NgramLM, Tokenizer]:
    """The model in an ARPA file (.gz too) and its tokenizer.

    Raises CharlmError, naming the line, if the file is invalid.
    """
    with _open(path) as file:
        lines = Lines(path, file)
        sizes = _sizes(lines)
        unigrams, tokenizer, ids = _unigrams(lines, sizes[0])
        orders = [unigrams]
        for k, size in enumerate(sizes[1:], 2):
            lines.expect(f"\\{k}-grams:")
            orders.append(_ngrams(lines, k, size, ids, orders))
        lines.expect("\\end\\")
    return NgramLM(orders, tokenizer.vocab_size, tokenizer.eos, lines=True), tokenizer


class Lines:
    """The non-empty lines of a file, with the number of the last one for messages."""

    def __init__(self, path: Path, file: IO[str]) -> None:
        self.path, self.number, self.lines = path, 0, self._read(file)
        self.header = ""  # what our own files begin with

    def _read(self, file: IO[str]) -> Iterator[str]:
        try:
            most = MAX_FIRST_LINE
            while line := file.readline(most):
                self.number += 1
                if len(line) == most:
                    raise self.error(f"the line has {most:,} characters or more")
                most = MAX_LINE
                if line.startswith(HEADER):
                    self.header = line.removeprefix(HEADER)
                text = line.strip(" \t\r\n")
                if text:
                    yield text
        except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
            raise self.error(f"it cannot be read: {error}") from None

    def next(self) -> str:
        line = next(self.lines, None)
        if line is None:
            raise self.error("the file ends too soon")
        return line

    def expect(self, heading: str) -> None:
        line = self.next()
        if line != heading:
            raise self.error(f"expected {heading} here, not {line[:40]!r}: is a count wrong?")

    def error(self, what: str) -> CharlmError:
        return CharlmError(f"{self.path} is not a valid ARPA file; line {self.number}: {what}")

    def ngram(self, k: int) -> tuple[float, list[str], float]:
        """log P and β in nats, and the k words between them."""
        line = self.next()
        parts = _BLANKS.split(line)
        if not k + 1 <= len(parts) <= k + 2:
            raise self.error(
                f"expected a number, {k} word(s) and perhaps a number here: {line[:40]!r}"
            )
        try:
            p = float(parts[0]) * LN10
            b = float(parts[k + 1]) * LN10 if len(parts) > k + 1 else 0.0
        except ValueError:
            raise self.error(f"{line[:40]!r} has no number where one should be") from None
        if not (p <= 1e-6 and not math.isnan(b) and b < math.inf):  # some files round up to 1
            raise self.error(f"{line[:40]!r} has no valid log-probability")
        return max(min(p, 0.0), START_NATS), parts[1 : k + 1], max(b, START_NATS)


_BLANKS = re.compile("[ \t]+")


@contextmanager
def _open(path: Path) -> Iterator[IO[str]]:
    try:
        with path.open("rb") as start:
            packed = start.read(2) == GZIP
        with gzip.open(path) if packed else path.open("rb") as plain:
            yield TextIOWrapper(
                cast(IO[bytes], plain), "utf-8-sig", errors="surrogateescape", newline="\n"
            )
    except OSError as error:
        raise CharlmError(f"{path}: {error.strerror or error}") from None


def _sizes(lines: Lines) -> list[int]:
    """How many n-grams there are of each order."""
    while True:  # anything before is a comment
        line = next(lines.lines, None)
        if line is None:
            raise lines.error("there is no \\data\\ in it")
        if line == "\\data\\":
            break
    sizes: list[int] = []
    while (line := lines.next()) != "\\1-grams:":
        found = re.fullmatch(r"ngram\s+(\d{1,18})\s*=\s*(\d{1,18})", line)
        if not found or int(found[1]) != len(sizes) + 1:
            raise lines.error(f"expected 'ngram {len(sizes) + 1}=…' here, not {line[:40]!r}")
        sizes.append(int(found[2]))
        if len(sizes) > MAX_NGRAM_ORDER:
            raise lines.error(f"n-grams longer than {MAX_NGRAM_ORDER} words are not supported")
    if not sizes or not sizes[0]:
        raise lines.error("it has no words")
    return sizes


def _unigrams(lines: Lines, size: int) -> tuple[Order, Tokenizer, dict[str, int]]:
    """The 1-grams, the tokenizer they make, and the id of every word; <s> is V."""
    found: dict[str, tuple[float, float]] = {}
    for _ in range(size):
        p, (word,), b = lines.ngram(1)
        word = UNKNOWN if word == "<UNK>" else word
        if word in found:
            raise lines.error(f"{word} appears for the second time")
        found[word] = p, b
    if END not in found:
        raise lines.error(f"{END} is not among the 1-grams")
    tokenizer = _tokenizer(lines, [word for word in found if word not in (START, END, UNKNOWN)])
    V = tokenizer.vocab_size
    ids = {name: k for k, name in enumerate([*_names(tokenizer), START])}
    if UNKNOWN in ids:
        ids.setdefault("<UNK>", ids[UNKNOWN])  # as some tools spell it
    nats, backoff = np.full(V + 1, UNKNOWN_NATS, np.float32), np.zeros(V + 1, np.float32)
    for word, (p, b) in found.items():
        if word not in ids:
            raise lines.error(
                f"the 1-gram {word} is not in the tokenizer described in the first line"
            )
        nats[ids[word]], backoff[ids[word]] = p, b
    nats[V] = START_NATS
    return Order(np.arange(V + 1), nats, backoff), tokenizer, ids


def _tokenizer(lines: Lines, words: list[str]) -> Tokenizer:
    """The tokenizer described in the header, else one of whitespace-separated words."""
    if not lines.header:
        return WordTokenizer(words, unk_token=UNKNOWN)
    try:
        about = json.loads(lines.header)
        return from_dict({**about, "words": words} if about["level"] == "word" else about)
    except (ValueError, KeyError, TypeError, RecursionError, CharlmError):
        lines.number = 1
        raise lines.error("# charlm … is damaged") from None


def _ngrams(
    lines: Lines, k: int, size: int, ids: Mapping[str, int], shorter: Sequence[Order]
) -> Order:
    """The k-grams of a file, sorted; `shorter` are the lower orders."""
    p_N, b_N, flat = array("f"), array("f"), array("q")  # grown, because the count may be wrong
    first = lines.number + 1
    for _ in range(size):
        p, words, b = lines.ngram(k)
        p_N.append(p)
        b_N.append(b)
        try:
            flat.extend([ids[word] for word in words])
        except KeyError as unknown:
            raise lines.error(f"{unknown} is not among the 1-grams") from None
    nats, backoff = np.array(p_N, np.float32), np.array(b_N, np.float32)
    words_NK = np.array(flat, np.int64).reshape(-1, k)
    base = len(shorter[0].keys)
    indices = words_NK[:, 0]
    for j in range(1, k - 1):
        known = indices != ABSENT
        indices = np.where(known, shorter[j].find(indices * base + words_NK[:, j]), ABSENT)
    if (indices == ABSENT).any():
        n = int(np.argmax(indices == ABSENT))
        names = {i: name for name, i in ids.items()}
        shown = " ".join(names[i] for i in words_NK[n].tolist())
        raise lines.error(
            f"among the {k}-grams (from line {first}) is {shown!r}, "
            f"but its first {k - 1} words are not a {k - 1}-gram"
        )
    keys = indices * base + words_NK[:, -1]
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    if (duplicate := keys[1:] == keys[:-1]).any():
        n = int(order[int(np.argmax(duplicate)) + 1])
        raise lines.error(f"the {k}-grams contain a duplicate at about line {first + n}")
    return Order(keys, nats[order], backoff[order])
