"""The networks of `shapes`: trained on little texts, and tested on others."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..display.unrolled import Column
from . import shapes_text as texts
from .descent import cross_entropy, take_step

PADDING, UNKNOWN = 0, 1
HIDDEN, EMBED, BATCH, RATE = 64, 32, 64, 5e-3
TESTED = 500  # of every task
UNITS_SHOWN = 8  # those that change most
UNSEEN_SHARE = 0.3  # of a sentence's words, made unknown in training
KEPT_OUT = 4  # one of so many reviews and words is kept for the test
LONGEST_WORD = 7  # letters
LABELS = ("blame", "praise")


@dataclass(frozen=True)
class Job:
    """One network to train."""

    shape: str
    seed: int
    steps: int


@dataclass(frozen=True)
class Example:
    """A network at work, step by step."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Trial:
    """One network trained and tested."""

    right: float  # share of the tests that are right from beginning to end
    words_right: float  # of single answers
    examples: tuple[Example, ...]


class Reader(nn.Module):
    """Reads words; answers after every one of them, with or without a state."""

    def __init__(self, words: int, answers: int, recurrent: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, EMBED, padding_idx=PADDING)
        self.recurrent = nn.GRU(EMBED + 1, HIDDEN) if recurrent else None
        self.alone = nn.Linear(EMBED + 1, HIDDEN)
        self.output = nn.Linear(HIDDEN, answers)

    def forward(self, ids_TB: Tensor, capital_TB: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (T, B, K) and states (T, B, H)."""
        x = torch.cat([self.embedding(ids_TB), capital_TB[..., None]], -1)
        if self.recurrent is None:
            states = self.alone(x).tanh()
        else:
            states, _ = self.recurrent(x)
        return self.output(states), states


class Writer(nn.Module):
    """Begins with a state, and reads what it wrote itself."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, EMBED)
        self.recurrent = nn.GRU(EMBED, HIDDEN)
        self.output = nn.Linear(HIDDEN, words)

    def forward(self, ids_TB: Tensor, start_BH: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (T, B, V) and states (T, B, H)."""
        states, _ = self.recurrent(self.embedding(ids_TB), start_BH[None])
        return self.output(states), states

    @torch.no_grad()
    def sure(self, states_TH: Tensor, tokens: Sequence[int]) -> list[float]:
        """How probable each token was after the state before it."""
        shares = self.output(states_TH[: len(tokens)]).softmax(-1)
        found: list[float] = shares[torch.arange(len(tokens)), torch.tensor(tokens)].tolist()
        return found

    @torch.no_grad()
    def write(
        self,
        first_B: Tensor,
        start_BH: Tensor,
        end: int,
        most: int,
        draw: Callable[[Tensor], Tensor],
    ) -> tuple[Tensor, Tensor]:
        """Tokens (T, B) up to `most`, after a first one, and the states before each (T, B, H)."""
        token_B, state = first_B, start_BH[None]
        tokens, states = [], []
        for _ in range(most):
            top, state = self.recurrent(self.embedding(token_B)[None], state)
            token_B = draw(self.output(top[0]))
            tokens.append(token_B)
            states.append(top[0])
            if (torch.stack(tokens) == end).any(0).all():
                break
        return torch.stack(tokens), torch.stack(states)


def train_and_test(job: Job) -> Trial:
    """Train one network, in a worker process, and test it."""
    torch.manual_seed(job.seed)
    rng = Random(job.seed)
    if job.shape == "one to many":
        return _from_label(job, rng)
    if job.shape == "many to many, Tx ≠ Ty":
        return _turning_round(job, rng)
    if job.shape == "many to one":
        return _reviews(job, rng)
    return _names(job, rng, recurrent=job.shape != "one to one")


def is_kept_out(words: Sequence[str]) -> bool:
    """Whether a text is kept for the test; so is the review of the textbook."""
    joined = " ".join(words)
    return texts.REVIEWED in joined or zlib.crc32(joined.encode()) % KEPT_OUT == 0


def _learn(networks: Sequence[nn.Module], steps: int, loss: Callable[[], Tensor]) -> None:
    weights = [weight for network in networks for weight in network.parameters()]
    optimizer = torch.optim.Adam(weights, lr=RATE)
    for step in range(steps):
        take_step(optimizer, weights, loss(), RATE, step / steps)


# ------------------------------------------------------------------------------- names, reviews


def _names(job: Job, rng: Random, recurrent: bool) -> Trial:
    known = texts.vocabulary([texts.tagged(Random(k))[0] for k in range(2000)])
    network = Reader(len(known) + 2, 2, recurrent)

    def loss() -> Tensor:
        drawn = [texts.tagged(rng) for _ in range(BATCH)]
        ids, capital = _encoded([words for words, _ in drawn], known)
        unknown = torch.rand(ids.shape) < UNSEEN_SHARE  # so that <UNK> is learned too
        ids = torch.where(unknown & (ids != PADDING), UNKNOWN, ids)
        logits, _ = network(ids, capital)
        return cross_entropy(logits, _padded([marks for _, marks in drawn], -1))

    _learn([network], job.steps, loss)
    tests = [texts.tagged(rng, texts.ASKED) for _ in range(TESTED)]
    answers = [_mark(network, words, known)[0] for words, _ in tests]
    right = [found == marks for found, (_, marks) in zip(answers, tests, strict=True)]
    pairs = [
        pair
        for found, (_, marks) in zip(answers, tests, strict=True)
        for pair in zip(found, marks, strict=True)
    ]
    shown = [texts.NAMED.split(), ["the", "queen", "met", "May", "Baker", "in", "May"]]
    examples = []
    for words in shown:
        marks, sure, states = _mark(network, words, known)
        columns = [
            Column(word, (state,), f"{mark}", max(one, 1 - one))
            for word, mark, one, state in zip(words, marks, sure, _shown(states), strict=True)
        ]
        examples.append(Example("1 marks a person's name", tuple(columns)))
    return Trial(_mean(right), _mean([a == b for a, b in pairs]), tuple(examples))


@torch.no_grad()
def _mark(
    network: Reader, words: Sequence[str], known: dict[str, int]
) -> tuple[list[int], list[float], Tensor]:
    """The marks of a sentence, how probable a name is at each word, and the states (T, H)."""
    logits, states = network(*_encoded([words], known))
    sure = logits[:, 0].softmax(-1)[:, 1].tolist()
    return [int(one > 0.5) for one in sure], sure, states[:, 0]


def _reviews(job: Job, rng: Random) -> Trial:
    known = texts.vocabulary([texts.review(Random(k))[0] for k in range(2000)])
    network = Reader(len(known) + 2, 2, recurrent=True)

    def loss() -> Tensor:
        drawn = [_draw(rng, texts.review, False) for _ in range(BATCH)]
        logits, _ = network(*_encoded([words for words, _ in drawn], known))
        last = torch.tensor([len(words) - 1 for words, _ in drawn])
        return cross_entropy(
            logits[last, torch.arange(BATCH)], torch.tensor([mark for _, mark in drawn])
        )

    _learn([network], job.steps, loss)
    tests = [_draw(rng, texts.review, True) for _ in range(TESTED)]
    right = [_mark(network, words, known)[0][-1] == mark for words, mark in tests]
    examples = []
    for review in (texts.REVIEWED, "the story was dull , but the ending was never boring"):
        words = review.split()
        marks, sure, states = _mark(network, words, known)
        columns = [Column(word, (s,)) for word, s in zip(words, _shown(states), strict=True)]
        columns[-1] = Column(
            words[-1], columns[-1].states, LABELS[marks[-1]], max(sure[-1], 1 - sure[-1])
        )
        examples.append(Example(f"P = {max(sure[-1], 1 - sure[-1]):.3f}", tuple(columns)))
    return Trial(_mean(right), _mean(right), tuple(examples))


# ----------------------------------------------------------------------------- one to many, Tx ≠ Ty


def _from_label(job: Job, rng: Random) -> Trial:
    names = list(texts.vocabulary([texts.review(Random(k))[0] for k in range(2000)]))
    known = {word: k for k, word in enumerate(names)}
    end, first = len(known), len(known) + 1  # then one token for each label
    names.append("</s>")
    network = Writer(first + 2)
    nothing = torch.zeros(BATCH, HIDDEN)

    def loss() -> Tensor:
        drawn = [texts.review(rng) for _ in range(BATCH)]
        ids = [[known[word] for word in words] for words, _ in drawn]
        x = _padded([[first + mark, *own] for own, (_, mark) in zip(ids, drawn, strict=True)], end)
        logits, _ = network(x, nothing)
        return cross_entropy(logits, _padded([[*own, end] for own in ids], -1))

    _learn([network], job.steps, loss)
    labels = torch.arange(TESTED) % 2
    source = torch.Generator().manual_seed(job.seed)
    tokens, states = network.write(
        first + labels,
        torch.zeros(TESTED, HIDDEN),
        end,
        20,
        lambda logits: logits[:, : end + 1].softmax(-1).multinomial(1, generator=source)[:, 0],
    )
    rows = [_until(row, end) for row in tokens.T.tolist()]
    found = [texts.verdict([names[k] for k in row]) for row in rows]
    right = [one == label for one, label in zip(found, labels.tolist(), strict=True)]
    examples = []
    for row in (0, 1):
        written = [*rows[row], end][: len(tokens)]
        units = _shown(states[: len(written), row])
        read = [LABELS[row], *(names[k] for k in rows[row])]
        sure = network.sure(states[: len(written), row], written)
        columns = [
            Column(word, (unit,), names[k], one, fed_back=t > 0)
            for t, (word, unit, k, one) in enumerate(zip(read, units, written, sure, strict=False))
        ]
        examples.append(Example(f"drawn, from {LABELS[row]}", tuple(columns)))
    return Trial(_mean(right), _mean(right), tuple(examples))


def _turning_round(job: Job, rng: Random) -> Trial:
    letters = {letter: k for k, letter in enumerate(texts.LETTERS, start=1)}
    size = len(letters) + 2
    first = end = len(letters) + 1  # the decoder begins with, and ends at, the same sign
    encoder, decoder = nn.GRU(EMBED, HIDDEN), Writer(size)
    embedding = nn.Embedding(size, EMBED, padding_idx=PADDING)
    networks = [encoder, embedding, decoder]

    def encode(words: Sequence[str]) -> tuple[Tensor, Tensor]:
        """The states over a batch of words (T, B, H), and the last of each (B, H)."""
        x = _padded([[letters[one] for one in word] for word in words], PADDING)
        states, _ = encoder(embedding(x))
        last = torch.tensor([len(word) - 1 for word in words])
        return states, states[last, torch.arange(len(words))]

    def draw(rng: Random) -> tuple[list[str], str]:
        word = texts.word(rng, LONGEST_WORD)
        return list(word), word

    def loss() -> Tensor:
        words = [_draw(rng, draw, False)[1] for _ in range(BATCH)]
        turned = [[letters[one] for one in word[::-1]] for word in words]
        _, start = encode(words)
        logits, _ = decoder(_padded([[first, *own] for own in turned], end), start)
        return cross_entropy(logits, _padded([[*own, end] for own in turned], -1))

    _learn(networks, job.steps, loss)
    tests = [_draw(rng, draw, True)[1] for _ in range(TESTED)]
    spelled = {k: letter for letter, k in letters.items()} | {end: "</s>", PADDING: "?"}
    with torch.no_grad():
        tokens, _ = decoder.write(
            torch.full((TESTED,), first),
            encode(tests)[1],
            end,
            LONGEST_WORD + 1,
            lambda logits: logits.argmax(-1),
        )
        answers = ["".join(spelled[k] for k in _until(row, end)) for row in tokens.T.tolist()]
        right = [answer == word[::-1] for answer, word in zip(answers, tests, strict=True)]
        example = _turned(encode, decoder, "facade", first, end, spelled)
    return Trial(_mean(right), _mean(right), (example,))


def _turned(
    encode: Callable[[Sequence[str]], tuple[Tensor, Tensor]],
    decoder: Writer,
    word: str,
    first: int,
    end: int,
    spelled: dict[int, str],
) -> Example:
    """One word, letter by letter, first read and then written."""
    states, start = encode([word])
    tokens, after = decoder.write(
        torch.tensor([first]), start, end, LONGEST_WORD + 1, lambda logits: logits.argmax(-1)
    )
    units = _shown(torch.cat([states[:, 0], after[:, 0]]))
    columns = [Column(letter, (unit,)) for letter, unit in zip(word, units, strict=False)]
    written = [spelled[k] for k in tokens[:, 0].tolist()]
    sure = decoder.sure(after[:, 0], tokens[:, 0].tolist())
    steps = zip(written, units[len(word) :], sure, strict=True)
    for t, (answer, unit, one) in enumerate(steps):
        read = written[t - 1] if t else ""
        columns.append(Column(read, (unit,), answer, one, fed_back=t > 0))
    return Example("read first, then written", tuple(columns))


# -------------------------------------------------------------------------------------- helpers


def _draw(rng: Random, draw: Callable[[Random], Any], kept_out: bool) -> Any:
    """The next text that is, or is not, kept for the test."""
    while True:
        found = draw(rng)
        if is_kept_out(found[0]) == kept_out:
            return found


def _encoded(sentences: Sequence[Sequence[str]], known: dict[str, int]) -> tuple[Tensor, Tensor]:
    """Ids and whether each word has a capital letter, (T, B) each."""
    ids = [[known.get(word, UNKNOWN) for word in words] for words in sentences]
    capital = [[float(word[0].isupper()) for word in words] for words in sentences]
    return _padded(ids, PADDING), _padded(capital, 0.0)


def _padded(rows: Sequence[Sequence[float]], filling: float) -> Tensor:
    """Rows of different lengths as columns, (T, B)."""
    found = np.full((max(map(len, rows)), len(rows)), filling)
    for k, row in enumerate(rows):
        found[: len(row), k] = row
    floats = any(isinstance(one, float) for row in rows for one in row)
    return torch.from_numpy(found.astype(np.float32 if floats else np.int64))


def _shown(states_TH: Tensor) -> list[tuple[float, ...]]:
    """The units that change most, at every step."""
    spread = states_TH.std(0, unbiased=False)
    units = spread.argsort(descending=True)[:UNITS_SHOWN].sort().values
    return [tuple(row) for row in states_TH[:, units].tolist()]


def _until(row: Sequence[int], end: int) -> list[int]:
    row = list(row)
    return row[: row.index(end)] if end in row else row


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
