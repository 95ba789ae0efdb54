"""`charlm score`."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from cli_support import Cli, on_terminal, run
from toys import SCORE_KEYS

import charlm
from charlm.cli import show

PEAR, PAIR = "the apple and pear salad", "the apple and air salad"


# The table ------------------------------------------------------------------------------------


def test_table_ranks_in_input_order(cli: Cli) -> None:
    result = cli("score", PEAR, PAIR, "the")
    assert (result.code, result.err) == (0, "")
    head, *rows = result.out.splitlines()
    assert re.split(r"\s{2,}", head.strip()) == ["log P", "P", "perplexity", "bits/char", "OOV"]
    assert [row.split()[0] for row in rows] == ["3", "2", "▶"]
    assert rows[2].split()[1] == "1"
    assert rows[0].endswith(f"0  {PEAR}")
    assert rows[1].endswith(f"0  {PAIR}")
    assert re.search(r"0  the   ×[\d,.]+( × 10[⁰¹²³⁴⁵⁶⁷⁸⁹]+)? as probable as the next$", rows[2])
    starts = {row.index(text) for row, text in zip(rows, (PEAR, PAIR, "the "), strict=False)}
    assert len(starts) == 1


def test_table_holds_the_library_s_numbers(cli: Cli, model: Path) -> None:
    score = charlm.load(model).score(PEAR).measures
    logprob, mantissa, _, power, perplexity, bits, oov = (
        cli("score", PEAR).out.splitlines()[1].split()[:7]
    )
    assert float(logprob) == pytest.approx(score.logprob, abs=0.006)
    exponent = int(power[2:].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    assert math.log10(float(mantissa)) + exponent == pytest.approx(score.log10prob, abs=0.03)
    assert float(perplexity) == pytest.approx(score.perplexity, abs=0.006)
    assert float(bits) == pytest.approx(score.bits_per_char, abs=0.006)
    assert oov == "0"


def test_equal_sentences_share_the_first_place(cli: Cli) -> None:
    rows = cli("score", PEAR, PEAR).out.splitlines()[1:]
    assert [row.split()[:2] for row in rows] == [["▶", "1"]] * 2
    assert "as probable" not in "".join(rows)


def test_oov_is_counted_and_perplexity_given_without_it(cli: Cli) -> None:
    result = cli("score", "the 漢 é", PEAR)
    assert "w/o OOV" in result.out.splitlines()[0]
    assert re.search(r" 2  the 漢 é( |$)", result.out.splitlines()[1])
    assert "OOV" in result.err
    assert cli("score", "-q", "the 漢 é", PEAR).err == ""


def test_a_long_sentence_is_not_cut_in_a_pipe(cli: Cli) -> None:
    sentence = "the apple and pear " * 40
    assert sentence.strip() in cli("score", sentence.strip()).out


def test_control_characters_do_not_reach_the_terminal(cli: Cli) -> None:
    assert "the ␛[31m cat␇" in cli("score", "the \x1b[31m cat\x07").out


@pytest.mark.parametrize(
    ("base", "divisor"), [("e", 1.0), ("2", math.log(2)), ("10", math.log(10))]
)
def test_log_base(cli: Cli, base: str, divisor: float) -> None:
    nats = json.loads(cli("score", PEAR, "--log-base", base, "--json").out)[0]["logprob"]
    table = cli("score", PEAR, "--log-base", base).out.splitlines()
    assert table[0].split()[0] == {"e": "log", "2": "log₂", "10": "log₁₀"}[base]
    assert float(table[1].split()[0]) == pytest.approx(nats / divisor, abs=0.006)
    record = tsv(cli("score", PEAR, "--log-base", base, "--tsv").out)[0]
    assert float(record["logprob"]) == pytest.approx(nats / divisor)


# JSON and TSV ---------------------------------------------------------------------------------


def tsv(text: str) -> list[dict[str, str]]:
    head, *rows = (line.split("\t") for line in text.splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_json_has_the_agreed_keys_and_the_library_s_numbers(cli: Cli, model: Path) -> None:
    records = json.loads(cli("score", PEAR, PAIR, "--json").out)
    assert [list(record) for record in records] == [SCORE_KEYS, SCORE_KEYS]
    expected = charlm.load(model).score([PEAR, PAIR])
    assert records == [one.as_dict() for one in expected]


def test_json_tokens_and_words(cli: Cli) -> None:
    record = json.loads(cli("score", PEAR, "--tokens", "--words", "--json").out)[0]
    assert list(record) == [*SCORE_KEYS, "token_scores", "word_scores"]
    assert [token["token"] for token in record["token_scores"]] == [*PEAR, "</s>"]
    assert all(list(t) == ["token", "logprob", "surprisal", "rank"] for t in record["token_scores"])
    assert [word["word"] for word in record["word_scores"]] == [*PEAR.split(), "</s>"]
    for part in ("token_scores", "word_scores"):
        assert sum(x["logprob"] for x in record[part]) == pytest.approx(record["logprob"])


def test_json_knows_no_nan(cli: Cli) -> None:
    out = cli("score", "漢", "--no-eos", "--json").out
    record = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))[0]
    assert record["perplexity_excluding_oov"] is None
    assert record["oov"] == record["tokens"] == 1


def test_tokens_and_words_in_a_pipe(cli: Cli) -> None:
    lines = cli("score", "a pear", "--tokens", "--words").out.splitlines()
    assert lines[0].split() == ["token", "log", "P", "surprisal", "(bits)", "rank"]
    assert [line.split()[0] for line in lines[1:8]] == ["a", "␣", "p", "e", "a", "r", "</s>"]
    assert [line.split()[0] for line in lines[9:13]] == ["word", "a", "pear", "</s>"]
    assert lines[-1].endswith("a pear")


# Where sentences come from --------------------------------------------------------------------


def test_lines_of_stdin_and_of_a_file(cli: Cli, tmp_path: Path) -> None:
    text = f"{PEAR}\r\n\n{PAIR}\n   \n".encode()
    file = tmp_path / "lines.txt"
    file.write_bytes(text)
    expected = json.loads(cli("score", PEAR, PAIR, "--json").out)
    for result in (
        cli("score", "--json", stdin=text),
        cli("score", "-", "--json", stdin=text),
        cli("score", "-f", file, "--json"),
    ):
        found = json.loads(result.out)
        assert [one.pop("line") for one in found] == [1, 3]
        assert found == expected
        assert result.err == "2 empty lines skipped\n"


def test_context_stream_remembers(cli: Cli) -> None:
    alone = json.loads(cli("score", PEAR, PAIR, "--json").out)
    stream = json.loads(cli("score", PEAR, PAIR, "--json", "--context", "stream").out)
    assert stream[0]["logprob"] == pytest.approx(alone[0]["logprob"])
    assert abs(stream[1]["logprob"] - alone[1]["logprob"]) > 1e-4


def test_no_eos(cli: Cli) -> None:
    record = json.loads(cli("score", PEAR, "--no-eos", "--tokens", "--json").out)[0]
    assert record["tokens"] == record["chars"] == len(PEAR)
    assert record["token_scores"][-1]["token"] == "d"


def test_encoding_and_errors(cli: Cli) -> None:
    text = "the é\n".encode("latin-1")
    assert cli.fails("score", stdin=text).startswith("stdin is not valid utf-8 at byte 4")
    record = json.loads(cli("score", "--json", "--encoding", "latin-1", stdin=text).out)[0]
    assert (record["text"], record["oov"]) == ("the é", 1)
    record = json.loads(cli("score", "--json", "--errors", "replace", stdin=text).out)[0]
    assert record["text"] == "the \ufffd"


# Bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "stdin", "says"),
    [
        (["score", ""], None, "sentence 1 is empty"),
        (["score", "the", "  "], None, "sentence 2 is empty"),
        (["score"], b"\n  \n", "only empty lines"),
        (["score"], b"", "holds no text"),
        (["score", "-f", "missing.txt"], None, "missing.txt does not exist"),
        (["score", "-f", "."], None, ". is a directory with no files"),
        (["score", "-f", "x.txt", "the"], None, "mutually exclusive"),
        (["score", "the", "--json", "--tsv"], None, "choose one"),
        (["score", "the", "--tsv", "--tokens", "--words"], None, "choose one"),
        (["score", "the\ncat"], None, "line break"),
        (["score", "--encoding", "klingon"], b"x", "unknown encoding 'klingon'"),
        (["score", "--errors", "shrug"], b"x", "unknown errors value 'shrug'"),
        (["score", "the", "--log-base", "3"], None, "'3' is not one of 'e', '2', '10'"),
        (["score", "the", "--context", "book"], None, "'book' is not one of"),
        (["score", "the", "--tokenz"], None, "Did you mean --tokens"),
        (["score", "the", "--model", "nowhere"], None, "nowhere"),
        (["score", "the", "--model"], None, "requires an argument"),
        (["score"], b"the\0cat\n", "NUL"),
    ],
)
def test_bad_input_is_one_line(
    cli: Cli, args: list[str], stdin: bytes | None, says: str, tmp_path: Path
) -> None:
    cli.patch.chdir(tmp_path)
    assert says in cli.fails(*args, stdin=stdin)


def test_without_a_model_the_remedy_is_told(cli: Cli, tmp_path: Path) -> None:
    cli.patch.chdir(tmp_path)
    cli.model = None
    assert "charlm train" in cli.fails("score", "the")


# Terminals ------------------------------------------------------------------------------------

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_on_a_narrow_terminal_sentences_stand_below_their_rows(model: Path) -> None:
    long = "the cats, which already ate fish, were full and " * 4
    shown = on_terminal(model, "score", long, "我的手机坏了，我打算买一部新手机。" * 4)
    lines = ESCAPES.sub("", shown).splitlines()
    assert max(map(show.cells, lines)) <= 80
    assert "".join(long.split()) in "".join("".join(lines).split())
    assert any("▶ 1  −" in line for line in lines)


def test_ascii_only_output(model: Path) -> None:
    done = run(model, "score", "the", "漢字", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr.count(b"\n")) == (0, 1)
    assert re.search(rb"\d\.\de-\d+ ", done.stdout)
    done = run(model, "score", "漢字", "--json", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert json.loads(done.stdout)[0]["text"] == "漢字"
