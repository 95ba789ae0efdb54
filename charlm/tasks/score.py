"""Score sentences: total log-probability, and optionally that of every token and word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..display.html_page import Html, number, text
from ..display.surprisal_html import Piece, Shade, block, inline_shade, pieces_html
from ..errors import CharlmError, require
from ..lm import (
    CausalLM,
    Ids,
    LanguageModel,
    M,
    Mask,
    Nats,
    PseudoLM,
    S,
    SequentialLM,
    causal,
    is_pseudo,
    sequential,
)
from ..measures import Measures, surprisal
from ..models.padding import rows_that_fit
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import WordTokenizer
from .long_sentences import is_long, measure_on
from .measure import measure
from .sampling_filters import entropy
from .word_scores import WordScore, boundary_mass, word_scores

CONTEXTS = ("sentence", "stream")
MAX_BATCH = 64  # sentences stepped through in parallel


@dataclass(frozen=True)
class TokenScore:
    """A token, its log-probability, and its rank among all tokens."""

    token: str
    logprob: float  # nats
    rank: int  # 1 = the most probable; ties are ranked by token id
    written: str = ""  # of an unknown token, what stands in its place

    @property
    def surprisal(self) -> float:
        """−log2 P(token | tokens before), bits."""
        return surprisal(self.logprob)

    def as_dict(self) -> dict[str, Any]:
        return {
            "token": self.token,
            "logprob": self.logprob,
            "surprisal": self.surprisal,
            "rank": self.rank,
        }


@dataclass(frozen=True)
class SentenceScore:
    """A model's score of one sentence."""

    text: str
    measures: Measures
    token_scores: tuple[TokenScore, ...] | None = None  # if requested
    word_scores: tuple[WordScore, ...] | None = None
    pseudo: bool = False  # whether all are pseudo-log-probabilities, of a bidirectional model
    level: str = "char"  # of the tokens

    @property
    def logprob(self) -> float:
        """Of the whole sentence, nats."""
        return self.measures.logprob

    @property
    def perplexity(self) -> float:
        """Per token, <EOS> and out-of-vocabulary tokens included."""
        return self.measures.perplexity

    @property
    def bits_per_char(self) -> float:
        """−log2 P per Unicode character of the sentence, the closing newline included."""
        return self.measures.bits_per_char

    def as_dict(self) -> dict[str, Any]:
        """The JSON object of `charlm score --json`."""
        result: dict[str, Any] = {"text": self.text, **self.measures.as_dict()}
        if self.pseudo:
            result["pseudo"] = True
        if self.token_scores is not None:
            result["token_scores"] = [score.as_dict() for score in self.token_scores]
        if self.word_scores is not None:
            result["word_scores"] = [score.as_dict() for score in self.word_scores]
        return result

    def html(self, shade: Shade = inline_shade) -> Html:
        """The sentence coloured by surprisal; plain if neither tokens nor words were requested."""
        if self.token_scores is not None:
            tokens = [
                Piece(t.written or t.token, t.surprisal, _tooltip(t)) for t in self.token_scores
            ]
            return pieces_html(tokens, self.text, self.level, shade)
        if self.word_scores is not None:
            words = [Piece(w.word, w.surprisal) for w in self.word_scores]
            return pieces_html(words, self.text, "word", shade)
        return text(self.text)

    def _repr_html_(self) -> str:
        """The representation in a notebook."""
        pseudo = "pseudo-" if self.pseudo else ""
        m = self.measures
        caption = [
            f"{pseudo}log P {number(m.logprob)} nats",
            f"{pseudo}perplexity {number(m.perplexity)}",
            f"{number(m.bits_per_char)} {pseudo}bits/char",
        ]
        if m.oov:
            caption.append(f"{m.oov:,} OOV")
        return block(self.html(), " · ".join(caption))


def _tooltip(token: TokenScore) -> str:
    unknown = f"{token.token} · " if token.written else ""
    return f"{unknown}rank {token.rank:,}"


@dataclass(frozen=True)
class Trace:
    """What stepping through a sequence of N tokens yields at each of them; arrays (N,)."""

    nats: Nats
    ranks: Ids
    boundary: Nats  # log B before the token, see word_scores.py
    entropy: Nats  # of the distribution that predicts it, nats; 0 unless words are scored


