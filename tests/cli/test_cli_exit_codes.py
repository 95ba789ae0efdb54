"""How commands end: exit codes, and errors of every kind in one line."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_support import Cli, environment, run

import charlm
from charlm.cli.exit_codes import as_options, ending


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`batch_size` must be more", "--batch-size must be more"),
        ("try `encoding=latin-1`, or", "try --encoding latin-1, or"),
        ("add `tied=True`", "add --tied"),
        ("add `tied=False`", "add --no-tied"),
        ("`resume=runs/my run`", "--resume runs/my run"),
        ("leave out `corpus`", "leave out CORPUS"),
        ("`arpa_file` names", "--arpa names"),
        ("a file called `A b` stays", "a file called `A b` stays"),
    ],
)
def test_settings_in_messages_are_spelled_as_options(message: str, shown: str) -> None:
    assert as_options(message) == shown


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KeyboardInterrupt(), 130, ""),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 141, ""),
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), 2, "a/b: Permission denied"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device"),
        (OSError(errno.ENOSPC, "No space", "a/b"), 2, "a/b: the disk is full: free some space"),
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


def test_a_full_disk_is_one_line(model: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    for args in ("score the", "sample --seed 1", "info --json", "--help"):
        done = run(model, shell=f"$CHARLM {args} > /dev/full")
        assert (done.returncode, done.stderr) == (2, b"error: No space left on device\n")


def test_a_reader_that_leaves_is_no_error(model: Path) -> None:
    script = "set -o pipefail; yes 'the apple' | head -20000 | $CHARLM score --tsv | head -1"
    done = run(model, shell=script)
    assert done.stdout.startswith(b"line\trank")
    assert done.stderr == b""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("ignored", [False, True])
def test_other_signals_end_as_ctrl_c_does(model: Path, name: str, ignored: bool) -> None:
    if not hasattr(signal, name):
        pytest.skip(f"this system has no {name}")
    number = getattr(signal, name)
    command = [sys.executable, "-m", "charlm", "sample", "--max-tokens", "100000000"]
    before = signal.signal(number, signal.SIG_IGN) if ignored else None
    try:  # a process begins with what is ignored here
        process = subprocess.Popen(
            command, env=environment(model), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    finally:
        if before is not None:
            signal.signal(number, before)
    with process:
        assert process.stdout is not None
        assert process.stdout.read(100)
        process.send_signal(number)
        if ignored:
            time.sleep(1)
            assert process.poll() is None  # it goes on
            process.kill()
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (-signal.SIGKILL if ignored else 130, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="a current directory cannot be deleted there")
def test_a_deleted_current_directory(model: Path, tmp_path: Path) -> None:
    script = f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir {tmp_path}/gone && $CHARLM info"
    done = run(model, shell=script)
    assert done.returncode == 2
    assert done.stderr == (b"error: the current directory no longer exists: change to another\n")


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
