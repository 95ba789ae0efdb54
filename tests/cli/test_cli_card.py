"""`charlm card`."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import Cli

pytestmark = pytest.mark.usefixtures("elsewhere")


def test_the_command(cli: Cli) -> None:
    shown = cli("card", "--language", "en", "--name", "tale")
    assert shown.code == 0
    assert shown.out.startswith("---\nlibrary_name: charlm\n")
    assert shown.err == ""
    written = cli("card", "--language", "en", "--name", "tale", "--out", "README.md")
    assert (written.code, written.out, written.err) == (0, "", "card: README.md\n")
    assert Path("README.md").read_text("utf-8") == shown.out
    assert cli("card", "--out", "README.md").code == 0  # its own


def test_refusals(cli: Cli, tmp_path: Path) -> None:
    Path("README.md").write_text("# My project\n")
    assert "--force" in cli.fails("card", "--out", "README.md")
    assert Path("README.md").read_text() == "# My project\n"
    assert cli.model is not None
    assert "is one of the files to read" in cli.fails("card", "--out", str(cli.model), "--force")
    assert cli.fails("card", "nothing")
    assert cli.fails("card", "--out", tmp_path)
