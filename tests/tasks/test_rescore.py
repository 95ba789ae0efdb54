"""Reranking n-best lists: the arithmetic, the tuning, the files."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from cli_support import Cli
from nbest_maker import nbest, sentences
from toys import pair_of

from charlm.config import TokenizerConfig
from charlm.errors import CharlmError
from charlm.models import model_file
from charlm.models.kneser_ney import estimate
from charlm.models.ngram import NgramLM
from charlm.tasks.nbest import Hypothesis, Utterance, read, read_kaldi, read_references
from charlm.tasks.rescore import Scored, Weights, count_errors, fit_weights, rescore, score
from charlm.tasks.score import score as score_sentences
from charlm.text.tokenizer import Tokenizer, build


def trigram() -> tuple[NgramLM, Tokenizer]:
    text = "".join(line + "\n" for line in sentences(400, seed=1))
    tokenizer = build(TokenizerConfig(level="word"), [text])
    ids = tokenizer.encode(text)
    return estimate(ids, tokenizer.vocab_size, tokenizer.eos, 3, lines=True), tokenizer


def task(seed: int = 2, count: int = 60) -> tuple[list[Utterance], dict[str, str]]:
    truths = sentences(count, seed)
    lists = nbest(truths, seed)
    utterances = [
        Utterance(id, tuple(Hypothesis(text, own) for text, own in found)) for id, found in lists
    ]
    return utterances, {u.id: truth for u, truth in zip(utterances, truths, strict=True)}


def test_tuning_beats_the_first_pass_and_not_the_oracle() -> None:
    lm, tokenizer = trigram()
    dev, dev_refs = task(2)
    scored, errors = score(lm, tokenizer, dev), count_errors(dev, dev_refs)
    weights = fit_weights(scored, errors)
    first = errors.rate(scored.best(Weights(0, 0)))
    tuned, oracle = errors.rate(scored.best(weights)), errors.oracle(scored)
    assert oracle <= tuned < 0.6 * first
    test, test_refs = task(3)  # and on what it was not tuned on
    scored, errors = score(lm, tokenizer, test), count_errors(test, test_refs)
    assert errors.oracle(scored) <= errors.rate(scored.best(weights))
    assert errors.rate(scored.best(weights)) < 0.7 * errors.rate(scored.best(Weights(0, 0)))


def test_rescoring_in_one_call() -> None:
    lm, tokenizer = trigram()
    utterances, references = task()
    plain = rescore(lm, tokenizer, utterances)
    assert (plain.weights, plain.rates) == (Weights(1.0, 0.0), None)
    found = rescore(lm, tokenizer, utterances, {**references, "other": "x"}, tune=True)
    assert found.rates is not None
    assert found.rates.oracle <= found.rates.after < found.rates.before
    assert found.unmatched == 1
    assert list(found.best) == [utterance.id for utterance in utterances]
    again = rescore(lm, tokenizer, utterances, alpha=found.weights.alpha, beta=found.weights.beta)
    assert again.best == found.best
    for settings, message in (
        ({"tune": True}, "needs references"),
        ({"tune": True, "references": references, "beta": 1.0}, "leave them out"),
        ({"beta": float("inf")}, "`beta` must be a finite number"),
    ):
        with pytest.raises(CharlmError, match=message):
            rescore(lm, tokenizer, utterances, **settings)


def test_no_weights_no_change() -> None:
    lm, tokenizer = trigram()
    utterances, _ = task()
    for utterance, ranked in zip(
        utterances, score(lm, tokenizer, utterances).ranked(Weights(0, 0)), strict=True
    ):
        assert [one.hypothesis for one in ranked] == list(utterance.hypotheses)
        assert [one.place for one in ranked] == list(range(1, len(ranked) + 1))


def test_scores_are_those_of_sentences() -> None:
    lm, tokenizer = pair_of("char")
    texts = ["the cat", "the cats", "", "the cat"]
    utterance = Utterance("u", tuple(Hypothesis(text, 0.0) for text in texts))
    expected = [one.logprob for one in score_sentences(lm, tokenizer, texts)]
    scored = score(lm, tokenizer, [utterance])
    np.testing.assert_allclose(scored.lm_N, expected, atol=1e-4)


def scored_of(*groups: list[tuple[str, float, float | None, float]]) -> Scored:
    """Utterances of (text, first pass, old LM, LM)."""
    utterances = [
        Utterance(f"u{k}", tuple(Hypothesis(t, s, old) for t, s, old, _ in group))
        for k, group in enumerate(groups)
    ]
    return Scored(utterances, np.array([lm for group in groups for *_, lm in group]))


def test_the_formula() -> None:
    scored = scored_of([("a b c", -10.0, -4.0, -3.0), ("", -9.0, -1.0, -2.0)])
    np.testing.assert_allclose(
        scored.combined(Weights(0.5, 0.25)), [-10 + 0.5 * 1 + 0.75, -9 + 0.5 * -1]
    )
    without = scored_of([("a b c", -10.0, None, -3.0)])
    assert without.combined(Weights(0.5, 0.0)).tolist() == [-11.5]


def test_ties_go_to_the_first() -> None:
    scored = scored_of(
        [("a", 1.0, None, 0.0), ("b", 1.0, None, 0.0)],
        [("c", 0.0, None, -1.0), ("d", 2.0, None, -3.0)],
    )
    weights = Weights(1.0, 0.0)
    assert scored.best(weights).tolist() == [0, 2]
    assert [[one.hypothesis.text for one in own] for own in scored.ranked(weights)] == [
        ["a", "b"],
        ["c", "d"],
    ]


def test_errors_are_counted_by_words_or_characters() -> None:
    utterances = [Utterance("u", (Hypothesis("the pair", 0.0), Hypothesis("", 0.0)))]
    words = count_errors(utterances, {"u": "the pear tree"})
    assert (words.counts.tolist(), words.total) == ([2, 3], 3)
    chars = count_errors(utterances, {"u": "the pear"}, "cer")
    assert (chars.counts.tolist(), chars.total) == ([2, 8], 8)
    with pytest.raises(CharlmError, match="no reference for u"):
        count_errors(utterances, {})


def test_reading_tsv_and_json() -> None:
    one = Utterance("u1", (Hypothesis("a b", -1.5, -0.5), Hypothesis("", -2.0, -0.25)))
    two = Utterance("u2", (Hypothesis("c", 3.0, 1.0),))
    tsv = ["u1\ta b\t-1.5\t-0.5", "u1\t\t-2\t-0.25", "", "u2\tc\t3\t1"]
    assert read(tsv, "f") == [one, two]
    named = ["score\tutterance\told_lm_score\thypothesis", "-1.5\tu1\t-0.5\ta b", "-2\tu1\t-.25\t"]
    assert read(named, "f") == [one]
    objects = [
        {"utterance": "u1", "hypothesis": "a b", "score": -1.5, "old_lm_score": -0.5},
        {"utterance": "u1", "hypotheses": [{"text": "", "score": -2, "old_lm_score": -0.25}]},
    ]
    assert read(map(json.dumps, objects), "f") == [one]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("u1\ta", "line 2: expected utterance, hypothesis and score"),
        ("u1\ta\tx", "line 2: the score 'x'"),
        ("u1\ta\tnan", "line 2: the score nan is not finite"),
        ("u1\ta\tinf", "not finite"),
        ("\ta\t1", "line 2: the utterance has no name"),
        ("{bad", "line 2: not valid JSON"),
        ('{"utterance": "u", "text": "a"}', "line 2: the score is missing"),
        ('{"utterance": "u", "hypotheses": 3}', "list of objects"),
        ("u1\ta\t1\t2", "some do not"),
        ('{"utterance": "u", "hypotheses": []}', "non-empty list"),
        ('{"utterance": "u", "text": "a", "score": 1' + "0" * 400 + "}", "is not a number"),
        ("{" + '"a":[' * 100_000, "line 2: not valid JSON"),
    ],
)
def test_malformed_lines_are_named(line: str, message: str) -> None:
    with pytest.raises(CharlmError, match=message):
        read(["u1\ta\t1", line], "f")


def test_kaldi_s_files() -> None:
    texts = ["utt-a-1 the pear", "utt-a-2 the pair", "utt-a-3"]
    acoustic = ["utt-a-1 10.5", "utt-a-2 10", "utt-a-3 30"]
    lm = ["utt-a-1 2", "utt-a-2 1", "utt-a-3 1"]
    (found,) = read_kaldi(texts, acoustic, lm, ["t", "a", "l"])
    assert found.id == "utt-a"
    assert [(h.text, h.score, h.old_lm) for h in found.hypotheses] == [
        ("the pear", -12.5, -2.0),
        ("the pair", -11.0, -1.0),
        ("", -31.0, -1.0),
    ]
    with pytest.raises(CharlmError, match="'utt-a-2' has no score"):
        read_kaldi(texts, acoustic[:1], None, ["t", "a"])
    with pytest.raises(CharlmError, match="a, line 1"):
        read_kaldi(texts, ["utt-a-1 x"], None, ["t", "a"])


def test_references() -> None:
    assert read_references(["u1 the pear", "u2\ta b", "u3"], "f") == {
        "u1": "the pear",
        "u2": "a b",
        "u3": "",
    }
    with pytest.raises(CharlmError, match="line 2: u1"):
        read_references(["u1 a", "u1 b"], "f")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lm, tokenizer = trigram()
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    model_file.write(path, model_file.ModelFile("ngram", lm.config(), tokenizer, lm.tensors()))
    return path


@pytest.fixture
def cli(model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(model, capsys, monkeypatch)


def write_task(directory: Path, seed: int = 2) -> tuple[Path, Path]:
    utterances, references = task(seed)
    lists, refs = directory / "nbest.tsv", directory / "refs.txt"
    lists.write_text(
        "".join(f"{u.id}\t{h.text}\t{h.score}\n" for u in utterances for h in u.hypotheses)
    )
    refs.write_text("".join(f"{id} {text}\n" for id, text in references.items()))
    return lists, refs


def test_command(cli: Cli, tmp_path: Path) -> None:
    lists, refs = write_task(tmp_path)
    out = tmp_path / "reranked.tsv"
    done = cli("rescore", lists, "--tune", refs, "--out", out)
    assert done.code == 0
    assert "WER before" in done.out
    found = json.loads(cli("rescore", lists, "--tune", refs, "--json").out)
    rates = found["error_rates"]
    assert rates["oracle"] <= rates["after"] < rates["before"]
    written = out.read_text().splitlines()
    assert written[0] == "utterance\thypothesis\tcombined\tscore\tlm"
    assert len(written) == 1 + len(lists.read_text().splitlines())
    best = cli("rescore", lists, "--best", "-q", "--alpha", found["alpha"], "--beta", found["beta"])
    assert len(best.out.splitlines()) == 61
    first = {line.split("\t")[0]: line.split("\t")[1] for line in reversed(written[1:])}
    assert dict(line.split("\t")[:2] for line in best.out.splitlines()[1:]) == first
    same = cli("rescore", lists, "--alpha", "0", "-q").out.splitlines()[1:]
    given = [line.split("\t")[:2] for line in lists.read_text().splitlines()]
    assert [line.split("\t")[:2] for line in same] == given


def test_command_with_bad_input_writes_nothing(cli: Cli, tmp_path: Path) -> None:
    lists, refs = write_task(tmp_path)
    out = tmp_path / "reranked.tsv"
    lists.write_text(lists.read_text() + "u9\tno score\n")
    number = len(lists.read_text().splitlines())
    assert f"line {number}: " in cli.fails("rescore", lists, "--out", out)
    assert not out.exists()
    assert "leave out" in cli.fails("rescore", lists, "--tune", refs, "--alpha", "1")
    assert "--scores" in cli.fails("rescore", lists, "--lm-scores", refs)
    lists, refs = write_task(tmp_path)
    assert "finite" in cli.fails("rescore", lists, "--alpha", "nan")
    assert "overflow" in cli.fails("rescore", lists, "--alpha", "1e308")
    assert "is one of the files" in cli.fails("rescore", lists, "--ref", refs, "--out", refs)
    assert "directory" in cli.fails("rescore", lists, "--out", tmp_path)
    assert "No such file" in cli.fails("rescore", lists, "--out", tmp_path / "none" / "x.tsv")
    assert "needs --scores" in cli.fails("rescore", lists, "--acoustic-scale", "2")
    assert "only once" in cli.fails("rescore", "-", "--tune", "-", stdin=b"")
    refs.write_text("other a b\n")
    assert "no reference for utt000" in cli.fails("rescore", lists, "--tune", refs)


def test_what_is_written_is_read_again(cli: Cli, tmp_path: Path) -> None:
    odd = {"utterance": "u", "text": "the\tcat \ud800", "score": -12345.678901}
    lists, out = tmp_path / "n.jsonl", tmp_path / "out.tsv"
    lists.write_text(json.dumps(odd) + "\n")
    assert cli("rescore", lists, "--out", out, "--json").code == 0
    (again,) = read(out.read_text("utf-8", "surrogateescape").splitlines(), "f")
    assert again.hypotheses[0].score == -12345.678901
    assert again.hypotheses[0].text.startswith("the cat")
    assert "none" in cli.fails("rescore", tmp_path / "none")


def test_a_link_is_followed_and_a_pipe_written_to(cli: Cli, tmp_path: Path) -> None:
    lists, _ = write_task(tmp_path)
    link, target = tmp_path / "link", tmp_path / "target"
    target.write_text("old")
    link.symlink_to(target)
    assert cli("rescore", lists, "--out", link).code == 0
    assert link.is_symlink()
    assert target.read_text().startswith("utterance\t")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read_back: list[str] = []
    reader = threading.Thread(target=lambda: read_back.append(pipe.read_text()))
    reader.start()
    assert cli("rescore", lists, "--out", pipe).code == 0
    reader.join(10)
    assert read_back == [target.read_text()]
    assert pipe.is_fifo()
    assert cli("rescore", lists, "--out", "-", "-q").out == target.read_text()
