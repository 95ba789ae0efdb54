"""The model file: what is written is read back, and any damage is noticed."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from toys import TEXTS, small_model_file, tokenizer_of

from charlm.config import CELLS, NetworkConfig, TokenizerConfig
from charlm.errors import CharlmError
from charlm.models import hashed_ngram, model_file
from charlm.models.hashed_ngram import HashedNgramLM
from charlm.models.kneser_ney import estimate
from charlm.models.model_file import ModelFile, build_causal, read, write
from charlm.models.ngram import MAX_NGRAM_ORDER, NgramLM
from charlm.system import tensor_file
from charlm.tasks.score import score
from charlm.text import tokenizer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    write(path, small_model_file())
    return path


def header_size(data: bytes) -> int:
    return 8 + int(struct.unpack("<Q", data[:8])[0])


@pytest.mark.parametrize("level", TEXTS)
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_written_is_read(tmp_path: Path, level: str, cell: str) -> None:
    given = small_model_file(level, cell=cell, layers=2, dense=1, learned_start=True, tied=True)
    path = tmp_path / "m.safetensors"
    write(path, given)
    found = read(path)
    assert (found.family, found.config, found.training) == (
        given.family,
        given.config,
        given.training,
    )
    assert found.tokenizer.as_dict() == given.tokenizer.as_dict()
    assert found.tensors.keys() == given.tensors.keys()
    for name, tensor in given.tensors.items():
        np.testing.assert_array_equal(found.tensors[name], tensor)
        assert found.tensors[name].dtype == np.float32
    texts = ["the cat", "a☃"]
    one, other = (score(build_causal(m), m.tokenizer, texts) for m in (given, found))
    assert one == other


def test_the_same_model_makes_the_same_bytes(tmp_path: Path) -> None:
    for k in range(5):
        write(tmp_path / str(k), small_model_file())
    assert len({(tmp_path / str(k)).read_bytes() for k in range(5)}) == 1


def test_layout_is_as_documented(path: Path) -> None:
    """docs/model-file.md, checked with nothing but the safetensors package."""
    tensors = load_file(path)
    assert tensors.keys() == small_model_file().tensors.keys()
    data = path.read_bytes()
    metadata = json.loads(data[8 : header_size(data)])["__metadata__"]
    assert metadata.keys() == {"charlm"}
    contents = json.loads(metadata["charlm"])
    assert contents.keys() == {
        "format",
        "family",
        "config",
        "tokenizer",
        "training",
        "sha256",
    }
    assert contents["format"] == 1
    document = (Path(__file__).parents[2] / "docs" / "model-file.md").read_text("utf-8")
    for name in (*contents, *NetworkConfig(5, cell="lstm-peephole", dense=1).shapes()):
        assert f"`{name}`".replace(".0.", ".k.") in document


def test_every_truncation_is_noticed(path: Path) -> None:
    data = path.read_bytes()
    cuts = {len(data) * k // 20 for k in range(20)} | {0, 7, 8, 9, len(data) - 1}
    for cut in cuts:
        path.write_bytes(data[:cut])
        with pytest.raises(CharlmError, match="damaged"):
            read(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(CharlmError, match="damaged"):
        read(path)


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80, 0xFF])
def test_every_flipped_byte_is_noticed(path: Path, flip: int) -> None:
    data = path.read_bytes()
    places = [*range(header_size(data)), *range(header_size(data), len(data), 3)]
    for place in places:
        changed = bytearray(data)
        changed[place] ^= flip
        path.write_bytes(changed)
        with pytest.raises(CharlmError) as caught:
            build_causal(read(path))
        assert "\n" not in str(caught.value)


def test_lying_headers_cost_nothing(path: Path) -> None:
    data = path.read_bytes()
    for size in (1 << 30, 1 << 62, (1 << 64) - 1):
        path.write_bytes(struct.pack("<Q", size) + data[8:])
        with pytest.raises(CharlmError, match="damaged"):
            read(path)
    header = json.loads(data[8 : header_size(data)])
    header["output.bias"]["shape"] = [1 << 40]
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[header_size(data) :])
    with pytest.raises(CharlmError, match="damaged"):
        read(path)
    text = b"[" * 100_000
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    with pytest.raises(CharlmError, match="damaged"):
        read(path)


def test_foreign_files_are_refused(path: Path) -> None:
    save_file({"a": np.zeros(3, np.float32)}, path)
    with pytest.raises(CharlmError, match="not a charlm"):
        read(path)
    path.write_text("A text, not a model.\n" * 100)
    with pytest.raises(CharlmError, match="damaged"):
        read(path)
    with pytest.raises(CharlmError, match="no "):
        read(path.with_name("absent"))
    with pytest.raises(CharlmError, match="directory"):
        read(path.parent)


def test_a_newer_format_asks_for_an_upgrade(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "FORMAT", 2)
    write(path, small_model_file())
    monkeypatch.undo()
    with pytest.raises(CharlmError, match=r"format 2, .* 1: upgrade"):
        read(path)


def test_a_model_that_does_not_fit_together_is_refused(path: Path) -> None:
    model = small_model_file()
    unknown = ModelFile("quantum", model.config, model.tokenizer, model.tensors)
    with pytest.raises(CharlmError, match="'quantum'"):
        build_causal(unknown)
    mistaken = ModelFile("ngram", model.config, model.tokenizer, model.tensors)
    with pytest.raises(CharlmError, match="ngram model's settings are damaged"):
        build_causal(mistaken)
    other = ModelFile("recurrent", model.config, tokenizer_of("byte"), model.tensors)
    with pytest.raises(CharlmError, match="257"):
        build_causal(other)
    larger = ModelFile("recurrent", {**model.config, "hidden": 5}, model.tokenizer, model.tensors)
    with pytest.raises(CharlmError, match="damaged"):
        build_causal(larger)
    newer = ModelFile("recurrent", {**model.config, "rank": 5}, model.tokenizer, model.tensors)
    with pytest.raises(CharlmError, match="newer"):
        build_causal(newer)


def test_its_description(path: Path) -> None:
    contents = small_model_file()
    about = model_file.describe(path, contents)
    assert about == {
        "path": str(path),
        "bytes": path.stat().st_size,
        "format": 1,
        "family": "recurrent",
        "config": contents.config,
        "parameters": sum(tensor.size for tensor in contents.tensors.values()),
        "level": "char",
        "vocab_size": contents.tokenizer.vocab_size,
        "lossless": True,
        "training": contents.training,
    }
    assert model_file.parameter_noun(about) == "parameters"
    assert model_file.parameter_noun({"family": "ngram"}) == "numbers"
    assert model_file.parameter_noun({"family": "of a newer charlm"}) == "numbers"


def test_an_arpa_file_is_a_model_file(tmp_path: Path) -> None:
    path = tmp_path / "m.arpa"
    path.write_text(
        "\\data\\\nngram 1=4\n\n\\1-grams:\n-1\t<unk>\n-99\t<s>\n-1\t</s>\n-0.1\ta\n\n\\end\\\n"
    )
    contents = read(path)
    assert contents.family == "ngram"
    assert contents.training == {}
    assert build_causal(contents).order == 1
    assert model_file.describe(path, contents)["ngrams"] == [4]


@pytest.mark.parametrize("order", [1, 2, 3, MAX_NGRAM_ORDER])
def test_n_grams_are_counted_by_order(tmp_path: Path, order: int) -> None:
    """In arrays, and in hash tables, which have empty places."""
    ids = np.random.default_rng(1).integers(0, 7, 300)  # empty lines, too: their key is 0
    lm = estimate(np.append(ids, 0), 7, 0, order, lines=True)
    counts = [len(lm.tensors()[f"order.{n}.nats"]) for n in range(1, order + 1)]
    assert model_file.ngram_counts(lm.tensors()) == counts
    hashed = HashedNgramLM.of(lm)
    assert model_file.ngram_counts(hashed.tensors()) == counts


def test_only_tables_are_mapped_and_only_when_asked(tmp_path: Path) -> None:
    tokens = tokenizer.build(TokenizerConfig(), ["abcdef\n"])
    ids = np.random.default_rng(1).integers(1, tokens.vocab_size, 300)
    lm = HashedNgramLM.of(
        estimate(np.append(ids, tokens.eos), tokens.vocab_size, tokens.eos, 2, lines=True)
    )
    file = ModelFile(hashed_ngram.FAMILY.name, lm.config(), tokens, lm.tensors())
    model_file.write(tmp_path / "t.safetensors", file)
    kinds = {
        mapped: type(read(tmp_path / "t.safetensors", mapped=mapped).tensors["order.2.table"])
        for mapped in (False, True)
    }
    assert kinds == {False: np.ndarray, True: np.memmap}
    assert type(read(tmp_path / "t.safetensors").tensors["order.2.table"]) is np.ndarray
    model_file.write(tmp_path / "n.safetensors", small_model_file())
    network = read(tmp_path / "n.safetensors", mapped=True)
    assert all(type(tensor) is np.ndarray for tensor in network.tensors.values())


def test_damaged_contents_are_named(path: Path, tmp_path: Path) -> None:
    contents, tensors = tensor_file.read(path, "charlm")
    del contents["family"]
    other = tmp_path / "other.safetensors"
    tensor_file.write(other, "charlm", contents, tensors)
    with pytest.raises(CharlmError, match=r"is damaged \(family is missing\)"):
        read(other)


def test_a_large_ngram_model_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    lm = estimate(np.append(rng.integers(1, 9, 500), 0), 9, 0, 3, lines=True)
    tokens = tokenizer.build(TokenizerConfig("char"), ["abcdefg\n"])
    file = tmp_path / "m.safetensors"
    write(file, ModelFile("ngram", lm.config(), tokens, lm.tensors()))
    text = rng.integers(0, 9, 50)
    (expected,) = model_file.build(read(file)).logprobs([text])
    monkeypatch.setattr(model_file, "MAPPED_BYTES", 100)
    contents = read(file)
    assert isinstance(contents.tensors["order.2.keys"], np.memmap)
    mapped = model_file.build(contents)
    assert isinstance(mapped, NgramLM)
    assert not isinstance(mapped.orders[1].keys, np.memmap)  # views of it, which are faster
    np.testing.assert_array_equal(mapped.logprobs([text])[0], expected)
    with pytest.raises(CharlmError, match="there is no file"):
        read(tmp_path / "absent")
