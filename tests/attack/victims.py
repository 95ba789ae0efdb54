"""Every kind of file that charlm reads, how a case changes one, and what is then done with it.

`python victims.py FOLDER FIRST LAST RESULTS` runs the cases FIRST to LAST in one process, which may
crash, hang or be short of memory, and writes a line of JSON before and after each.
"""

from __future__ import annotations

import faulthandler
import gzip
import io
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
import zlib
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parent))

import mutations
import typer
from mutations import Mutation

from charlm import kenlm
from charlm.cli.app import main
from charlm.display.readable import one_line
from charlm.errors import CharlmError
from charlm.text import corpus

SEED = 20261129
# Before the first case, in none's time: a Ctrl-C half-way would leave a broken module to all later.
IMPORTED = (
    "charlm.training.run",
    "torch._dynamo",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
)
CTRL_C_SECONDS = 3.0  # after which somebody stops what goes on, such as more steps of training
DRAWN = 10  # one case of so many draws the curves, which takes most of the time
typer.main.get_command = cache(typer.main.get_command)  # which would take most of the rest
TEXT = "the cat sat on the mat.\nthe cats sat, and the rat ran.\nübel 猫 was here.\n" * 12
SMALL = ["--hidden", "5", "--embed", "4", "--batch-size", "2", "--bptt", "8", "--threads", "1"]
SMALL += ["--precision", "fp32", "--steps", "2"]


@dataclass(frozen=True)
class Victim:
    """A kind of file."""

    name: str
    files: Sequence[str]  # in the folder; the first is changed
    mutations: Sequence[Mutation]
    commands: Sequence[Sequence[str]]  # what is then run, {} being the first file


