"""Words as tokens: how a line is split into them, counted, and written out again."""

from __future__ import annotations

import re
import threading
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np

from ..config import TokenizerConfig
from ..errors import CharlmError
from ..lm import Ids, Mask
from .pieces import check_vocab_size, smallest_unsigned, whole_words
from .word_counts import count_words, words_of
from .word_memo import MIN_CHARS, WordMemo
from .word_table import NEWLINE, WordTable, can_be_packed, pack

EOS, UNK = 0, 1
NO_TOKEN = "none"  # as the setting `unk_token`
MAX_RARE, RARE_CHARS = 20_000, 64  # words kept that are not in the vocabulary; their length
TABLE_AFTER_CHARS = 16  # of text for each word of the vocabulary: then a table of it pays


class WordTokenizer:
    """Each word is a token; those outside the vocabulary become <UNK>.

    Id 0 closes a line, 1 is <UNK>, then words by decreasing frequency, ties alphabetically.
    Words are what whitespace separates; with ``split="unicode"`` punctuation marks and Chinese
    or Japanese characters also stand alone, while contractions, numbers and hyphenated
    compounds stay whole. Spacing is lost, and put back by rule (`join_words`).
    """

    level = "word"
    eos = EOS
    unk: int | None = UNK
    lossless = False
    settings = frozenset({"vocab_size", "min_count", "split", "lower", "unk_token"})

    def __init__(
        self,
        words: Sequence[str],
        split: str = "whitespace",
        lower: bool = False,
        rare: Sequence[str] = (),
        unk_token: str = "",
    ):
        """`words` are the types from id 2 on; `rare` some that were left out of them.

        unk_token: a word that texts have in place of unknown ones.
        """
        self.split, self.lower, self.rare, self.unk_token = split, lower, rare, unk_token
        self._names = ["</s>", "<UNK>", *words]
        self._ids = _Vocabulary(zip(words, range(2, len(words) + 2), strict=True))
        if len(self._ids) != len(words) or not all(words) or "\n" in self._ids:
            raise CharlmError("the word list is damaged: words are empty or occur twice")
        self._ids["\n"] = EOS
        if unk_token:
            if unk_token in self._ids:
                raise CharlmError(f"the word list is damaged: it has {unk_token}")
            self._ids[unk_token] = UNK
        self.vocab_size = len(self._names)
        self._dtype = smallest_unsigned(self.vocab_size)
        self._memo = WordMemo(self._segment, self._dtype)
        self._lock = threading.Lock()
        self._table: WordTable | None = None
        self._until_table = TABLE_AFTER_CHARS * self.vocab_size if split == "whitespace" else None

    @classmethod
    def from_text(cls, config: TokenizerConfig, chunks: Iterable[str]) -> WordTokenizer:
        """`train` with the settings of `config`. Raises CharlmError for too small a vocabulary."""
        check_vocab_size(config)
        words, size, min_count = whole_words(chunks), config.vocab_size, config.min_count
        unk_token = "" if config.unk_token == NO_TOKEN else config.unk_token
        return cls.train(words, size, min_count, config.split, config.lower, unk_token)

    @classmethod
    def train(
        cls,
        chunks: Iterable[str],
        vocab_size: int = 0,
        min_count: int = 1,
        split: str = "whitespace",
        lower: bool = False,
        unk_token: str = "",
    ) -> WordTokenizer:
        """Keep the words seen at least `min_count` times; at most `vocab_size` tokens in all.

        `chunks` must not split words (see `pieces.whole_words`). `unk_token` is <UNK>, if the text
        has it at all.
        """
        unk_token = unk_token.lower() if lower else unk_token
        counts: dict[str, int] = {}
        for word, n in count_words(chunks, lower=lower):
            for part in _parts(word, split, unk_token):
                counts[part] = counts.get(part, 0) + n
        counts.pop("\n", None)
        unk_token = unk_token if counts.pop(unk_token, 0) else ""
        words = sorted(counts, key=_rank(counts))
        size = bisect_left(words, True, key=lambda word: counts[word] < min_count)
        size = min(size, vocab_size - 2) if vocab_size else size
        counts.clear()  # it takes as much memory as the tokenizer will
        return cls(words[:size], split, lower, _spaced(_short(words[size:]), MAX_RARE), unk_token)

    def encode(self, text: str) -> Ids:
        """Ids (N,) of the words of `text`, with <EOS> for each newline."""
        if len(text) >= MIN_CHARS and can_be_packed(text):
            text = text.lower() if self.lower else text
            table = self._whole_table(len(text))
            return self._memo.encode(text) if table is None else self._look_up(table, text)
        words = self.words(text)
        return np.fromiter(map(self._ids.__getitem__, words), self._dtype, len(words))

    def _whole_table(self, chars: int) -> WordTable | None:
        """A table of the whole vocabulary, once there is so much text that it is worth building."""
        with self._lock:
            if self._table is None and self._until_table is not None:
                self._until_table -= chars
                if self._until_table < 0:
                    self._until_table = None  # only once
                    self._table = WordTable.of_all(self._names[2 : self.vocab_size])
        return self._table

    def _look_up(self, table: WordTable, text: str) -> Ids:
        """`encode` where every word is a token, number k in the table being token k + 1."""
        words = pack(text)
        ids = (table.find(words) + np.uint32(1)).astype(self._dtype)
        ids[words.low == NEWLINE] = EOS
        return ids

    def _segment(self, word: str) -> list[int]:
        return [self._ids[part] for part in _parts(word, self.split, self.unk_token)]

    def words(self, text: str) -> list[str]:
        """The words of `text`, one for each id that `encode` gives."""
        return self.written(text.lower() if self.lower else text)

    def written(self, text: str) -> list[str]:
        """The same words as they are written, with no case folded."""
        words = words_of(text)
        if self.split == "unicode":
            return [part for word in words for part in _parts(word, self.split, self.unk_token)]
        return words

    def ids_of_line(self, line: str) -> list[int]:
        """The ids of the words of a line, as fast as one line goes; line breaks are spaces."""
        words = (line.lower() if self.lower else line).split()
        if self.split == "unicode":
            words = [part for word in words for part in _parts(word, self.split, self.unk_token)]
        return list(map(self._ids.__getitem__, words))

    def decode(self, ids: Ids | Sequence[int]) -> str:
        """Running text: words spaced as in print, <EOS> as a newline, <UNK> as "<UNK>"."""
        lines: list[list[str]] = [[]]
        for i in np.asarray(ids).tolist():
            if i == EOS:
                lines.append([])
            else:
                lines[-1].append(self._names[i])
        return "\n".join(map(join_words, lines))

    def unknown(self, text: str) -> Sequence[str]:
        return [word for word in self.words(text) if word not in self._ids]

    def growing(self) -> GrowingWordTokenizer:
        """The same, for decoding only, with names for more ids than the vocabulary has."""
        return GrowingWordTokenizer(self)

    def typical_unknown(self) -> Sequence[str]:
        """Words like those that it does not know: the rarest of the training text."""
        return self.rare or _short(self._names[2:][-MAX_RARE:])

    def token(self, id: int) -> str:
        return self._names[id]

    def starts_word(self) -> Mask:
        """(V,) all True: every token is a word or closes the line."""
        return np.ones(self.vocab_size, np.bool_)

    def as_dict(self) -> dict[str, Any]:
        found = {"level": "word", "split": self.split, "lower": self.lower}
        found |= {"rare": list(self.rare)} if self.rare else {}
        found |= {"unk_token": self.unk_token} if self.unk_token else {}
        return {**found, "words": self._names[2:]}

    def extended(self, config: TokenizerConfig, chunks: Iterable[str]) -> WordTokenizer:
        return self.united(WordTokenizer.from_text(config, chunks))

    def united(self, other: WordTokenizer) -> WordTokenizer:
        """The same with the words of another as well, after its own."""
        words = dict.fromkeys(self._names[2:] + other._names[2:])
        unk_token = self.unk_token or other.unk_token
        if unk_token in words:  # one of them has it as a word
            unk_token = ""
        rare = [word for word in dict.fromkeys([*self.rare, *other.rare]) if word not in words]
        rare = _spaced(rare, MAX_RARE)
        return WordTokenizer(list(words), self.split, self.lower, rare, unk_token)

    def limited(self, words: Collection[str]) -> WordTokenizer:
        """The same with those of its words alone that are in `words`."""
        kept = [word for word in self._names[2:] if word in words]
        others = [word for word in self._names[2:] if word not in words]
        rare = _spaced([*_short(others), *self.rare], MAX_RARE)
        return WordTokenizer(kept, self.split, self.lower, rare, self.unk_token)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WordTokenizer:
        words, split, lower = data["words"], data["split"], data["lower"]
        rare = data.get("rare", [])
        for listed in (words, rare):
            if not isinstance(listed, list) or not all(isinstance(word, str) for word in listed):
                raise ValueError("words are not a list of strings")
        odd = any(len(word) > RARE_CHARS or set(word) & set(" \n") for word in rare)
        if odd or len(rare) > MAX_RARE:
            raise ValueError("rare words are too many, or no words")
        if split not in ("whitespace", "unicode") or not isinstance(lower, bool):
            raise ValueError("split or lower has an impossible value")
        unk_token = data.get("unk_token", "")
        if not isinstance(unk_token, str) or set(unk_token) & set(" \n"):
            raise ValueError("unk_token is no word")
        return cls(words, split, lower, rare, unk_token)