def score(
    lm: LanguageModel,
    tokenizer: Tokenizer,
    sentences: Sequence[str],
    *,
    eos: bool = True,
    context: str = "sentence",
    tokens: bool = False,
    words: bool = False,
) -> list[SentenceScore]:
    """Score sentences, in the order given.

    Each sentence is taken to follow a sentence end, or, with context "stream", the sentences
    before it. The <EOS> that closes it counts as a token unless `eos` is False (in a stream, the
    sentences after it still see it). `tokens` and `words` request the details. An empty sentence is
    just its <EOS>. A bidirectional model gives pseudo-log-probabilities, each token's given all
    others (Salazar et al. 2020), of sentences on their own.

    Raises CharlmError for a sentence with a line break in it, an unknown context, with a
    bidirectional model for words or a stream, and for tokens and words of a sentence of a million
    characters (see `long_sentences`), which such a model does not read at all.

    >>> texts = ["the apple and pear salad", "the apple and pair salad"]
    >>> [round(scored.logprob, 2) for scored in score(lm, tokenizer, texts)]
    [-9.38, -28.68]
    """
    require(context in CONTEXTS, f"unknown context {context!r}: choose {' | '.join(CONTEXTS)}")
    sentences = list(sentences)
    if any(map(is_long, sentences)):
        require(
            not (lm.pseudo or tokens or words),
            f"a sentence has {max(map(len, sentences)):,} characters: its tokens and words are too "
            "many to score one by one, and for a bidirectional model they are too many at a time. "
            "Score it as a whole, with another model, or cut it into lines",
        )
        return _piecewise(sequential(lm), tokenizer, sentences, eos=eos, context=context)
    seqs = [encode_line(tokenizer, sentence) for sentence in sentences]
    ends = np.cumsum([len(seq) for seq in seqs])[:-1]
    stream = context == "stream" and bool(seqs)
    runs = [np.concatenate(seqs)] if stream else seqs
    traces: list[Trace | None] = [None] * len(seqs)
    if is_pseudo(lm):
        require(
            not (stream or words),
            "this model is bidirectional: it scores sentences on their own, and their tokens, only",
        )
        if tokens:
            traces = [_pseudo_trace(lm, seq) for seq in seqs]
        nats = lm.logprobs(seqs)
    elif tokens or words:
        stepped = step_through(causal(lm), runs, tokenizer.starts_word(), words=words)
        traces = list(split_trace(stepped[0], ends)) if stream else list(stepped)
        nats = [trace.nats for trace in traces if trace is not None]
    else:
        nats = lm.logprobs(runs)
        nats = np.split(nats[0], ends) if stream else nats
    return [
        _sentence(tokenizer, *parts, eos=eos, tokens=tokens, words=words, pseudo=lm.pseudo)
        for parts in zip(sentences, seqs, nats, traces, strict=True)
    ]


def _piecewise(
    lm: SequentialLM[M], tokenizer: Tokenizer, sentences: list[str], *, eos: bool, context: str
) -> list[SentenceScore]:
    """Sentences of which one is long, one after another."""
    scores: list[SentenceScore] = []
    state = lm.start(1)
    for sentence in sentences:
        _check_line(sentence)
        before = state if context == "stream" else lm.start(1)
        found, state = measure_on(lm, before, tokenizer, sentence, eos=eos)
        scores.append(SentenceScore(sentence, found, None, None, False, tokenizer.level))
    return scores


def encode_line(tokenizer: Tokenizer, sentence: str) -> Ids:
    """The sentence's tokens and <EOS>. Raises CharlmError if it has a line break in it."""
    _check_line(sentence)
    return np.append(tokenizer.encode(sentence), tokenizer.eos).astype(np.int32)


def _check_line(sentence: str) -> None:
    if "\n" in sentence:
        raise CharlmError(
            "a sentence contains a line break: give each line as a sentence of its own"
        )


def _written(tokenizer: Tokenizer, sentence: str) -> Sequence[str]:
    """What stands in a sentence for each of its tokens, if some can be unknown."""
    if isinstance(tokenizer, WordTokenizer):
        return tokenizer.written(sentence)
    return sentence if tokenizer.level == "char" else ()


def step_through(
    lm: CausalLM[S], seqs: Sequence[Ids], starts_word_V: Mask, *, words: bool
) -> list[Trace]:
    """Predict every token of every sequence, in parallel, longest first.

    words: whether the entropy is wanted, which takes as long as a softmax.
    """
    order = sorted(range(len(seqs)), key=lambda i: -len(seqs[i]))
    rows = min(MAX_BATCH, rows_that_fit(lm.vocab_size))
    result: dict[int, Trace] = {}
    for b in range(0, len(order), rows):
        group = order[b : b + rows]
        traces = _step_group(lm, [seqs[i] for i in group], starts_word_V, words=words)
        result.update(zip(group, traces, strict=True))
    return [result[i] for i in range(len(seqs))]