def quietly(*words: str) -> None:
    """Run a command that must succeed."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as said:
        if main(list(words)):
            raise RuntimeError(f"{words}: {said.getvalue()}")


def make(folder: Path) -> None:
    """Make one good file of every kind, small."""
    os.chdir(folder)
    Path("t.txt").write_text(TEXT, "utf-8")

    def train(out: str, *words: str) -> None:
        quietly("train", "t.txt", "--out", out, *SMALL, *words)

    train("char", "--plain")
    train("deep", "--plain", "--cell", "gru", "--layers", "2", "--residual", "--learned-start")
    train("word", "--plain", "--level", "word", "--cell", "lstm-peephole", "--tied", "--dense", "1")
    train("both", "--bidirectional", "--cell", "rnn")
    train("piece", "--plain", "--level", "subword", "--vocab-size", "300")
    train("product", "--level", "byte")
    quietly("ngram", "t.txt", "--out", "grams", "--order", "3")
    quietly(
        "ngram", "t.txt", "--out", "words", "--level", "word", "--order", "3", "--arpa", "w.arpa"
    )
    quietly("mix", "char", "grams", "--dev", "t.txt", "--out", "sum", "--cache")
    Path("other.txt").write_text(TEXT.replace("cat", "dog"), "utf-8")
    other = ["--level", "word", "--order", "2", "--out", "other", "--tables", "tables.bin"]
    quietly("ngram", "other.txt", *other)
    Path("list.txt").write_text("the cat\nsat dog\n")
    listed = ["--limit-vocab", "list.txt", "--out", "listed"]
    quietly("mix", "words", "other", "--dev", "t.txt", *listed)
    Path("items.csv").write_text('item,text\n1,"the cat, sat"\n2,the rat\n')
    Path("a.gold").write_text("1\tcats\tcat\n2\tsat\tran\n")
    Path("a.text").write_text("the cats sat\nthe cat sat\n")
    regions = {"regions": [{"content": "the cat"}, {"content": "sat"}]}
    conditions = [{"condition_name": name, **regions} for name in "ab"]
    suite = {
        "meta": {"name": "s", "metric": "sum"},
        "predictions": [{"formula": "(2;%a%) < [(1;%b%) + (*;%b%)] & (1;%a%) = 0"}],
        "items": [{"item_number": 1, "conditions": conditions}],
    }
    Path("suite.json").write_text(json.dumps(suite))
    Path("w.arpa.gz").write_bytes(gzip.compress(Path("w.arpa").read_bytes()))
    pairs = [("the cat sat .", "the cat sits ."), ("the rat ran .", "the rat rans .")]
    Path("p.tsv").write_text("".join(f"{a}\t{b}\tform\n" for a, b in pairs))
    names = ("sentence_good", "sentence_bad")
    Path("p.jsonl").write_text(
        "".join(
            json.dumps({**dict(zip(names, pair, strict=True)), "UID": "form"}) + "\n"
            for pair in pairs
        )
    )
    nbest = [("u1", "the cat sat", -3.5), ("u1", "the cats sat", -3.2), ("u2", "the rat", -1.0)]
    Path("n.tsv").write_text("".join(f"{u}\t{h}\t{s}\n" for u, h, s in nbest))
    Path("n.jsonl").write_text(
        "".join(
            json.dumps({"utterance": u, "hypothesis": h, "score": s}) + "\n" for u, h, s in nbest
        )
    )
    Path("n.text").write_text("".join(f"{u}-{k} {h}\n" for k, (u, h, _) in enumerate(nbest, 1)))
    Path("n.cost").write_text("".join(f"{u}-{k} {-s}\n" for k, (u, _, s) in enumerate(nbest, 1)))
    Path("sentences.txt").write_text("the cat sat.\n\nthe 猫 ran\n", "utf-8")


def a_cache(path: Path, rng: random.Random) -> None:
    """Of a tokenised corpus, whose digests are then right again."""
    stored = json.loads(path.read_bytes())
    stream = path.with_name(rng.choice(("train.bin", "valid.bin")))
    if rng.random() < 0.5:
        stored["body"] = mutations.a_tree(stored["body"], rng)
    else:
        data = mutations.bytes_anywhere(stream.read_bytes(), rng)
        stream.write_bytes(data)
        stored["body"][stream.stem]["crc32"] = zlib.crc32(data)
        stored["body"][stream.stem]["text"]["tokens"] = len(data)
    stored["digest"] = corpus._digest(stored["body"])
    path.write_text(json.dumps(stored), "utf-8")


def a_suite(path: Path, rng: random.Random) -> None:
    """Of a test suite, which stays JSON."""
    path.write_text(json.dumps(mutations.a_tree(json.loads(path.read_bytes()), rng)), "utf-8")


def pieces(path: Path, rng: random.Random) -> None:
    """Of the SentencePiece model in a model file."""
    import base64

    from charlm.system import tensor_file

    contents, tensors = tensor_file.read(path, "charlm")
    proto = base64.b64decode(contents["tokenizer"]["model"])
    changed = mutations.bytes_anywhere(proto, rng)
    contents["tokenizer"]["model"] = base64.b64encode(changed).decode()
    tensor_file.write(path, "charlm", contents, tensors)


USE = [
    ["info", "{}"],
    ["score", "the cat sat", "-m", "{}", "--tokens"],
    ["sample", "-m", "{}", "--max-tokens", "3", "--seed", "1"],
]
MODEL = mutations.sealed("charlm")
RUN = ["model.safetensors", "checkpoint.safetensors", "fallback.safetensors", "config.toml"]
RUN += ["metrics.jsonl"]
RESUME = [["train", "--resume", "deep"]]


def victims() -> list[Victim]:
    """All kinds."""
    found = [
        Victim(f"model {name}", [f"{name}/model.safetensors"], [MODEL, MODEL, mutations.raw], USE)
        for name in ("char", "deep", "word", "piece", "product", "grams", "words", "sum", "listed")
    ]
    tables = [*USE, ["kenlm", "{}"]]
    found.append(Victim("tables", ["tables.bin"], [MODEL, MODEL, mutations.raw], tables))
    both = [USE[0], USE[1], ["fill", "the c_t", "-m", "{}"]]
    found.append(Victim("model both", ["both/model.safetensors"], [MODEL, mutations.raw], both))
    found.append(Victim("pieces", ["piece/model.safetensors"], [pieces], USE))
    run = [f"deep/{name}" for name in RUN]

    def of_run(name: str) -> list[str]:
        return [f"deep/{name}", *(other for other in run if other != f"deep/{name}")]

    sealed = mutations.sealed("charlm-checkpoint")
    found += [
        Victim("checkpoint", of_run(RUN[1]), [sealed, sealed, mutations.raw], RESUME),
        Victim("config", of_run(RUN[3]), [mutations.toml, mutations.raw], RESUME),
        Victim("metrics", of_run(RUN[4]), [mutations.json_lines, mutations.raw], RESUME),
        Victim("cache", ["{cache}", *run], [a_cache, mutations.raw], RESUME),
        Victim(
            "arpa", ["w.arpa"], [mutations.raw], [["info", "{}"], ["score", "the cat", "-m", "{}"]]
        ),
        Victim("arpa.gz", ["w.arpa.gz"], [mutations.packed, mutations.raw], [["info", "{}"]]),
        Victim("pairs tsv", ["p.tsv"], [mutations.raw], [["pairs", "{}", "-m", "words"]]),
        Victim(
            "pairs jsonl",
            ["p.jsonl"],
            [mutations.json_lines, mutations.raw],
            [["pairs", "{}", "-m", "words"]],
        ),
        Victim(
            "pairs by position",
            ["a.gold", "a.text"],
            [mutations.raw],
            [["pairs", "{}", "--text", "a.text", "-m", "words"]],
        ),
        Victim(
            "suite", ["suite.json"], [a_suite, mutations.raw], [["regions", "{}", "-m", "char"]]
        ),
        Victim(
            "stimuli",
            ["items.csv"],
            [mutations.raw],
            [["score", "-f", "{}", "--column", "text", "--words", "--tsv", "-m", "words"]],
        ),
        Victim("n-best tsv", ["n.tsv"], [mutations.raw], [["rescore", "{}", "-m", "words"]]),
        Victim(
            "n-best jsonl",
            ["n.jsonl"],
            [mutations.json_lines, mutations.raw],
            [["rescore", "{}", "-m", "words"]],
        ),
        Victim(
            "n-best kaldi",
            ["n.cost", "n.text"],
            [mutations.raw],
            [["rescore", "n.text", "--scores", "{}", "-m", "words"]],
        ),
        Victim(
            "sentences", ["sentences.txt"], [mutations.raw], [["score", "-f", "{}", "-m", "char"]]
        ),
    ]
    return found


def run_case(number: int, known: Sequence[Victim], good: Path, bad: Path) -> dict[str, Any]:
    """Change a file and use it: what came of it."""
    rng = random.Random(SEED + number)
    victim = known[number % len(known)]
    cache = next(path.relative_to(good) for path in good.glob(".cache/*/corpus.json"))
    names = [name.format(cache=cache) for name in victim.files]
    if names[0] == str(cache):
        names += [str(cache.with_name(f"{part}.bin")) for part in ("train", "valid")]
    for name in names:
        (bad / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(good / name, bad / name)
    rng.choice(victim.mutations)(bad / names[0], rng)
    size, outcomes = (bad / names[0]).stat().st_size, []
    began, before = time.monotonic(), peak(again=True)
    with nullcontext() if number % DRAWN == 0 else patch("charlm.training.metrics_log.draw"):
        for words in victim.commands:
            outcomes.append(use([word.format(names[0]) for word in words]))
    return {
        "victim": victim.name,
        "seconds": time.monotonic() - began,
        "memory": max(0, peak() - before - size),
        "outcomes": outcomes,
    }


def peak(*, again: bool = False) -> int:
    """Bytes that this process has had at most, since it was last asked to begin `again`."""
    if again:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split("VmHWM:")[1].split()[0])


def with_kenlm(path: str) -> int:
    """Score with KenLM's interface, which maps tables into memory; an exit code."""
    try:
        model = kenlm.Model(path)
        model.score_many(["the cat sat", "a"])
        model.score("the dog sat")
    except CharlmError as error:
        sys.stderr.write(f"error: {one_line(str(error))}\n")
        return 2
    return 0


