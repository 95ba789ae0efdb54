"""Where the files of the page lie: the server sends them, an exported model has them inside."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent / "page"