def _step_group(
    lm: CausalLM[S], seqs: Sequence[Ids], starts_word_V: Mask, *, words: bool
) -> list[Trace]:
    """`step_through` for sequences sorted longest first; a row is dropped at its end."""
    lengths = np.array([len(seq) for seq in seqs])
    T, B = int(lengths[0]), len(seqs)
    nats, boundary, uncertainty = np.zeros((3, B, T))
    ranks = np.zeros((B, T), np.int64)
    state = lm.start(B)
    for t in range(T):
        alive = int(np.count_nonzero(lengths > t))
        if alive < B:
            state, B = state.take(np.arange(alive)), alive
        ids = np.array([seq[t] for seq in seqs[:alive]])
        predicted = lm.predict(state)
        nats[:alive, t] = predicted[np.arange(alive), ids]
        ranks[:alive, t] = rank(predicted, ids)
        boundary[:alive, t] = boundary_mass(predicted, starts_word_V)
        if words:
            uncertainty[:alive, t] = entropy(predicted.astype(np.float64))
        if t + 1 < T:
            state = lm.advance(state, ids)
    return [
        Trace(nats[b, :n], ranks[b, :n], boundary[b, :n], uncertainty[b, :n])
        for b, n in enumerate(lengths)
    ]


def _pseudo_trace(lm: PseudoLM, seq: Ids) -> Trace:
    """A sequence's trace under a bidirectional model, which has no word boundaries."""
    nats, ranks = np.zeros(len(seq)), np.zeros(len(seq), np.int64)
    first = 0
    for predicted_NV in lm.predictions(seq):
        part = slice(first, first + len(predicted_NV))
        nats[part] = predicted_NV[np.arange(len(predicted_NV)), seq[part]]
        ranks[part] = rank(predicted_NV, seq[part])
        first = part.stop
    nothing = np.zeros(len(seq))
    return Trace(nats, ranks, nothing, nothing)


def rank(predicted_BV: Nats, ids_B: Ids) -> Ids:
    """The rank of each row's token by decreasing probability, from 1; ties by id."""
    p = predicted_BV[np.arange(len(ids_B)), ids_B][:, None]
    earlier = np.arange(predicted_BV.shape[1]) < ids_B[:, None]
    before = (predicted_BV > p) | ((predicted_BV == p) & earlier)
    return np.asarray(1 + before.sum(axis=1))


def split_trace(trace: Trace, ends: Ids) -> list[Trace]:
    """Cut a stream's trace into its sentences'."""
    arrays = (trace.nats, trace.ranks, trace.boundary, trace.entropy)
    parts = (np.split(part, ends) for part in arrays)
    return [Trace(*part) for part in zip(*parts, strict=True)]


def _sentence(
    tokenizer: Tokenizer,
    sentence: str,
    seq: Ids,
    nats: Nats,
    trace: Trace | None,
    *,
    eos: bool,
    tokens: bool,
    words: bool,
    pseudo: bool,
) -> SentenceScore:
    """Assemble one sentence's score; without `eos`, leave its last token out."""
    n = len(seq) if eos else len(seq) - 1
    ids, nats = seq[:n], nats[:n]
    token_scores, scored_words = None, None
    if trace is not None and tokens:
        written = [*_written(tokenizer, sentence), ""]  # and <EOS>
        token_scores = tuple(
            TokenScore(
                tokenizer.token(int(i)),
                float(p),
                int(r),
                written[k] if i == tokenizer.unk else "",
            )
            for k, (i, p, r) in enumerate(zip(ids, nats, trace.ranks, strict=False))
        )
    if trace is not None and words:
        boundary = np.append(trace.boundary, 0.0)[: n + 1]
        entropies = np.append(trace.entropy, np.nan)[: n + 1]
        scored_words = word_scores(tokenizer, sentence, ids, nats, boundary, entropies)
    line = sentence + "\n" if eos else sentence
    return SentenceScore(
        sentence,
        measure(line, ids, nats, tokenizer),
        token_scores,
        scored_words,
        pseudo,
        tokenizer.level,
    )
