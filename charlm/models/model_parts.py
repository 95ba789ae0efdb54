"""The models inside a model file: the parts of a mixture, the model under a cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..errors import CharlmError
from . import combined, log_linear, mixture, other_words, unigram_cache
from .family import add_prefix, family_of, strip_prefix
from .model_file import ModelFile


def inner_models(contents: ModelFile) -> list[ModelFile]:
    """The models that a model is made of, as model files; none for most families."""
    return [
        replace(
            contents,
            family=inner.family,
            config=dict(inner.config),
            tensors=strip_prefix(inner.prefix, contents.tensors),
        )
        for inner in family_of(contents.family).inner_models(contents.config)
    ]


def without_cache(contents: ModelFile) -> ModelFile:
    """The model under a cache; a file of another family is returned as it is."""
    while contents.family == unigram_cache.FAMILY.name:
        (contents,) = inner_models(contents)
    return contents


def part(contents: ModelFile, k: int) -> ModelFile:
    """The model file of part `k` of a mixture; a file of another family is its own part 0.

    For a mixture with a cache, a part of the mixture.
    """
    contents = without_cache(contents)
    if contents.family not in (mixture.FAMILY.name, log_linear.FAMILY.name):
        return contents
    best = {"best": contents.training.get("network")}
    return replace(
        inner_models(contents)[k], training={**contents.training, **best} if k == 0 else {}
    )


def network(contents: ModelFile) -> ModelFile | None:
    """The first recurrent network in a model file, however deeply nested; None if there is none."""
    return first_of(contents, "recurrent")


def first_of(contents: ModelFile, name: str) -> ModelFile | None:
    """The first model of a family in a model file, however deeply nested; None if there is none.

    One that has got other words does not count: its own are not in the file.
    """
    if contents.family == name:
        return contents
    if contents.family == other_words.FAMILY.name:
        return None
    found = (first_of(one, name) for one in inner_models(contents))
    return next((one for one in found if one is not None), None)


def combination(
    lm: combined.CombinedLM, parts: Sequence[ModelFile], training: dict[str, Any]
) -> ModelFile:
    """The model file of `lm`, a mixture of the models in `parts`, linear or log-linear.

    Raises CharlmError unless all have the same tokens.
    """
    tokenizer = parts[0].tokenizer
    if any(one.tokenizer.as_dict() != tokenizer.as_dict() for one in parts[1:]):
        raise CharlmError("models of different vocabularies cannot be mixed")
    families = {mixture.MixtureLM: mixture.FAMILY, log_linear.LogLinearLM: log_linear.FAMILY}
    config = combined.file_config(lm.weights.tolist(), [(one.family, one.config) for one in parts])
    tensors: dict[str, Any] = {}
    for k, one in enumerate(parts):
        tensors |= add_prefix(f"{k}.", one.tensors)
    return ModelFile(families[type(lm)].name, config, tokenizer, tensors, training)


def with_cache(contents: ModelFile, lm: unigram_cache.UnigramCacheLM) -> ModelFile:
    """The model file of `lm`, a cache over the model in `contents`."""
    config = unigram_cache.file_config(lm, contents.family, contents.config)
    tensors = add_prefix("0.", contents.tensors)
    return replace(contents, family=unigram_cache.FAMILY.name, config=config, tensors=tensors)
