"""KenLM's Python interface, for any charlm model: change `import kenlm` to

    import charlm.kenlm as kenlm

and `kenlm.Model(path)` takes a run directory, a model file or an ARPA file. Scores are log10.
(Heafield 2011; the names are those of the `kenlm` package.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from .errors import CharlmError, require
from .lm import CausalLM, Ids, S, is_backoff
from .lm import State as ModelState
from .measures import LN10, perplexity
from .models import model_file
from .models.hashed_ngram import FAMILY, HashedNgramLM
from .models.ngram import NgramLM
from .runs import locate
from .system import output_file, tensor_file
from .text.tokenizer import Tokenizer
from .text.word_tokenizer import WordTokenizer

END = "</s>"


class State:
    """What has been read so far; filled by a model's methods. Equal states predict the same."""

    def __init__(self) -> None:
        self.inner: ModelState | None = None  # the model's state, of one text
        self.read = 0  # tokens since the sentence began, including <s>
        self.fresh = True  # whether no word has been read

    def __copy__(self) -> State:
        same = State()
        same.inner, same.read, same.fresh = self.inner, self.read, self.fresh
        return same

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[bool, bytes]:
        return self.fresh, _bytes(self.inner)


class Model:
    """A language model with KenLM's method names."""

    def __init__(self, path: str | Path, config: object = None) -> None:
        """`config` is ignored. Raises CharlmError if there is no valid model."""
        self.path = str(path)
        contents = model_file.read(locate.resolve(path), mapped=True)
        self.lm, self.tokenizer = model_file.build_causal(contents), contents.tokenizer
        self._tables = self.lm if isinstance(self.lm, HashedNgramLM) and self.lm.lines else None

    @property
    def order(self) -> int:
        """N of an n-gram model; 0 for a model without a fixed context length."""
        return self.lm.order

    def score(self, sentence: str | bytes, bos: bool = True, eos: bool = True) -> float:
        """log10 P of a sentence, after a sentence end (bos) and including its own (eos)."""
        text = sentence.decode() if isinstance(sentence, bytes) else sentence
        if self._tables is not None and isinstance(self.tokenizer, WordTokenizer):
            ids = self.tokenizer.ids_of_line(text)
            if eos:
                ids.append(self.tokenizer.eos)
            return self._tables.sentence(ids, start=bos) / LN10
        seqs = sentence_ids(self.tokenizer, text, eos=eos)
        if not seqs:
            return 0.0
        state = self.lm.start(1) if bos else self.lm.empty(1)
        nats_BT, _ = self.lm.read(state, np.concatenate(seqs)[None])
        return float(nats_BT.sum(dtype=np.float64)) / LN10

    def score_many(
        self, sentences: Sequence[str | bytes], bos: bool = True, eos: bool = True
    ) -> list[float]:
        """`score` of every sentence, all at once."""
        require(not isinstance(sentences, str | bytes), "score_many takes a list of sentences")
        texts = [one.decode() if isinstance(one, bytes) else one for one in sentences]
        lines = isinstance(self.lm, NgramLM) and self.lm.lines
        if not (bos and lines and isinstance(self.tokenizer, WordTokenizer) and texts):
            return [self.score(text, bos, eos) for text in texts]
        ids = self.tokenizer.encode("".join(text.replace("\n", " ") + "\n" for text in texts))
        nats_BT, _ = self.lm.read(self.lm.start(1), ids[None])
        nats = nats_BT[0].astype(np.float64)
        ends = np.flatnonzero(ids == self.tokenizer.eos)
        if not eos:
            nats[ends] = 0
        found: list[float] = (np.add.reduceat(nats, [0, *(ends[:-1] + 1)]) / LN10).tolist()
        return found

    def full_scores(
        self, sentence: str | bytes, bos: bool = True, eos: bool = True
    ) -> Iterator[tuple[float, int, bool]]:
        """For each word and, with eos, the sentence's end: see `full_scores` below."""
        text = sentence.decode() if isinstance(sentence, bytes) else sentence
        return full_scores(self.lm, self.tokenizer, text, bos=bos, eos=eos)

    def perplexity(self, sentence: str | bytes) -> float:
        """Per word, counting the end of the sentence as one."""
        return perplexity(self.score(sentence) * LN10, len(sentence.split()) + 1)

    def __contains__(self, word: str) -> bool:
        """Whether the model knows every token of the word."""
        unk = self.tokenizer.unk
        known = unk is None or unk not in self.tokenizer.encode(word)
        return word == END or (bool(word) and known)

    def BeginSentenceWrite(self, state: State) -> None:
        """Make `state` the beginning of a sentence."""
        state.inner, state.read, state.fresh = self.lm.start(1), 1, True

    def NullContextWrite(self, state: State) -> None:
        """Make `state` the empty context."""
        state.inner, state.read, state.fresh = self.lm.empty(1), 0, True

    def BaseScore(self, in_state: State, word: str, out_state: State) -> float:
        """log10 P(word | in_state); `out_state` becomes the state after it. "</s>" is the end."""
        return self.BaseFullScore(in_state, word, out_state).log_prob

    def BaseFullScore(self, in_state: State, word: str, out_state: State) -> FullScoreReturn:
        """`BaseScore` with the length of the n-gram used and whether the word is unknown."""
        if in_state.inner is None:
            raise CharlmError("the state is not set: call BeginSentenceWrite or NullContextWrite")
        ids: Ids = np.array([self.tokenizer.eos])
        if word != END:
            ids = word_ids(self.tokenizer, word, first=in_state.fresh)
        length = _length(self.lm, in_state.inner, in_state.read, ids)
        nats_BT, after = self.lm.read(in_state.inner, ids[None])
        out_state.inner, out_state.read = after, in_state.read + len(ids)
        out_state.fresh = False
        oov = self.tokenizer.unk is not None and self.tokenizer.unk in ids
        return FullScoreReturn(float(nats_BT.sum(dtype=np.float64)) / LN10, length, oov)