class GrowingWordTokenizer(WordTokenizer):
    """A copy to which words are added that can be decoded; it encodes as the original does."""

    def __init__(self, original: WordTokenizer) -> None:
        vars(self).update(vars(original))
        self._names = list(self._names)

    def add(self, word: str) -> int:
        """The id of a further word."""
        self._names.append(word)
        return len(self._names) - 1


class _Vocabulary(dict[str, int]):
    """Word → id; UNK for a word outside the vocabulary."""

    def __missing__(self, word: str) -> int:
        return UNK


def _short(words: Iterable[str]) -> list[str]:
    """Those that are short enough to be kept for their spelling."""
    return [word for word in words if len(word) <= RARE_CHARS]


def _spaced(words: Sequence[str], limit: int) -> list[str]:
    """At most `limit` of the words, at equal distances."""
    step = max(1, -(-len(words) // limit))
    return list(words[::step])


def _rank(counts: Mapping[str, int]) -> Callable[[str], tuple[int, str]]:
    return lambda word: (-counts[word], word)


# Han, kana and their iteration marks: written without spaces, so each stands alone.
CJK = (
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
CJK_MARKS = (  # full-width punctuation
    "\u3001-\u3003\u3008-\u3020\u3030\u30fb\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)


def combining_marks() -> str:
    """Unicode's combining marks, as in a class of `re`, which does not count them as letters."""
    blocks = map(chr, (*range(0x300, 0x1F000), *range(0xE0100, 0xE01F0)))
    marked = [c for c in blocks if unicodedata.category(c)[0] == "M"]
    grouped = groupby(enumerate(marked), key=lambda item: ord(item[1]) - item[0])
    runs = ([c for _, c in run] for _, run in grouped)  # as ranges, which `re` looks up faster
    return "".join(f"{run[0]}-{run[-1]}" for run in runs)


@lru_cache(maxsize=1)
def _word_pattern() -> re.Pattern[str]:
    """After Unicode's word boundaries (UAX #29), with hyphenated compounds kept whole.

    `export/page/words.js` has the same in JavaScript.
    """
    marks = combining_marks()
    letter = rf"(?:(?![{CJK}])\w[{marks}\u200c\u200d]*)"
    return re.compile(
        rf"""
        [{CJK}][{marks}]*
        | (?: (?![{CJK}])[^\W\d_]\. ){{2,}}                   # e.g. U.S.A.
        | {letter}+ (?: (?: ['’·\-‐‑&]|(?<=\d)[.,:/](?=\d) ) {letter}+ )*  # don't, 3.14, so-so
        | ['’](?:s|S|d|m|t|ll|re|ve|em|tis|twas|til)(?!\w)  # ’s on its own
        | ``|''|\.{{2,}}|-{{2,}}                            # Penn quotes, ellipsis, dash
        | \S[{marks}\u200d\ufe0f]*
        """,
        re.VERBOSE,
    )


def _parts(word: str, split: str, unk_token: str) -> Sequence[str]:
    """The tokens of a word between whitespace."""
    return split_word(word) if split == "unicode" and word != unk_token else (word,)


def split_word(word: str) -> list[str]:
    """The Unicode-aware parts of a word between whitespace; a newline stays itself."""
    if word == "\n" or (word.isascii() and word.isalpha()):
        return [word]
    return _word_pattern().findall(word)


NO_SPACE_BEFORE = re.compile(
    r"[,.;:!?)\]}%”»…]|''|’’|\.{2,}|['’](?:s|S|d|D|m|M|t|T|re|RE|ve|VE|ll|LL)|[nN]['’][tT]"
)
NO_SPACE_AFTER = re.compile(r"[(\[{`“‘«$£€¥#¿¡]|``")
TIGHT = re.compile(r"[/@‑]")
PAIRED = re.compile("[\"']")  # opens and closes
CJK_EDGE = re.compile(f"[{CJK}{CJK_MARKS}]")


def join_words(words: Sequence[str]) -> str:
    """One line of running text; more words only ever add to its end.

    >>> join_words("`` Well '' , he said .".split())
    "``Well'', he said."
    """
    text = ""
    space = False  # whether one goes before the next word, unless that forbids it
    quoted: set[str] = set()  # the paired quotes that are open
    previous = ""
    for word in words:
        if word == "." and previous[:1] != "." and previous.endswith("."):
            continue  # the full stop after "Jr."
        before = after = True
        if PAIRED.fullmatch(word):
            possessive = word == "'" and text[-1:] in ("s", "S")
            after = word in quoted or possessive
            before = not after
            if before or word in quoted:
                quoted ^= {word}
        elif NO_SPACE_BEFORE.fullmatch(word):
            before = False
        elif NO_SPACE_AFTER.fullmatch(word):
            after = False
        elif TIGHT.fullmatch(word):
            before = after = False
        cjk = CJK_EDGE.match(word) or CJK_EDGE.match(text[-1:])
        text += f" {word}" if space and before and not cjk else word
        space, previous = after, word
    return text
