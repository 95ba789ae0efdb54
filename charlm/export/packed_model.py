"""A model as a page holds it: a tree of plain values, and the bytes of its arrays.

`page/models.js` builds the model from the tree. Every number that the page computes with comes from
here: 15 bits for the weights of networks, single precision for their biases, and of n-gram models
what `packing.pack_ngram` says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..config import NetworkConfig
from ..errors import CharlmError, require
from ..lm import LanguageModel
from ..models.activations import overview
from ..models.bidirectional import BidirectionalLM
from ..models.combined import CombinedLM
from ..models.hashed_ngram import HashedNgramLM
from ..models.log_linear import LogLinearLM
from ..models.mixture import MixtureLM
from ..models.ngram import NgramLM
from ..models.other_words import OtherWordsLM
from ..models.recurrent import RecurrentLM
from ..models.spelling import speller_of
from ..models.unigram_cache import UnigramCacheLM
from ..text import word_tokenizer
from ..text.tokenizer import Tokenizer
from ..text.word_tokenizer import WordTokenizer
from .packing import Packer, Spec, pack_ngram

VERSION = 1
CELLS = ("rnn", "rnn-relu", "lstm", "lstm-peephole", "gru")  # of page/cells.js
LEVELS = ("char", "word", "byte", "subword")  # of page/tokenizers.js


def packed(lm: LanguageModel, tokenizer: Tokenizer, name: str, description: str) -> bytes:
    """A model and its tokenizer, deflated. description: of the model, on one line.

    Raises CharlmError for a family, a cell or a level that a page cannot run.
    """
    require(tokenizer.level in LEVELS, f"a page cannot run models of level {tokenizer.level}")
    packer = Packer()
    about = {
        "version": VERSION,
        "card": _card(lm, tokenizer, name, description),
        "tokenizer": _tokenizer(tokenizer, packer),
        "model": _pack(lm, packer),
    }
    return packer.deflated(json.dumps(about, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _card(lm: LanguageModel, tokenizer: Tokenizer, name: str, description: str) -> dict[str, Any]:
    """What the server's `/v1/models` says of a model."""
    return {
        "id": name,
        "level": tokenizer.level,
        "causal": not lm.pseudo,
        "description": description,
        "network": overview(lm),
    }


# Models ---------------------------------------------------------------------------------------


def _pack(lm: LanguageModel, packer: Packer) -> Spec:
    for kind, pack in PACKERS.items():
        if isinstance(lm, kind):
            return {**pack(lm, packer), "eos": lm.eos}
    raise CharlmError(f"a page cannot run this kind of model ({type(lm).__name__})")


def _pack_network(lm: Any, packer: Packer) -> Spec:
    """A network. Its tensors have the names of the model file.

    In place of `weight_ih` and `bias_ih` of the first layer, and of the embedding if nothing else
    needs it, there is `table`, (V, G·H), if that is smaller: their product for every token.
    """
    config: NetworkConfig = lm.config
    require(config.cell in CELLS, f"a page cannot run the cell {config.cell}")
    tensors = dict(lm.tensors)
    stacks = ("rnn", "back") if config.bidirectional else ("rnn",)
    outer, inner = config.gates * config.hidden, config.embed
    embedding = 0 if config.tied else config.vocab_size * inner
    if len(stacks) * config.vocab_size * outer <= len(stacks) * inner * outer + embedding:
        for stack in stacks:
            weight = tensors.pop(f"{stack}.0.weight_ih")
            bias = tensors.pop(f"{stack}.0.bias_ih")
            tensors[f"{stack}.0.table"] = lm.tensors["embedding.weight"] @ weight.T + bias
        if not config.tied:
            del tensors["embedding.weight"]
    return {
        "family": "recurrent",
        "config": config.as_dict(),
        "tensors": {
            name: packer.matrix(tensor) if tensor.ndim == 2 else packer.floats(tensor)
            for name, tensor in sorted(tensors.items())
        },
    }


def _pack_hashed(lm: Any, packer: Packer) -> Spec:
    return pack_ngram(lm.sorted(), packer)


def _pack_combined(family: str) -> Callable[[Any, Packer], Spec]:
    def pack(lm: CombinedLM, packer: Packer) -> Spec:
        parts = [_pack(part, packer) for part in lm.parts]
        return {"family": family, "weights": lm.weights.tolist(), "parts": parts}

    return pack


def _pack_cache(lm: Any, packer: Packer) -> Spec:
    part = _pack(lm.lm, packer)
    return {"family": "recent", "share": lm.weight, "window": lm.window, "part": part}


def _pack_other_words(lm: Any, packer: Packer) -> Spec:
    return {
        "family": "other-words",
        "unk": lm.unk,
        "ids": packer.whole(lm.ids_V),
        "share": packer.floats(lm.share_V),
        "part": _pack(lm.lm, packer),
    }


PACKERS: Mapping[type, Callable[[Any, Packer], Spec]] = {
    RecurrentLM: _pack_network,
    BidirectionalLM: _pack_network,
    HashedNgramLM: _pack_hashed,
    NgramLM: pack_ngram,
    MixtureLM: _pack_combined("mixture"),
    LogLinearLM: _pack_combined("log-linear"),
    UnigramCacheLM: _pack_cache,
    OtherWordsLM: _pack_other_words,
}


# Tokenizers -----------------------------------------------------------------------------------


def _tokenizer(tokenizer: Tokenizer, packer: Packer) -> dict[str, Any]:
    """What `page/tokenizers.js` needs, by level."""
    about: dict[str, Any] = {
        "level": tokenizer.level,
        "eos": tokenizer.eos,
        "unk": tokenizer.unk,
        "names": [tokenizer.token(k) for k in range(tokenizer.vocab_size)],
        "inside_word": packer.whole(np.flatnonzero(~tokenizer.starts_word())),
    }
    if isinstance(tokenizer, WordTokenizer):
        speller = speller_of(tokenizer)
        about |= {
            "split": tokenizer.split,
            "lower": tokenizer.lower,
            "unk_token": tokenizer.unk_token,
            "patterns": {
                "cjk": word_tokenizer.CJK,
                "marks": word_tokenizer.combining_marks(),
                "no_space_before": word_tokenizer.NO_SPACE_BEFORE.pattern,
                "no_space_after": word_tokenizer.NO_SPACE_AFTER.pattern,
                "tight": word_tokenizer.TIGHT.pattern,
                "paired": word_tokenizer.PAIRED.pattern,
                "cjk_edge": word_tokenizer.CJK_EDGE.pattern,
            },
            "speller": {
                "names": [speller.chars.token(k) for k in range(speller.chars.vocab_size)],
                "model": _pack(speller.lm, packer),
            },
        }
    if tokenizer.level == "subword":
        from ..text.subword_tokenizer import SubwordTokenizer

        assert isinstance(tokenizer, SubwordTokenizer)
        scores = np.array(tokenizer.scores(), np.float32)
        about |= {"bpe": tokenizer.is_bpe, "scores": packer.floats(scores)}
    return about