LanguageModel = Model


def build_binary(path: str | Path, out: str | Path, *, force: bool = False) -> None:
    """Write an n-gram model (an ARPA file, a run, a model file) as hash tables.

    `Model` maps such a file into memory and is ready at once, however large it is; other commands
    read it as any model file. force: also replace a file that is not one of charlm's models. Raises
    CharlmError for other models.
    """
    output_file.check(Path(out), tensor_file.is_ours, force=force)
    contents = model_file.read(locate.resolve(path))
    lm = model_file.build(contents)
    if not isinstance(lm, NgramLM):
        raise CharlmError(f"{path} is not an n-gram model: only those have tables")
    tables = lm if isinstance(lm, HashedNgramLM) else HashedNgramLM.of(lm)
    model_file.write(
        Path(out).resolve(),
        replace(contents, family=FAMILY.name, config=tables.config(), tensors=tables.tensors()),
    )


class FullScoreReturn:
    """The result of `BaseFullScore`."""

    def __init__(self, log_prob: float, ngram_length: int, oov: bool) -> None:
        self.log_prob, self.ngram_length, self.oov = log_prob, ngram_length, oov

    def __repr__(self) -> str:
        return f"FullScoreReturn({self.log_prob}, {self.ngram_length}, {self.oov})"


class Config:
    """KenLM's loading options, all ignored here."""


def word_ids(tokenizer: Tokenizer, word: str, *, first: bool) -> Ids:
    """The tokens that a word adds to a line: with the space before it, unless it is the first."""
    with_space = tokenizer.level in ("char", "byte") and not first
    ids = tokenizer.encode(" " + word if with_space else word)
    return np.array([tokenizer.unk]) if not len(ids) and tokenizer.unk is not None else ids


def sentence_ids(tokenizer: Tokenizer, sentence: str, *, eos: bool) -> list[Ids]:
    """The tokens of each word of a sentence, and of its end."""
    words = sentence.split()
    seqs = [word_ids(tokenizer, word, first=k == 0) for k, word in enumerate(words)]
    return [*seqs, np.array([tokenizer.eos])] if eos else seqs


def full_scores(
    lm: CausalLM[S], tokenizer: Tokenizer, sentence: str, *, bos: bool = True, eos: bool = True
) -> Iterator[tuple[float, int, bool]]:
    """(log10 P, n-gram length, OOV) of each whitespace-separated word, and of the sentence's end.

    bos: the sentence follows a sentence end; otherwise nothing at all. eos: score its end, too.
    The length is that of the n-gram that gave the probability or, in a model without n-grams, of
    all tokens up to the word's first. A word of several tokens has the product of their
    probabilities, including the space before it.
    """
    seqs = sentence_ids(tokenizer, sentence, eos=eos)
    state, read = (lm.start(1) if bos else lm.empty(1)), int(bos)
    for seq in seqs:
        length = _length(lm, state, read, seq)
        nats_BT, state = lm.read(state, seq[None])
        read += len(seq)
        oov = tokenizer.unk is not None and tokenizer.unk in seq
        yield float(nats_BT.sum(dtype=np.float64)) / LN10, length, oov


def _length(lm: CausalLM[S], state: S, read: int, seq: Ids) -> int:
    """The length of the n-gram that gives the first of `seq` its probability."""
    if not is_backoff(lm) or not len(seq):
        return read + 1
    return int(lm.used_length(state, seq[:1])[0])


def _bytes(state: object) -> bytes:
    """The numbers of a state of one text, of whatever kind."""
    if isinstance(state, np.ndarray):
        return state.tobytes()
    if isinstance(state, tuple):
        return b"|".join(map(_bytes, state))
    return b"|".join(map(_bytes, vars(state).values())) if hasattr(state, "__dict__") else b""
