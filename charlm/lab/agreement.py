"""Subject and verb far apart: was or were? (Linzen, Dupoux and Goldberg 2016.)

    The cat, which already ate fish near the old boats, was full.

Nouns of the opposite number between subject and verb (attractors: boats) tempt a model into the
wrong verb. It is right if P(right verb) > P(wrong verb) after the same beginning; a tie counts
half. Each sentence is tested with a singular and with a plural subject, so a model that cannot see
the subject is right half the time.

No test sentence is in the training text, and with clauses of UNSEEN_FROM words or more no test
sentence begins, up to the verb, like a training sentence. There are too few shorter ones (44
without a clause): there a model may have memorized the answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from random import Random
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ..config import NetworkConfig, TokenizerConfig, TrainConfig
from ..display.charts import Line, Panel
from ..errors import CharlmError, require
from ..lm import CausalLM, Ids, LanguageModel, S, causal
from ..models import model_file, model_parts
from ..models.kneser_ney import estimate
from ..models.recurrent import RecurrentLM
from ..runs import locate
from ..runs.run_directory import RunDirectory
from ..tasks.word_scores import boundary_mass
from ..text.corpus import Corpus
from ..text.tokenizer import Tokenizer
from .clauses import MAX_CLAUSE, VERBS, Item, Known, Lexicon, draw_items, draw_text
from .palette import colour_of
from .progress import Progress, split_progress

LENGTHS = range(MAX_CLAUSE + 1)  # words of a clause, after which or who; 0: no clause
CONDITIONS = ("no attractor", "attractors")
COMPARED_CELLS = ("rnn", "gru", "lstm")
ORDERS = (3, 5, 9, 13)  # of the n-gram models; a 13-gram sees past a clause of eight words
UNSEEN_FROM = 2  # words of a clause, from which on no test beginning is in the training text
TRAINING_SENTENCES = 10_000  # in the training text
HIDDEN_UNITS = 64  # of the trained cells
MAX_BATCH = 256  # sentences read in parallel

Test = dict[str, list[list[Item]]]  # sentences by condition and length


@dataclass(frozen=True)
class Curves:
    """One model's accuracy, by the number of words in the clause, 0 … MAX_CLAUSE."""

    model: str
    by_run: tuple[dict[str, tuple[float, ...]], ...]  # accuracy by condition; NaN: no sentences

    @property
    def accuracy(self) -> dict[str, tuple[float, ...]]:
        """The mean of all runs."""
        return {
            condition: tuple(map(fmean, zip(*(run[condition] for run in self.by_run), strict=True)))
            for condition in self.by_run[0]
        }

    def means(self, condition: str, lengths: range) -> list[float]:
        """For each run, over clauses of `lengths` words; nothing where there are no sentences."""
        runs = [[run[condition][n] for n in lengths] for run in self.by_run]
        known = [[rate for rate in run if not math.isnan(rate)] for run in runs]
        return [fmean(run) for run in known if run]


@dataclass(frozen=True)
class Sparsity:
    """What an n-gram model of one order could see of the test sentences.

    In a text as long as the training text, of the same grammar, but from which nothing was kept.
    """

    order: int
    ngrams: int  # different ones in this text, of this order
    unseen: tuple[float, ...]  # by length of the clause: the part of test sentences in which the
    # order − 1 tokens before the verb, or all of them, occur nowhere in this text

    @property
    def sees_across(self) -> int:
        """The longest clause past which the model still sees the subject, in words; −1: none.

        Between subject and verb there are also a comma, which or who, and another comma.
        """
        return self.order - 5 if self.order >= 5 else 0 if self.order > 1 else -1


