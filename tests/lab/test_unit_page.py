"""The page that shows units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from browser import check_in_light_and_dark, check_self_contained, needs_browser
from cli_support import write_model

from charlm.lab.neurons import find, subject
from charlm.lab.unit_page import page

TEXT = (
    'He said "come in" to Tom.\n"No," said <script>alert(1)</script> & went.\nThat was all.\n' * 6
)


def test_text_that_is_no_unicode_and_bytes(tmp_path: Path) -> None:
    """Escapes and halves of characters in a text are shown as pictures, in a name as well."""
    found = find(subject(write_model(tmp_path / "m.safetensors", "byte")), "a \x1b[31m b\n€é " * 40)
    html = page(replace(found, model="<i>\ud83d"))
    assert "\x1b" not in html
    shown = check_self_contained(html).shown
    assert "␛[31m" in shown
    assert "<i>\ufffd" in shown


@needs_browser
def test_a_browser_shows_the_page_in_light_and_dark(tmp_path: Path) -> None:
    found = find(subject(write_model(tmp_path / "m.safetensors", text=TEXT)), TEXT)
    check_in_light_and_dark(page(found), tmp_path / "found")
    chosen = find(subject(tmp_path / "m.safetensors"), TEXT, unit="0:2:c")
    check_in_light_and_dark(page(chosen), tmp_path / "chosen")
