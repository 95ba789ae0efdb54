"""`charlm lab neurons`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser import check_self_contained
from cli_support import Cli, on_terminal, write_model

from charlm.lab.neurons import find, subject
from charlm.lab.unit_page import page
from charlm.models import model_file


@pytest.fixture
def model(elsewhere: Path) -> Path:
    """A model of text.txt, both in the working directory."""
    Path("text.txt").write_text(TEXT, "utf-8")
    return write_model(Path("m.safetensors"), text=TEXT)


TEXT = (
    'He said "come in" to Tom.\n"No," said <script>alert(1)</script> & went.\nThat was all.\n' * 6
)


def test_n_gram_models_have_no_units(cli: Cli) -> None:
    Path("c.txt").write_text(TEXT * 4, "utf-8")
    assert cli("ngram", "c.txt", "--out", "n", "--level", "char").code == 0
    assert "is an n-gram model: only networks have hidden units" in cli.fails(
        "lab", "neurons", "n", "text.txt"
    )
    assert not Path("lab-neurons.html").exists()


def test_what_is_no_text_or_no_model_takes_one_line(cli: Cli) -> None:
    def fails(*args: str, stdin: bytes | None = None) -> str:
        return cli.fails("lab", "neurons", *args, stdin=stdin)

    Path("nothing.txt").touch()
    Path("binary.dat").write_bytes(bytes(range(256)) * 9)
    assert "0 bytes" in fails("m.safetensors", "nothing.txt")
    assert "binary" in fails("m.safetensors", "binary.dat")
    assert "stdin holds no text" in fails("m.safetensors", "-", stdin=b"")
    assert "stdin holds a NUL" in fails("m.safetensors", "-", stdin=b"a\0b" * 9)
    assert "stdin holds no text" in fails("m.safetensors", "-", stdin=b" \n\n")
    for model in ("text.txt", "nothing.txt", "binary.dat"):
        assert f"{model} is damaged (or of another kind" in fails(model, "text.txt")
    assert "is empty" in fails("", "text.txt")
    assert "has no model.safetensors" in fails(".", "text.txt")
    assert not Path("lab-neurons.html").exists()
    piped = cli("lab", "neurons", "m.safetensors", "-", "--json", "-q", stdin=TEXT.encode())
    assert json.loads(piped.out)["tokens"] == len(TEXT)


def test_byte_models_read_any_file(cli: Cli) -> None:
    write_model(Path("b.safetensors"), "byte")
    Path("binary.dat").write_bytes(bytes(range(256)) * 9)
    result = cli("lab", "neurons", "b.safetensors", "binary.dat", "--json", "-q")
    assert json.loads(result.out)["tokens"] == 256 * 9 + 1  # the last line is closed
    check_self_contained(Path("lab-neurons.html").read_text("utf-8"))


def test_the_page_escapes_and_fetches_nothing(cli: Cli) -> None:
    result = cli("lab", "neurons", "m.safetensors", "text.txt", "--out", "p.html")
    assert result.code == 0
    html = Path("p.html").read_text("utf-8")
    shown = check_self_contained(html).shown
    assert "<script>alert(1)</script> & went.\n" in shown
    assert "prefers-color-scheme: dark" in html
    for name in ("inside quotes", "position in line", "position in word", "capital letter"):
        assert f"<h2>{name}</h2>" in html
    html = page(find(subject("m.safetensors"), TEXT, unit="0:2:c"))
    assert html.count("<h2>") == 1
    assert "layer 0, unit 2, c" in html


def test_json(cli: Cli) -> None:
    result = cli("lab", "neurons", "m.safetensors", "text.txt", "--json", "--top", "2", "-q")
    assert result.err == ""
    found = json.loads(result.out)
    assert found["tokens"] == len(TEXT)
    assert found["candidates"] == 12 * 5
    assert {one["property"] for one in found["properties"]} >= {"inside quotes", "end of word"}
    for one in found["properties"]:
        assert len(one["units"]) == 2
        assert set(one["units"][0]) == {"layer", "unit", "what", "r"}
        assert abs(one["units"][0]["r"]) >= abs(one["units"][1]["r"])
    result = cli("lab", "neurons", "m.safetensors", "text.txt", "--json", "--unit", "0:3:f")
    found = json.loads(result.out)
    assert found["unit"]["what"] == "f"
    assert len(found["unit"]["values"]) == len(found["pieces"]) == len(TEXT)


def test_the_table(cli: Cli) -> None:
    result = cli("lab", "neurons", "m.safetensors", "text.txt", "--chars", "100")
    assert result.out.startswith("property          layer  unit  what")
    assert max(map(len, result.out.splitlines()[:-1])) <= 80
    assert "page: lab-neurons.html" in result.err
    result = cli("lab", "neurons", "m.safetensors", "text.txt", "--unit", "0:3")
    assert "r of 0:3:h" in result.out


def test_a_terminal_shows_colours(cli: Cli) -> None:
    assert cli.model is not None
    shown = on_terminal(
        cli.model, "lab", "neurons", "m.safetensors", "text.txt", COLORTERM="truecolor"
    )
    assert "\x1b[30;48;2;" in shown
    assert "inside quotes: 0:" in shown


def test_user_errors_take_one_line(cli: Cli) -> None:
    assert "there is no model" in cli.fails("lab", "neurons", "none", "text.txt")
    assert "text2.txt" in cli.fails("lab", "neurons", "m.safetensors", "text2.txt")
    Path("empty.txt").write_text("\n\n", "utf-8")
    assert "no text" in cli.fails("lab", "neurons", "m.safetensors", "empty.txt")
    given = ("lab", "neurons", "m.safetensors", "text.txt")
    assert "layer 7 is not there" in cli.fails(*given, "--unit", "7:7")
    assert "no: No such file" in cli.fails(
        "lab", "neurons", "m.safetensors", "text.txt", "--out", "no/p.html"
    )


def test_the_page_never_replaces_what_is_read(cli: Cli) -> None:
    Path("run").mkdir()
    own = write_model(Path("run/model.safetensors"), text=TEXT)
    read = (own, Path("text.txt"))
    before = [path.read_bytes() for path in read]
    for out in read:
        said = cli.fails("lab", "neurons", "run", "text.txt", "--out", out, "--force")
        assert said == f"{out} is one of the files to read: name another with --out"
    assert [path.read_bytes() for path in read] == before


def test_the_model_is_loaded_once(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    read = model_file.read

    def counted(path: str | Path) -> model_file.ModelFile:
        loaded.append(str(path))
        return read(path)

    monkeypatch.setattr(model_file, "read", counted)
    assert cli("lab", "neurons", "m.safetensors", "text.txt").code == 0
    assert loaded == ["m.safetensors"]