@dataclass(frozen=True)
class Agreement:
    """What the experiment found."""

    seed: int
    runs: int  # networks trained per cell, which are averaged; 0: the user's models
    steps: int  # of each training
    learned_from: int  # sentences
    sentences: dict[str, tuple[int, ...]]  # tested, by condition and length
    curves: tuple[Curves, ...]
    left_out: tuple[str, ...] = ()  # words and phrases that a model does not know
    sparsity: tuple[Sparsity, ...] = ()  # by order of n-gram models

    def as_dict(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "runs": self.runs,
            "steps": self.steps,
            "learned_from": self.learned_from,
            "left_out": list(self.left_out),
            "sparsity": [
                {
                    "order": one.order,
                    "sees_across": one.sees_across,
                    "ngrams": one.ngrams,
                    "unseen": list(one.unseen),
                }
                for one in self.sparsity
            ],
            "words_between": list(LENGTHS),
            "conditions": [
                {
                    "condition": condition,
                    "sentences": list(self.sentences[condition]),
                    "accuracy": {one.model: list(one.accuracy[condition]) for one in self.curves},
                    "by_run": {
                        one.model: [list(run[condition]) for run in one.by_run]
                        for one in self.curves
                    },
                }
                for condition in CONDITIONS
            ],
        }

    def panels(self) -> list[Panel]:
        """One for each condition: accuracy against the length of the clause."""
        titles = ("clauses without attractors", "clauses with attractors")
        return [
            Panel(
                title,
                "words of the clause, after which or who",
                "right verbs (%)",
                [
                    Line(
                        one.model,
                        [n for n in LENGTHS if not math.isnan(one.accuracy[condition][n])],
                        [100 * y for y in one.accuracy[condition] if not math.isnan(y)],
                        "o-",
                        colour_of(one.model, k),
                        max(0.8, 5.0 - 0.7 * k),  # many coincide: the first is seen behind
                    )
                    for k, one in enumerate(self.curves)
                ],
                x_ticks=LENGTHS[::4],
                y_range=(0, 104),
                levels=[("chance", 50)],
            )
            for condition, title in zip(CONDITIONS, titles, strict=True)
        ]


@dataclass(frozen=True)
class Training:
    """One network to train."""

    cell: str
    seed: int
    steps: int
    corpus: Corpus


def train_and_evaluate(
    *,
    seed: int = 1,
    runs: int = 3,
    steps: int = 1000,
    sentences: int = 100,
    lines: int = TRAINING_SENTENCES,
    progress: Progress | None = None,
) -> Agreement:
    """Test freshly trained cells and n-gram models of the same text.

    runs: networks per cell, with seeds `seed`, `seed` + 1, …. sentences: tested at each length and
    condition. lines: training sentences, none of which is tested, or begins like a test sentence
    with a clause of UNSEEN_FROM words or more.
    """
    from . import learn  # here, because importing torch is slow

    require(runs >= 1 and steps >= 1 and lines >= 1, "runs, steps and lines must be at least 1")
    rng, words = Random(seed), Lexicon()
    test = draw_test(rng, words, sentences, lambda text: True)
    text = "".join(f"{line}\n" for line in draw_text(rng, words, lines, reserved(test)))
    found: list[Curves] = []
    with TemporaryDirectory(prefix="charlm-") as directory:
        path = Path(directory) / "agreement.txt"
        path.write_text(text, "utf-8")
        with learn.corpus_of(str(path), TokenizerConfig("word", split="unicode")) as corpus:
            tokenizer = corpus.tokenizer
            V, eos = tokenizer.vocab_size, tokenizer.eos
            other = "".join(
                f"{line}\n" for line in draw_text(Random(seed + 1), words, lines, set())
            )
            ids = tokenizer.encode(other)
            sparsity = tuple(sparsity_of(order, ids, tokenizer, test) for order in ORDERS)
            for order in ORDERS:
                ngram = estimate(corpus.train, V, eos, order, lines=True)
                found.append(_tested(f"{order}-gram", [ngram], tokenizer, test))
            trainings = [
                Training(cell, seed + run, steps, corpus)
                for cell in COMPARED_CELLS
                for run in range(runs)
            ]
            weights = [1.0] * len(trainings)
            trained = learn.run_parallel(_trained, trainings, weights, progress)
    for k, cell in enumerate(COMPARED_CELLS):
        found.append(_tested(cell.upper(), trained[k * runs : (k + 1) * runs], tokenizer, test))
    counts = {condition: tuple(map(len, lists)) for condition, lists in test.items()}
    return Agreement(seed, runs, steps, lines, counts, tuple(found), sparsity=sparsity)


