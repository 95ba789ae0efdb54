"""charlm lab neurons: gates, properties of a text, the units that follow them, and the page."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from browser import check_in_light_and_dark, check_self_contained, needs_browser
from cli_support import Cli, on_terminal, write_model
from toys import random_tensors, recurrent_lm

from charlm.config import CELLS, NetworkConfig, TokenizerConfig
from charlm.display import colours
from charlm.errors import CharlmError
from charlm.lab import neurons, properties
from charlm.lab.neurons import Unit, activations, correlate, find, subject
from charlm.lab.unit_page import page
from charlm.models import model_file
from charlm.models.cells import CELL_CLASSES
from charlm.models.kneser_ney import estimate
from charlm.text import tokenizer

Floats = npt.NDArray[np.float64]
TEXT = (
    'He said "come in" to Tom.\n"No," said <script>alert(1)</script> & went.\nThat was all.\n' * 6
)


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT, "utf-8")
    return Cli(write_model(tmp_path / "m.safetensors", text=TEXT), capsys, monkeypatch)


def planted(path: Path, text: str = TEXT) -> Path:
    """A character RNN whose unit 3 is 1 from “ to before ”, −1 elsewhere; the others are weak."""
    tokens = tokenizer.build(TokenizerConfig(level="char"), [text])
    config = NetworkConfig(tokens.vocab_size, cell="rnn", embed=2, hidden=6)
    tensors = {name: 0.02 * array for name, array in random_tensors(config, 1).items()}
    opening, closing = (int(tokens.encode(mark)[0]) for mark in "“”")
    tensors["embedding.weight"][:] = 0
    tensors["embedding.weight"][opening, 0] = 1
    tensors["embedding.weight"][closing, 1] = 1
    tensors["rnn.0.weight_ih"][3] = 20, -20
    tensors["rnn.0.weight_hh"][3] = 0
    tensors["rnn.0.weight_hh"][3, 3] = 4
    tensors["rnn.0.bias_ih"][:] = 0
    tensors["rnn.0.bias_hh"][:] = 0
    model_file.write(path, model_file.ModelFile("recurrent", config.as_dict(), tokens, tensors))
    return path


# The cells' gates -----------------------------------------------------------------------------


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("cell", CELLS)
def test_gates_are_the_textbook_s(cell: str) -> None:
    config = NetworkConfig(5, cell=cell, embed=3, hidden=4)
    w = {n.removeprefix("rnn.0."): t for n, t in random_tensors(config, 3, 0.9).items()}
    rng = np.random.default_rng(5)
    x, h, c = rng.normal(size=(2, 3)), rng.normal(size=(2, 4)), 2 * rng.normal(size=(2, 4))
    own = CELL_CLASSES[cell](w)
    state = tuple(part.astype(np.float32) for part in ((h, c) if "lstm" in cell else (h,)))
    x_BG = own.inputs(x.astype(np.float32))
    before = [part.copy() for part in (x_BG, *state)]
    found = own.gates(x_BG, state)
    a = x @ w["weight_ih"].T + w["bias_ih"] + h @ w["weight_hh"].T + w["bias_hh"]
    blocks = np.split(a, config.gates, axis=1)
    expected: dict[str, Floats] = {}
    if cell == "gru":
        expected = {"r": sigmoid(blocks[0]), "z": sigmoid(blocks[1])}
    elif cell.startswith("lstm"):
        i, f, g, o = blocks
        p = w["peephole"] if cell == "lstm-peephole" else np.zeros((3, 4))
        i, f = sigmoid(i + p[0] * c), sigmoid(f + p[1] * c)
        after = f * c + i * np.tanh(g)
        expected = {"i": i, "f": f, "o": sigmoid(o + p[2] * after)}
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=2e-6)
    for part, copy in zip((x_BG, *state), before, strict=True):
        np.testing.assert_array_equal(part, copy)  # nothing is changed in place


@pytest.mark.parametrize("cell", CELLS)
def test_activations_are_those_of_advance(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neurons, "TOKENS_AT_ONCE", 4)
    lm = recurrent_lm(cell, layers=2)
    ids = np.random.default_rng(1).integers(0, 11, 10)
    chunks = list(activations(lm, ids))
    assert [first for first, _ in chunks] == [0, 4, 8]
    state = lm.start(1)
    for t, i in enumerate(ids):
        _, found = chunks[t // 4]
        for k, layer in enumerate(state.layers):
            x = (
                lm.stack.inputs(ids[t : t + 1])
                if k == 0
                else lm.stack.cells[k].inputs(found[0, "h"][t % 4][None])
            )
            for what, gate in lm.stack.cells[k].gates(x, layer).items():
                np.testing.assert_allclose(found[k, what][t % 4], gate[0], atol=1e-6)
        state = lm.advance(state, np.array([i]))
        for k, layer in enumerate(state.layers):
            for what, part in zip("hc", layer, strict=False):
                np.testing.assert_allclose(found[k, what][t % 4], part[0], atol=1e-6)


def test_correlation_is_numpy_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neurons, "TOKENS_AT_ONCE", 7)
    monkeypatch.setattr(neurons, "TOKENS_SHOWN", 10)
    lm = recurrent_lm("lstm")
    rng = np.random.default_rng(2)
    ids, p = rng.integers(0, 11, 40), rng.normal(size=(40, 3))
    r, kept = correlate(lm, ids, p)
    parts = [found for _, found in activations(lm, ids)]
    for place, found in r.items():
        a = np.concatenate([part[place] for part in parts]).astype(np.float64)
        for k in range(3):
            for j in range(7):
                assert found[k, j] == pytest.approx(np.corrcoef(p[:, k], a[:, j])[0, 1], abs=1e-6)
        np.testing.assert_array_equal(kept[place], a[:10].astype(np.float32))


# Properties of a text -------------------------------------------------------------------------


def test_inside_quotes() -> None:
    def of(text: str) -> str:
        return "".join(str(int(inside)) for inside in properties.inside_quotes(text))

    assert of('a "b c" d') == "001111000"
    assert of("“b” „c“ «d»") == "11001100110"
    assert of('"b\nc" d') == "1111000"  # goes on over a line end
    assert of('"b\n\nc') == "11100"  # but not over an empty line
    assert list(properties.inside_quotes(["``", "so", "''", "x"])) == [1, 1, 0, 0]


def test_positions_count_from_line_and_word() -> None:
    tokens = tokenizer.build(TokenizerConfig(level="char"), ["ab Cd\ne"])
    ids = tokens.encode("ab Cd\ne")
    own = properties.pieces(tokens, ids)
    found = properties.properties(own, tokens.starts_word()[ids])
    assert found["position in line"].tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert found["position in word"].tolist() == [0, 1, 0, 1, 2, 0, 1]
    assert found["end of word"].tolist() == [0, 1, 0, 0, 1, 0, 1]
    assert found["capital letter"].tolist() == [0, 0, 0, 1, 0, 0, 0]


def test_pieces_of_bytes_are_characters() -> None:
    tokens = tokenizer.build(TokenizerConfig(level="byte"), [])
    assert properties.pieces(tokens, tokens.encode("a“\n")) == ["a", "", "", "“", "\n"]


# The units ------------------------------------------------------------------------------------


def test_a_planted_unit_is_found_first(tmp_path: Path) -> None:
    text = "He said “come in” to Tom.\n“No,” said Ann, and “oh”.\nThat was all.\n" * 5
    found = find(subject(planted(tmp_path / "m.safetensors", text)), text, top=2)
    quotes = next(one for one in found.tracked if one.name == "inside quotes")
    (best, r), (_, second) = quotes.units
    assert best == Unit(0, 3, "h")
    assert r > 0.98 > abs(second)
    assert quotes.chance < 0.9
    assert quotes.marks is not None
    assert sum(quotes.marks) == 5 * sum(map(len, ("“come in", "“No,", "“oh")))
    again = find(subject(tmp_path / "m.safetensors"), text, unit="0:3")
    assert again.chosen == best
    assert dict(again.tracked[0].units)[best] == pytest.approx(r)
    assert len(again.as_dict()["unit"]["values"]) == len(text)


def test_what_does_not_vary_is_left_out(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.safetensors", "word")
    found = find(subject(model), "the apple and the salad\nthe pear\n")
    assert set(found.left_out) == {
        "inside quotes",
        "position in word",
        "end of word",
        "capital letter",
    }
    assert found.spaced()[:2] == ["the ", "apple "]
    nothing = find(subject(write_model(tmp_path / "c.safetensors")), "aaa", unit="0:1:f")
    assert {one.name for one in nothing.tracked} == {
        "position in line",
        "position in word",
        "end of word",
    }


def test_errors_say_what_is_there(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.safetensors")
    for unit, wrong in (
        ("3", "should be layer:unit"),
        ("1:0", "layers are 0 to 0, not 1"),
        ("0:12", "units are 0 to 11, not 12"),
        ("0:1:z", "lstm has h, c, i, f, o, not 'z'"),
    ):
        with pytest.raises(CharlmError, match=wrong):
            find(subject(model), TEXT, unit=unit)
    with pytest.raises(CharlmError, match="fewer than three tokens"):
        find(subject(model), "a")


def test_n_gram_models_have_no_units(cli: Cli) -> None:
    Path("c.txt").write_text(TEXT * 4, "utf-8")
    assert cli("ngram", "c.txt", "--out", "n", "--level", "char").code == 0
    assert "is an n-gram model: only networks have hidden units" in cli.fails(
        "lab", "neurons", "n", "text.txt"
    )
    assert not Path("lab-neurons.html").exists()


def test_of_a_mixture_the_network_is_looked_at(cli: Cli) -> None:
    Path("c.txt").write_text(TEXT * 4, "utf-8")
    contents = model_file.read("m.safetensors")
    mixed = {f"0.{name}": tensor for name, tensor in contents.tensors.items()}
    config = {"weights": [[1.0]], "parts": [{"family": "recurrent", "config": contents.config}]}
    both = model_file.ModelFile("mixture", config, contents.tokenizer, mixed)
    model_file.write("x.safetensors", both)
    assert (
        find(subject("x.safetensors"), TEXT).tracked == find(subject("m.safetensors"), TEXT).tracked
    )


def test_a_network_is_found_behind_n_grams(cli: Cli) -> None:
    """In a mixture that begins with an n-gram model, and within a cache over it."""
    Path("c.txt").write_text(TEXT * 4, "utf-8")
    contents = model_file.read("m.safetensors")
    lm = estimate(contents.tokenizer.encode(TEXT), contents.tokenizer.vocab_size, 0, 2, lines=False)
    grams = model_file.ModelFile("ngram", lm.config(), contents.tokenizer, lm.tensors())
    parts = [grams, contents]
    tensors = {f"{k}.{n}": t for k, one in enumerate(parts) for n, t in one.tensors.items()}
    config = {
        "weights": [[0.5, 0.5]],
        "parts": [{"family": one.family, "config": one.config} for one in parts],
    }
    both = model_file.ModelFile("mixture", config, contents.tokenizer, tensors)
    cached = model_file.ModelFile(
        "recent",
        {"window": 9, "share": 0.1, "part": {"family": both.family, "config": both.config}},
        contents.tokenizer,
        {f"0.{name}": tensor for name, tensor in both.tensors.items()},
    )
    expected = find(subject("m.safetensors"), TEXT).tracked
    for made in (both, cached):
        model_file.write("x.safetensors", made)
        assert find(subject("x.safetensors"), TEXT).tracked == expected


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


# The page and the command ---------------------------------------------------------------------


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


def test_colours_run_from_blue_over_white_to_red() -> None:
    assert colours.signed_colour(0.0) == (255, 255, 255)
    for scale in (colours.SIGNED_ON_WHITE, colours.SIGNED_ON_BLACK):
        red, blue = colours.signed_colour(2.0, scale), colours.signed_colour(-2.0, scale)
        assert red == scale[-1]
        assert blue == scale[0]
        assert red[0] > red[2]
        assert blue[2] > blue[0]


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
    assert "layers are" in cli.fails("lab", "neurons", "m.safetensors", "text.txt", "--unit", "7:7")
    assert "no: No such file" in cli.fails(
        "lab", "neurons", "m.safetensors", "text.txt", "--out", "no/p.html"
    )


def test_the_page_never_replaces_what_is_read(cli: Cli) -> None:
    Path("run").mkdir()
    own = write_model(Path("run/model.safetensors"), text=TEXT)
    read = (own, Path("text.txt"))
    before = [path.read_bytes() for path in read]
    for out in read:
        said = cli.fails("lab", "neurons", "run", "text.txt", "--out", out)
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
