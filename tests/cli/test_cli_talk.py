"""What commands say beside their results."""

from __future__ import annotations

from pathlib import Path

from cli_support import Cli, on_terminal

from charlm.cli.app import app
from charlm.cli.talk import talk


def test_quiet_and_verbose_stand_before_or_after_the_verb(cli: Cli, model: Path) -> None:
    for args in (["-v", "score", "the"], ["score", "-v", "the"]):
        assert f"model: {model}" in cli(*args).err
    for args in (["-q", "score"], ["score", "-q"]):
        assert cli(*args, stdin=b"the\n\n").err == ""
    assert cli("score", stdin=b"the\n\n").err == "1 empty line skipped\n"


def test_talk_starts_anew_with_every_command(cli: Cli) -> None:
    cli("-q", "-v", "info")
    cli("info")
    assert not talk.quiet
    assert not talk.verbose
    assert app.info.name == "charlm"


LONG_WORK = """
import time
import rich.progress  # which takes a while on a busy machine
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