def use(words: list[str]) -> str:
    """Run a command: "used", "refused" in one line, or what is wrong."""
    signal.setitimer(signal.ITIMER_REAL, CTRL_C_SECONDS)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()) as said:
        try:
            code = with_kenlm(words[1]) if words[0] == "kenlm" else main(words)
        except BaseException:
            return f"traceback: {traceback.format_exc()}"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    lines = said.getvalue().splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    if code in (0, 130):
        return "used" if not errors else f"error and exit 0: {errors}"
    if code == 2 and len(errors) == 1 and lines[-1] == errors[0]:
        shown = all(one_line(line) == line for line in lines)
        return "refused" if shown else f"unprintable: {lines}"
    return f"exit {code}: {lines}"


def work(folder: Path, first: int, last: int, results: Path) -> None:
    """Run cases one after another."""
    faulthandler.enable()
    signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for module in IMPORTED:
        import_module(module)
    good, bad = folder / "good", folder / f"bad-{first}"
    shutil.rmtree(bad, ignore_errors=True)
    shutil.copytree(good, bad)
    os.chdir(bad)
    known = victims()
    with results.open("a", encoding="utf-8") as file:
        for number in range(first, last):
            file.write(json.dumps({"case": number, "begun": True}) + "\n")
            file.flush()
            file.write(json.dumps({"case": number, **run_case(number, known, good, bad)}) + "\n")
            file.flush()
    with suppress(OSError):
        shutil.rmtree(bad)


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