def _trained(job: Training) -> RecurrentLM:
    """Train, in a worker process."""
    from . import learn  # here, because importing torch is slow

    tokenizer = job.corpus.tokenizer
    width = HIDDEN_UNITS
    network = NetworkConfig(tokenizer.vocab_size, cell=job.cell, embed=width, hidden=width)
    config = TrainConfig(
        job.seed, batch_size=32, bptt=64, steps=job.steps, optimizer="muon", lr=0.02
    )
    tensors = learn.train(network, config, job.corpus).tensors()
    return RecurrentLM(network, tensors, tokenizer.eos)


def evaluate_models(
    paths: Sequence[str],
    *,
    seed: int = 1,
    sentences: int = 100,
    progress: Progress | None = None,
) -> Agreement:
    """Test the user's models, on sentences whose words they all know.

    Raises CharlmError if a model cannot be read, or if the models know too few words.
    """
    models: list[tuple[str, LanguageModel, Tokenizer]] = []
    for path in paths:
        file = locate.resolve(path)
        contents = model_file.read(file)
        for name, part in _parts(_name(file), contents):
            same = sum(name == other.split(" #")[0] for other, _, _ in models)
            called = f"{name} #{same + 1}" if same else name
            models.append((called, model_file.build_causal(part), contents.tokenizer))

    def known(text: str) -> bool:
        return all(t.unk is None or not (t.encode(text) == t.unk).any() for _, _, t in models)

    words, left_out = Lexicon().known(known)
    names = ", ".join(dict.fromkeys(name for name, _, _ in models))
    for word in ("The", *VERBS):
        require(known(word), f"{names} does not know the word {word!r}, which the sentences need")
    if not words.sufficient:
        missing = f"{', '.join(left_out[:6])}{' …' if len(left_out) > 6 else ''}"
        raise CharlmError(f"{names} knows too few of the sentences' words; unknown: {missing}")
    test = draw_test(Random(seed), words, sentences, known)
    if not any(items for lists in test.values() for items in lists):
        raise CharlmError(
            f"{names} knows all words of no sentence: does its vocabulary contain the comma?"
        )
    found = []
    reports = split_progress(progress, [1.0] * len(models))
    for (name, lm, tokenizer), report in zip(models, reports, strict=True):
        found.append(_tested(name, [lm], tokenizer, test, report))
    counts = {condition: tuple(map(len, lists)) for condition, lists in test.items()}
    return Agreement(seed, 0, 0, 0, counts, tuple(found), left_out)


def draw_test(rng: Random, words: Lexicon, sentences: int, known: Known) -> Test:
    """Up to so many sentences of every length, by condition."""
    return {
        condition: [draw_items(rng, words, n, bool(k), sentences, known) for n in LENGTHS]
        for k, condition in enumerate(CONDITIONS)
    }


def reserved(test: Test) -> set[str]:
    """What the training text must avoid: test sentences, and beginnings from UNSEEN_FROM on."""
    sentences = {item.text() for lists in test.values() for items in lists for item in items}
    beginnings = {
        item.beginning for lists in test.values() for items in lists[UNSEEN_FROM:] for item in items
    }
    return sentences | beginnings


