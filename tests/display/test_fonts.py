"""Fonts with Chinese characters, where there are any."""

from __future__ import annotations

from copy import copy
from pathlib import Path

import pytest

from charlm.display import fonts
from charlm.errors import CharlmError

pytestmark = pytest.mark.train  # matplotlib comes with it


def test_where_there_is_none_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "CHINESE", ("no such font",))
    with pytest.raises(CharlmError, match="needs a font with Chinese characters"):
        fonts.chinese_fonts()


def test_one_installed_since_matplotlib_looked_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from matplotlib import font_manager

    path = font_manager.findfont("DejaVu Sans Mono")
    broken = tmp_path / "broken.ttf"
    broken.write_text("no font")
    knows_none = copy(font_manager.fontManager)
    knows_none.ttflist = []
    monkeypatch.setattr(font_manager, "fontManager", knows_none)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(broken), path])
    monkeypatch.setattr(fonts, "CHINESE", ("no such font", "DejaVu Sans Mono"))
    assert fonts.chinese_fonts() == ["DejaVu Sans Mono"]
