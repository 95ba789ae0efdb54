"""Model cards: the Hub's own reader reads them, and finds the model's numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_support import write_model
from toys import small_model_file

from charlm.export.card import METRICS, card, is_ours, results
from charlm.models import model_file


@pytest.fixture
def info(tmp_path: Path) -> dict[str, Any]:
    path = write_model(tmp_path / "model.safetensors")
    return model_file.describe(path, model_file.read(path))


def read(text: str) -> Any:
    hub = pytest.importorskip("huggingface_hub")
    return hub.ModelCard(text)


def test_the_hub_reads_it(info: dict[str, Any]) -> None:
    text = card(info, 'a "tale"', language="en, de", license="mit")
    assert is_ours(text.encode())
    found = read(text)
    data = found.data.to_dict()
    assert data["language"] == ["en", "de"]
    assert data["license"] == "mit"
    assert data["library_name"] == "charlm"
    assert data["pipeline_tag"] == "text-generation"
    assert {"charlm", "lstm", "char-level"} <= set(data["tags"])
    assert found.data.model_name == 'a "tale"'
    measured = {one.metric_type: one.metric_value for one in found.data.eval_results}
    assert measured == results(info) == {key: info["training"]["best"][key] for key in METRICS}
    assert {one.dataset_type for one in found.data.eval_results} == {"toy.txt"}


def test_the_text_says_what_info_says(info: dict[str, Any]) -> None:
    text = card(info, "tale")
    assert "\n# tale\n" in text
    assert f"{info['parameters']:,} parameters" in text
    assert info["training"]["sha256"] in text
    assert "| training text | 900 | 900 | 20 | 1 |" in text
    assert "| Bits per character | 2.5000 |" in text
    assert "after step 7." in text
    assert "lr 0.003" in text
    assert "language:" not in text
    assert "license:" not in text


def test_of_a_bidirectional_model_no_bits_are_told(tmp_path: Path) -> None:
    path = tmp_path / "both.safetensors"
    model_file.write(path, small_model_file(bidirectional=True))
    text = card(model_file.describe(path, model_file.read(path)), "both")
    data = read(text).data
    assert data.to_dict()["pipeline_tag"] == "fill-mask"
    assert [one.metric_name for one in data.eval_results] == ["Pseudo-perplexity per token"]
    assert "Bits" not in text
    assert "charlm fill" in text


def test_a_model_that_knows_nothing_of_itself_has_a_card(info: dict[str, Any]) -> None:
    text = card({**info, "training": {}}, "bare")
    assert "model-index" not in text
    assert "## Results" not in text
    assert read(text).data.to_dict()["library_name"] == "charlm"


def test_what_was_measured_on_a_part_of_the_validation_text_is_said_so(
    info: dict[str, Any],
) -> None:
    assert "| on the validation text |" in card(info, "tale")
    info["training"]["best"]["tokens"] = 8192
    info["training"]["valid"] = {"chars": 1, "tokens": 46582, "lines": 1, "oov": 0}
    text = card(info, "tale")
    assert "| on the first 8,192 of the 46,582 tokens of the validation text |" in text
    (name,) = {one.dataset_name for one in read(text).data.eval_results}
    assert name == "toy.txt: the first 8,192 of the 46,582 tokens of the validation text"


def test_names_of_any_kind(info: dict[str, Any]) -> None:
    text = card(info, "😀 two\nlines: “#1”")
    assert "\n# 😀 two lines: “#1”\n" in text
    assert read(text).data.model_name == "😀 two\nlines: “#1”"