def sparsity_of(order: int, train: Ids, tokenizer: Tokenizer, test: Test) -> Sparsity:
    """How many n-grams of this order a text (ids, lines closed by <EOS>) has, and how many of the
    test sentences' contexts before the verb it lacks. A line follows a line's end.
    """
    seen: set[tuple[int, ...]] = set()  # contexts: the order − 1 tokens before a token
    ngrams: set[tuple[int, ...]] = set()
    line = [tokenizer.eos]
    for token in train.tolist():
        context = tuple(line[-(order - 1) :])
        seen.add(context)
        ngrams.add((*context, token))
        line = [token] if token == tokenizer.eos else [*line, token]

    def is_unseen(item: Item) -> bool:
        return tuple([tokenizer.eos, *tokenizer.encode(item.beginning)][-(order - 1) :]) not in seen

    by_length = [[is_unseen(item) for lists in test.values() for item in lists[n]] for n in LENGTHS]
    return Sparsity(order, len(ngrams), tuple(fmean(one) if one else math.nan for one in by_length))


def grade(
    lm: CausalLM[S],
    tokenizer: Tokenizer,
    items: Sequence[Item],
    progress: Progress | None = None,
) -> list[float]:
    """For each sentence 1 if P(right verb) > P(wrong verb) after its beginning, ½ if equal, else 0.

    Verbs are whole words (see `word_scores.py`), however the model spells them.
    """
    marks = [math.nan] * len(items)
    beginnings = [tokenizer.encode(item.beginning) for item in items]
    starts_word = tokenizer.starts_word()
    order = sorted(range(len(items)), key=lambda i: len(beginnings[i]))
    done = 0
    for T, alike in groupby(
        order, key=lambda i: len(beginnings[i])
    ):  # all of one length in parallel
        group = list(alike)
        for rows in (group[k : k + MAX_BATCH] for k in range(0, len(group), MAX_BATCH)):
            state = lm.read(lm.start(len(rows)), np.stack([beginnings[i] for i in rows]))[1]
            nats_BV = np.empty((len(rows), 2))
            for v, verb in enumerate(VERBS):
                spelt = [tokenizer.encode(f"{items[i].beginning} {verb}")[T:] for i in rows]
                nats_BT, after = lm.read(state, np.stack(spelt))
                nats_BV[:, v] = nats_BT.sum(axis=1, dtype=np.float64)
                if not starts_word.all():
                    nats_BV[:, v] += boundary_mass(lm.predict(after), starts_word)
            for i, nats in zip(rows, nats_BV, strict=True):
                better = nats[items[i].number] - nats[1 - items[i].number]
                marks[i] = 0.5 if better == 0 else float(better > 0)
            done += len(rows)
            if progress is not None:
                progress(done / len(items))
    return marks


def _tested(
    name: str,
    lms: Sequence[LanguageModel],
    tokenizer: Tokenizer,
    test: Test,
    progress: Progress | None = None,
) -> Curves:
    """Test `lms`, several runs of one kind of model."""
    items = [item for lists in test.values() for one in lists for item in one]
    by_run: list[dict[str, tuple[float, ...]]] = []
    for lm in lms:
        marks = iter(grade(causal(lm), tokenizer, items, progress))
        by_run.append(
            {
                condition: tuple(fmean(islice(marks, len(o))) if o else math.nan for o in lists)
                for condition, lists in test.items()
            }
        )
    return Curves(name, tuple(by_run))


def _parts(name: str, contents: model_file.ModelFile) -> list[tuple[str, model_file.ModelFile]]:
    """A model and, if it is a mixture (with or without a cache), its parts."""
    inner = model_parts.without_cache(contents)
    if inner.family == "mixture":
        own = inner.config["parts"]
        kinds = [f"its {'n-gram' if p['family'] == 'ngram' else 'network'}" for p in own]
        return [
            (name, contents),
            *((kind, model_parts.part(inner, k)) for k, kind in enumerate(kinds)),
        ]
    return [(name, contents)]


def _name(file: Path) -> str:
    """A model's name in a table: its run, or its file."""
    run = RunDirectory(file.resolve().parent)
    return run.path.name if file.name == run.model.name else file.stem
