"""A model card: what a model is, learned from and is worth, for the Hugging Face Hub.

Markdown under a front matter in YAML, https://huggingface.co/docs/hub/model-cards. Whatever is said
is in `info` (`charlm info --json`), or given by the user.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..display.readable import count, fixed
from ..models.family import describe
from ..models.model_file import parameter_noun
from ..runs.describe import settings
from ..system.version import __version__

LEVELS = {"char": "characters", "word": "words", "byte": "bytes", "subword": "subwords"}
METRICS = {  # of the validation text, as a model file has them: their names
    "bits_per_char": "Bits per character",
    "perplexity": "Perplexity per token",
    "perplexity_excluding_oov": "Perplexity per token, unknown tokens left out",
}
PSEUDO = "Pseudo-perplexity per token"  # of a bidirectional model, which has no other number


def card(
    info: Mapping[str, Any], name: str, *, language: str | None = None, license: str | None = None
) -> str:
    """The card of the model that `info` describes.

    language: codes such as "en", or "en,de". license: as the Hub spells it, such as "mit".
    """
    parts = [
        f"---\n{_front_matter(info, name, language, license)}---",
        f"# {' '.join(name.split())}",
        _introduction(info),
        "## Use\n\n" + _use(info),
        *(f"## {title}\n\n{body}" for title, body in _sections(info) if body),
    ]
    return "\n\n".join(parts) + "\n"


def is_ours(head: bytes) -> bool:
    """Whether a file that begins so is a card of charlm's."""
    return head.startswith(b"---\nlibrary_name: charlm\n")


def results(info: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of the validation text: by key in METRICS, those that say something."""
    best = info["training"].get("best") or {}
    keys = ["perplexity"] if _is_pseudo(info) else list(METRICS)
    if not best.get("oov"):
        keys = [key for key in keys if key != "perplexity_excluding_oov"]
    return {key: best[key] for key in keys if key in best}


def _is_pseudo(info: Mapping[str, Any]) -> bool:
    return bool(info["config"].get("bidirectional"))


def _front_matter(
    info: Mapping[str, Any], name: str, language: str | None, license: str | None
) -> str:
    """YAML; its strings are written as JSON, which YAML contains."""
    lines = ["library_name: charlm"]
    if language:
        lines.append(f"language: {_json([one.strip() for one in language.split(',')])}")
    if license:
        lines.append(f"license: {_json(license)}")
    lines.append(f"pipeline_tag: {'fill-mask' if _is_pseudo(info) else 'text-generation'}")
    lines.append(f"tags: {_json(['charlm', 'language-model', *_tags(info)])}")
    found = results(info)
    if found:
        corpus, where = info["training"].get("corpus", "text"), _measured_on(info["training"])
        lines += [
            "model-index:",
            f"- name: {_json(name)}",
            "  results:",
            f"  - task: {_json({'type': 'text-generation', 'name': 'Language modelling'})}",
            f"    dataset: {_json({'type': corpus, 'name': f'{corpus}: {where}'})}",
            "    metrics:",
        ]
        for key, value in found.items():
            label = PSEUDO if _is_pseudo(info) else METRICS[key]
            metric = {"type": key, "name": label, "value": value}
            lines.append(f"    - {_json(metric)}")
    return "".join(f"{line}\n" for line in lines)


def _json(value: Any) -> str:
    """JSON that is YAML, too: with characters as they are, since YAML knows no surrogates."""
    return json.dumps(value, ensure_ascii=False)


def _tags(info: Mapping[str, Any]) -> list[str]:
    cell = info["config"].get("cell")
    return [*([cell] if cell else [info["family"]]), f"{info['level']}-level"]


def _introduction(info: Mapping[str, Any]) -> str:
    corpus = info["training"].get("corpus")
    learned = f", trained on {corpus}" if corpus else ""
    return (
        f"A language model of {LEVELS[info['level']]}{learned}: "
        f"{describe(info['family'], info['config'])}; {info['parameters']:,} "
        f"{parameter_noun(info)}, {count(info['vocab_size'], 'token')}."
    )


def _use(info: Mapping[str, Any]) -> str:
    verb = 'fill "the ___ cat"' if _is_pseudo(info) else "sample"
    return (
        "```console\n$ pip install charlm\n"
        '$ charlm score "the text to score" --model model.safetensors\n'
        f"$ charlm {verb} --model model.safetensors\n```"
    )


def _sections(info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    about = info["training"]
    rows = []
    for key, what in (("train", "training text"), ("valid", "validation text")):
        if key in about:
            sizes = about[key]
            cells = (f"{sizes[unit]:,}" for unit in ("chars", "tokens", "lines", "oov"))
            rows.append((what, *cells))
    text = _table(("", "characters", "tokens", "lines", "unknown tokens"), rows) if rows else ""
    if "sha256" in about:
        text += f"\n\nSHA-256 of the training text: `{about['sha256']}`."
    yield "Text", text.strip()
    found = results(info)
    measured = [
        (PSEUDO if _is_pseudo(info) else METRICS[key], fixed(value, 4))
        for key, value in found.items()
    ]
    yield "Results", _table((f"on {_measured_on(about)}", ""), measured) if measured else ""
    trained = settings(about["settings"]) if "settings" in about else ""
    if "step" in about:
        trained += f"\n\nThe weights are those after step {about['step']:,}."
    yield "Training", trained.strip()
    yield "Limits", _limits(info)
    made = about.get("version", __version__)
    yield "Made with", f"charlm {made}; this card: charlm {__version__}."


def _measured_on(about: Mapping[str, Any]) -> str:
    """The validation text, or how much of it."""
    best, valid = about.get("best") or {}, about.get("valid") or {}
    some, all_ = best.get("tokens"), valid.get("tokens")
    if some is None or all_ is None or some >= all_:
        return "the validation text"
    return f"the first {some:,} of the {all_:,} tokens of the validation text"


def _limits(info: Mapping[str, Any]) -> str:
    said = ["It knows its training text and nothing else: what it writes may be false or unfit."]
    if _is_pseudo(info):
        said.append(
            "It reads from both sides, so its numbers are pseudo-log-probabilities, not to be "
            "compared with those of other models."
        )
    if not info["lossless"]:
        said.append("Its tokens do not keep every detail of a text, such as repeated spaces.")
    if info["training"].get("train", {}).get("oov") is not None and info["level"] == "word":
        said.append("Words that it has not seen often enough count as `<UNK>`.")
    return " ".join(said)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
