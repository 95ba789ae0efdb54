"""How commands begin and end: help, version, exit codes, errors of every kind, completion."""

from __future__ import annotations

import errno
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_support import Cli, environment, on_terminal, run, write_model

import charlm
from charlm.cli.app import app
from charlm.cli.ending import ending
from charlm.cli.talk import talk

VERBS = ["train", "score", "sample", "eval", "info"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "model.safetensors")


@pytest.fixture
def cli(model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    return Cli(model, capsys, monkeypatch)


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


def test_quiet_and_verbose_stand_before_or_after_the_verb(cli: Cli, model: Path) -> None:
    for args in (["-v", "score", "the"], ["score", "-v", "the"]):
        assert f"model: {model}" in cli(*args).err
    for args in (["-q", "score"], ["score", "-q"]):
        assert cli(*args, stdin=b"the\n\n").err == ""
    assert cli("score", stdin=b"the\n\n").err == "1 empty line skipped\n"


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


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), 2, "a/b: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device"),
        (MemoryError(), 2, "not enough memory"),
        (charlm.CharlmError("one\n  line"), 2, "one line"),
    ],
)
def test_endings(cli: Cli, error: BaseException, code: int, line: str) -> None:
    def fail(_: object) -> None:
        raise error

    cli.patch.setattr("charlm.cli.info.open_model", fail)
    result = cli("info")
    assert (result.code, result.out) == (code, "")
    assert result.err.count("\n") == (1 if line else 0)
    assert line in result.err


def test_a_bug_keeps_its_traceback(cli: Cli) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError

    cli.patch.setattr("charlm.cli.info.open_model", fail)
    with pytest.raises(ZeroDivisionError):
        cli("info")
    assert ending(ZeroDivisionError()) is None


def test_talk_starts_anew_with_every_command(cli: Cli) -> None:
    cli("-q", "-v", "info")
    cli("info")
    assert not talk.quiet
    assert not talk.verbose
    assert app.info.name == "charlm"


# In processes of their own ---------------------------------------------------------------------


def test_a_full_disk_is_one_line(model: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    for args in ("score the", "sample --seed 1", "info --json", "--help"):
        done = run(model, shell=f"$CHARLM {args} > /dev/full")
        assert (done.returncode, done.stderr) == (2, b"error: No space left on device\n")


def test_a_reader_that_leaves_is_no_error(model: Path) -> None:
    script = "set -o pipefail; yes 'the apple' | head -20000 | $CHARLM score --tsv | head -1"
    done = run(model, shell=script)
    assert done.stdout.startswith(b"sentence_id\trank")
    assert done.stderr == b""


def test_ctrl_c_ends_quietly(model: Path) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    command = [sys.executable, "-m", "charlm", "sample", "--max-tokens", "100000000"]
    with subprocess.Popen(
        command, env=environment(model), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(100)  # it is writing
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, b"")


LONG_WORK = """
import time
from charlm.cli import talk
talk.BAR_AFTER_SECONDS = {patience}
with talk.progress_bar("reading") as report:
    report(0.42)
    time.sleep(0.5)
print("done")
"""


def test_long_work_shows_that_it_lives(model: Path) -> None:
    shown = on_terminal(model, program=LONG_WORK.format(patience=0.01))
    assert "reading" in shown
    assert "42%" in shown
    assert on_terminal(model, program=LONG_WORK.format(patience=60)) == "done\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(model: Path, shell: str) -> None:
    done = run(model, _CHARLM_COMPLETE=f"source_{shell}")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"charlm" in done.stdout


def test_completion_knows_verbs_and_options(model: Path) -> None:
    def complete(line: str, word: int) -> list[str]:
        done = run(model, _CHARLM_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(word))
        return done.stdout.decode().split()

    assert set(complete("charlm s", 1)) == {"score", "sample"}
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
