"""How commands begin: help, version, usage errors, shell completion."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import Cli, environment, run

import charlm

VERBS = ["train", "score", "sample", "eval", "info"]


def test_help_names_every_verb_and_is_what_no_arguments_give(cli: Cli) -> None:
    result = cli("--help")
    assert result == cli() == cli("-h")
    assert (result.code, result.err) == (0, "")
    for verb in VERBS:
        assert re.search(rf"^  {verb} +\S.*\.$", result.out, re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(cli: Cli, verb: str) -> None:
    result = cli(verb, "--help")
    assert (result.code, result.err) == (0, "")
    assert f"\n  charlm {verb}" in result.out  # an example
    assert "\\b" not in result.out
    assert max(map(len, result.out.splitlines())) <= 80
    assert "-q, --quiet" in result.out


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"charlm {charlm.__version__}\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["scroe"], "No such command 'scroe'."),
        (["--vesion"], "No such option: --vesion. Did you mean --version?"),
        (["score", "--model"], "Option '--model' requires an argument."),
        (["eval"], "Missing argument 'FILE'. (see 'charlm eval --help')"),
        (["info", "--json=1"], "does not take a value"),
    ],
)
def test_usage_errors_are_one_line_with_a_remedy(cli: Cli, args: list[str], says: str) -> None:
    line = cli.fails(*args)
    assert says in line
    assert "--help')" in line


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(model: Path, shell: str) -> None:
    done = run(model, _CHARLM_COMPLETE=f"source_{shell}")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"charlm" in done.stdout


def test_completion_knows_verbs_and_options(model: Path) -> None:
    def complete(line: str, word: int) -> list[str]:
        done = run(model, _CHARLM_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(word))
        return done.stdout.decode().split()

    assert set(complete("charlm s", 1)) == {"score", "sample", "serve"}
    assert "--temperature" in complete("charlm sample --te", 2)


def test_arguments_that_are_no_text(model: Path) -> None:
    command = [sys.executable.encode(), b"-m", b"charlm", b"score", b"caf\xe9", b"-m", b"\xff"]
    done = subprocess.run(command, env=environment(model), capture_output=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""
    done = subprocess.run(command[:5], env=environment(model), capture_output=True, timeout=60)
    assert done.returncode == 0
    assert "caf\ufffd" in done.stdout.decode()
