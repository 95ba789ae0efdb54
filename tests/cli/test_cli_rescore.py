"""`charlm rescore`."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from cli_support import Cli
from nbest_maker import nbest_task, trigram

import charlm
from charlm.models import model_file
from charlm.tasks.nbest import read


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lm, tokenizer = trigram()
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    model_file.write(path, model_file.ModelFile("ngram", lm.config(), tokenizer, lm.tensors()))
    return path


def write_task(directory: Path, seed: int = 2) -> tuple[Path, Path]:
    lists_of, references = nbest_task(seed)
    lists, refs = directory / "nbest.tsv", directory / "refs.txt"
    lists.write_text(
        "".join(f"{u.id}\t{h.text}\t{h.score}\n" for u in lists_of for h in u.hypotheses)
    )
    refs.write_text("".join(f"{id} {text}\n" for id, text in references.items()))
    return lists, refs


def test_command(cli: Cli, tmp_path: Path) -> None:
    lists, refs = write_task(tmp_path)
    out = tmp_path / "reranked.tsv"
    done = cli("rescore", lists, "--tune", refs, "--out", out)
    assert done.code == 0
    assert done.out.splitlines()[1].split() == ["WER", "95", "%", "S", "I", "D", "of"]
    assert [line.split()[0] for line in done.out.splitlines()[2:5]] == ["before", "after", "oracle"]
    assert "WER lower by" in done.out.splitlines()[5]
    assert "fitted to these references" in done.out.splitlines()[6]
    found = json.loads(cli("rescore", lists, "--tune", refs, "--json").out)
    rates = found["error_rates"]
    assert rates["oracle"]["rate"] <= rates["after"]["rate"] < rates["before"]["rate"]
    written = out.read_text().splitlines()
    assert written[0] == "utterance\thypothesis\tcombined\tscore\tlm"
    assert len(written) == 1 + len(lists.read_text().splitlines())
    best = cli(
        "rescore", lists, "--best", "tsv", "-q", "--alpha", found["alpha"], "--beta", found["beta"]
    )
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
    assert cli("rescore", lists, "--out", link, "--force").code == 0
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


def write_kaldi(directory: Path, seed: int = 2) -> dict[str, Path]:
    """The same lists as Kaldi's text and costs, and the references."""
    lists_of, references = nbest_task(seed)
    files = {name: directory / f"{name}{seed}" for name in ("text", "ac_cost", "lm_cost", "ref")}
    keyed = [(f"{u.id}-{k}", h) for u in lists_of for k, h in enumerate(u.hypotheses, 1)]
    files["text"].write_text("".join(f"{key} {h.text}\n" for key, h in keyed))
    files["ac_cost"].write_text("".join(f"{key} {1 - h.score!r}\n" for key, h in keyed))
    files["lm_cost"].write_text("".join(f"{key} -1.0\n" for key, _ in keyed))
    files["ref"].write_text("".join(f"{id} {text}\n" for id, text in references.items()))
    return files


def test_from_kaldi_to_kaldi(cli: Cli, tmp_path: Path, model: Path) -> None:
    files, costs = write_kaldi(tmp_path), tmp_path / "lm_cost.new"
    how = ("--scores", files["ac_cost"], "--lm-scores", files["lm_cost"])
    done = cli("rescore", files["text"], *how, "--lm-out", costs, "--best", "text")
    best = dict(line.split(" ", 1) for line in done.out.splitlines())
    found = charlm.load(model).rescore(
        files["text"], scores=files["ac_cost"], lm_scores=files["lm_cost"]
    )
    assert best == found.best
    trn = cli("rescore", files["text"], *how, "--best", "trn").out.splitlines()
    assert trn == [f"{text} ({id})" for id, text in best.items()]
    given = [line.split()[0] for line in files["ac_cost"].read_text().splitlines()]
    written = dict(line.split() for line in costs.read_text().splitlines())
    assert list(written) == given  # ids, and their order
    for ranked in found.ranked:
        for one in ranked:
            assert float(written[one.hypothesis.key]) == -one.lm
    # the new costs in place of the old: nothing is left to gain
    again = cli(
        *("rescore", files["text"], "--scores", files["ac_cost"], "--lm-scores", costs),
        *("--best", "text", "--alpha", "0"),
    )
    assert again.out == done.out


def test_weights_from_dev_for_test(cli: Cli, tmp_path: Path) -> None:
    dev, test = write_kaldi(tmp_path, 2), write_kaldi(tmp_path, 3)
    how = ("--scores", test["ac_cost"], "--dev", dev["text"], "--dev-scores", dev["ac_cost"])
    found = json.loads(
        cli("rescore", test["text"], *how, "--tune", dev["ref"], "--ref", test["ref"], "--json").out
    )
    for name in ("dev_error_rates", "error_rates"):
        rates = found[name]
        assert rates["oracle"]["rate"] <= rates["after"]["rate"] < rates["before"]["rate"]
        kinds = ("substitutions", "insertions", "deletions")
        assert rates["after"]["errors"] == sum(rates["after"][kind] for kind in kinds)
    shown = cli("rescore", test["text"], *how, "--tune", dev["ref"], "--ref", test["ref"])
    assert [line.split()[:2] for line in shown.err.splitlines()[3:9]] == [
        [name, what] for name in ("dev", "test") for what in ("before", "after", "oracle")
    ]
    lists, refs = write_task(tmp_path)
    assert "--dev needs its references" in cli.fails("rescore", lists, "--dev", lists)
    assert "need --dev" in cli.fails("rescore", lists, "--dev-scores", refs)
    assert "needs --dev-scores" in cli.fails(
        "rescore", lists, "--dev", lists, "--tune", refs, "--dev-lm-scores", refs
    )


def test_a_penalty_for_unknown_words(cli: Cli) -> None:
    given = b"u\tthe pear\t-1\nu\tthe qqq\t-1\n"
    plain, penal = (
        json.loads(cli("rescore", "-", "--json", "--oov", "closed", *more, stdin=given).out)
        for more in ([], ["--oov-penalty", "50"])
    )
    scores = [{h["hypothesis"]: h["lm"] for h in one["utterances"][0]["hypotheses"]}
              for one in (plain, penal)]  # fmt: skip
    assert scores[0]["the pear"] == scores[1]["the pear"]
    assert scores[0]["the qqq"] - scores[1]["the qqq"] == pytest.approx(50)
    assert "leave out --oov" in cli.fails(
        "rescore", "-", "--oov", "spelled", "--oov-penalty", "1", stdin=given
    )
