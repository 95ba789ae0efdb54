"""charlm lab agreement: the sentences it draws, how it judges, and the command."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Thread

import numpy as np
import pytest
from cli_support import Cli, write_model

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.lab import agreement
from charlm.lab.agreement import (
    CONDITIONS,
    LENGTHS,
    Agreement,
    draw_test,
    grade,
    train_and_evaluate,
)
from charlm.lab.clauses import VERBS, Item, Lexicon, draw_items, draw_text
from charlm.models import model_file, model_parts
from charlm.models.kneser_ney import estimate
from charlm.models.unigram_cache import UnigramCacheLM
from charlm.text import tokenizer

WORDS = Lexicon()
NOUNS = {
    form: number
    for noun in (*WORDS.animals, *WORDS.people, *WORDS.things)
    for number, form in enumerate(noun)
}
TEXT = "".join(f"{line}\n" for line in draw_text(Random(3), WORDS, 400, set()))


def everything(text: str) -> bool:
    return True


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(None, capsys, monkeypatch)


@pytest.fixture(scope="module")
def small() -> Agreement:
    return train_and_evaluate(seed=4, runs=1, steps=2, sentences=4, lines=600)


# Sentences ------------------------------------------------------------------------------------


@pytest.mark.parametrize("attractors", [False, True])
@pytest.mark.parametrize("length", [0, 1, 3, 7, 20])
def test_sentences_are_as_said(length: int, attractors: bool) -> None:
    items = draw_items(Random(1), WORDS, length, attractors, 20, everything)
    assert len(items) == (0 if attractors and length < 3 else 20)
    assert [item.number for item in items] == [0, 1] * (len(items) // 2)
    for item in items:
        the, subject, *clause = item.beginning.replace(",", "").split()
        assert the == "The"
        assert NOUNS[subject] == item.number
        assert clause[:1] in ([], ["which"], ["who"])
        assert len(clause[1:]) == length
        others = [NOUNS[word] for word in clause if word in NOUNS]
        assert bool(others) == attractors
        assert set(others) <= {1 - item.number}
        assert f" {VERBS[item.number]} " in item.text()
        assert item.text(right=False) == item.text().replace(
            f" {VERBS[item.number]} ", f" {VERBS[1 - item.number]} "
        )


def test_learned_and_judged_sentences_differ() -> None:
    rng = Random(2)
    test = draw_test(rng, WORDS, 40, everything)
    judged = {item.text() for lists in test.values() for items in lists for item in items}
    learned = list(draw_text(rng, WORDS, 3000, agreement.reserved(test)))
    assert len(learned) == 3000
    assert not judged & set(learned)
    begun = {line[: re.search(" (was|were) ", line).start()] for line in learned}  # type: ignore
    for lists in test.values():
        for items in lists[2:]:
            assert not begun & {item.beginning for item in items}
    assert len(begun & {item.beginning for item in test[CONDITIONS[0]][0]}) > 9
    assert set(draw_text(Random(5), WORDS, 3000, set())) & {
        item.text() for item in draw_items(Random(6), WORDS, 0, False, 40, everything)
    }  # by chance they would not


def test_nouns_to_learn_from_do_not_tell_the_number() -> None:
    same = [
        NOUNS[word] == NOUNS[line.split()[1].strip(",")]
        for line in draw_text(Random(7), WORDS, 2000, set())
        for word in line.replace(",", "").split()[2:]
        if word in NOUNS
    ]
    assert np.mean(same) == pytest.approx(0.5, abs=0.03)


def test_an_unknown_word_is_left_out() -> None:
    words, left_out = WORDS.known(lambda text: "geese" not in text and "noon" not in text)
    assert left_out == ("goose geese", "before noon")
    assert ("goose", "geese") not in words.animals
    assert words.sufficient
    assert not WORDS.known(lambda text: "The" in text)[0].sufficient


def test_words_that_make_no_clause_of_a_length_make_no_sentence() -> None:
    words, _ = WORDS.known(lambda text: text not in ("slept", "waited", "sang", "ran"))
    assert draw_items(Random(1), words, 1, False, 4, everything) == []
    assert len(draw_items(Random(1), words, 2, False, 4, everything)) == 4


# Judging --------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [3, 5])
def test_beyond_its_window_an_n_gram_model_guesses(order: int) -> None:
    text = "".join(f"{line}\n" for line in draw_text(Random(3), WORDS, 4000, set()))
    tokens = tokenizer.build(TokenizerConfig(level="word", split="unicode"), [text])
    lm = estimate(tokens.encode(text), tokens.vocab_size, tokens.eos, order, lines=True)
    test = draw_test(Random(8), WORDS, 30, lambda text: not (tokens.encode(text) == 1).any())
    shares = [float(np.mean(grade(lm, tokens, items))) for items in test[CONDITIONS[0]]]
    assert shares[0] > 0.9
    assert shares[1:] == [0.5] * 20  # exactly: the same beginning for singular and plural


def test_verbs_are_judged_as_whole_words(tmp_path: Path) -> None:
    """For a model of characters too: P(" was" and a boundary) against P(" were" and a boundary)."""
    file = model_file.read(write_model(tmp_path / "m.safetensors", text=TEXT))
    lm, tokens = model_file.build_causal(file), file.tokenizer
    item = Item("The cat, which slept,", "full", 0)
    starts = np.flatnonzero(tokens.starts_word())

    def probability(verb: str) -> float:
        ids = tokens.encode(f"{item.beginning} {verb}")
        nats, state = lm.read(lm.start(1), ids[None])
        own = nats[0, -len(verb) - 1 :].sum()
        return float(np.exp(own) * np.exp(lm.predict(state)[0, starts]).sum())

    right = probability("was") > probability("were")
    assert grade(lm, tokens, [item]) == [float(right)]
    assert grade(lm, tokens, [Item(item.beginning, "full", 1)]) == [float(not right)]


# The experiment -------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_numbers(small: Agreement) -> None:
    again = train_and_evaluate(seed=4, runs=1, steps=2, sentences=4, lines=600)
    assert json.dumps(again.as_dict()) == json.dumps(small.as_dict())
    assert [one.model for one in small.curves] == ["5-gram", "9-gram", "RNN", "GRU", "LSTM"]


def test_two_panels(small: Agreement) -> None:
    without, with_them = small.panels()
    assert list(without.lines[0].x) == list(LENGTHS)
    assert list(with_them.lines[0].x) == list(LENGTHS[3:])
    assert without.levels == [("chance", 50)]
    assert small.curves[0].means(CONDITIONS[1], range(3)) == []
    assert len(small.curves[0].means(CONDITIONS[1], range(3, 21))) == 1


def test_models_are_judged_with_their_parts(tmp_path: Path) -> None:
    file = model_file.read(write_model(tmp_path / "m.safetensors", "char", TEXT))
    config = {"weights": [[1.0]], "parts": [{"family": "recurrent", "config": file.config}]}
    tensors = {f"0.{name}": tensor for name, tensor in file.tensors.items()}
    mixed = model_file.ModelFile("mixture", config, file.tokenizer, tensors)
    model_file.write(tmp_path / "mixed.safetensors", mixed)
    found = agreement.evaluate_models([str(tmp_path / "mixed.safetensors")], sentences=2)
    assert [one.model for one in found.curves] == ["mixed", "its network"]
    assert found.curves[0].accuracy[CONDITIONS[0]] == found.curves[1].accuracy[CONDITIONS[0]]
    assert found.runs == 0
    assert found.left_out == ()
    cached = model_parts.with_cache(
        mixed, UnigramCacheLM(model_file.build_causal(mixed), 0, 0.1, 9)
    )
    model_file.write(tmp_path / "cached.safetensors", cached)
    found = agreement.evaluate_models([str(tmp_path / "cached.safetensors")], sentences=2)
    assert [one.model for one in found.curves] == ["cached", "its network"]


def test_a_model_that_knows_too_little_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.safetensors", "word")
    with pytest.raises(CharlmError, match="m does not know the word 'The'"):
        agreement.evaluate_models([str(model)])
    model = write_model(
        tmp_path / "n.safetensors", "word", "The cat was full\nthe cats were full\n"
    )
    with pytest.raises(CharlmError, match=r"n knows too few .* unknown: dog dogs, bird birds"):
        agreement.evaluate_models([str(model)])


# The command ----------------------------------------------------------------------------------


def test_json_and_picture(cli: Cli) -> None:
    write_model(Path("m.safetensors"), "char", TEXT)
    result = cli("lab", "agreement", "-m", "m.safetensors", "--sentences", "2", "--json")
    assert result.code == 0
    found = json.loads(result.out)
    assert found["words_between"] == list(range(21))
    without, with_them = found["conditions"]
    assert without["sentences"] == [2] * 21
    assert with_them["sentences"] == [0] * 3 + [2] * 18
    assert with_them["accuracy"]["m"][:3] == [None] * 3
    assert all(share in (0, 0.5, 1) for share in without["accuracy"]["m"])
    assert Path("lab-agreement.png").read_bytes().startswith(b"\x89PNG")
    assert result.err == "picture: lab-agreement.png\n"


def test_the_table(cli: Cli, small: Agreement, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "train_and_evaluate", lambda **settings: small)
    result = cli("lab", "agreement")
    lines = result.out.splitlines()
    assert lines[1].split() == ["words", "5-gram", "9-gram", "RNN", "GRU", "LSTM"]
    assert [line.split()[0] for line in lines[2:11]] == [
        str(n) for n in (0, 1, 2, 3, 5, 8, 12, 16, 20)
    ]
    assert max(map(len, lines[:-2])) <= 80
    assert lines[-2].startswith("Past attractors")
    assert "one run" in lines[-1]


def test_unknown_words_are_named(cli: Cli) -> None:
    lines = [line for line in TEXT.splitlines() if "goose" not in line and "geese" not in line]
    write_model(Path("m.safetensors"), "word", "\n".join([*lines, "lamp lamps"]), split="unicode")
    result = cli("lab", "agreement", "-m", "m.safetensors", "--sentences", "2")
    assert result.code == 0
    assert result.err.splitlines() == [
        "left out, since a model does not know it: goose geese",
        "picture: lab-agreement.png",
    ]
    assert "goose" not in result.out


def test_words_between_spaces_hold_no_commas(cli: Cli) -> None:
    write_model(Path("m.safetensors"), "word", TEXT.replace(",", " ,").replace(".", " ."))
    said = cli.fails("lab", "agreement", "-m", "m.safetensors", "--sentences", "2")
    assert said == "m knows all words of no sentence: does its vocabulary contain the comma?"


def test_user_errors_take_one_line(cli: Cli) -> None:
    assert "there is no model" in cli.fails("lab", "agreement", "-m", "none")
    assert "no: No such file" in cli.fails("lab", "agreement", "--out", "no/p.png")
    write_model(Path("m.safetensors"), "char", TEXT)
    for option in ("--runs", "--steps"):
        said = cli.fails("lab", "agreement", "-m", "m.safetensors", option, "3")
        assert said == "--runs and --steps are for freshly trained cells: leave out --model"


def test_the_picture_never_replaces_a_model(cli: Cli) -> None:
    Path("run").mkdir()
    own = write_model(Path("run/model.safetensors"), "char", TEXT)
    other, before = write_model(Path("m.safetensors"), "char", TEXT), own.read_bytes()
    for out in (own, other):
        args = ("-m", "run", "-m", other, "--sentences", "2", "--out", out)
        assert f"{out} is one of the files to read" in cli.fails("lab", "agreement", *args)
        assert out.read_bytes() == before


def test_a_picture_goes_where_the_path_leads(cli: Cli) -> None:
    """Into a pipe, and through a link; neither is replaced."""
    write_model(Path("m.safetensors"), "char", TEXT)
    os.mkfifo("pipe")
    Path("link.png").symlink_to("real.png")
    read = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)  # what no reader waits for blocks
    try:
        for out in ("pipe", "link.png"):
            args = ("-m", "m.safetensors", "--sentences", "2", "--out", out)
            done = Thread(target=cli, args=("lab", "agreement", *args), daemon=True)
            done.start()
            taken = b""
            while done.is_alive():
                with suppress(BlockingIOError):
                    taken += os.read(read, 1 << 16)
                done.join(0.01)
            with suppress(BlockingIOError):
                taken += os.read(read, 1 << 16)
            assert taken.startswith(b"\x89PNG") == (out == "pipe")
    finally:
        os.close(read)
    assert Path("pipe").is_fifo()
    assert Path("link.png").is_symlink()
    assert Path("real.png").read_bytes().startswith(b"\x89PNG")
