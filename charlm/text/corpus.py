"""The corpus on disk: text is tokenised once and cached.

A prepared corpus is a directory named by a hash of everything it depends on, built under a
temporary name and renamed, so that it is complete or absent:

    cache/<key>/train.bin     token ids, little-endian, smallest sufficient unsigned type
    cache/<key>/valid.bin     the same of the validation text
    cache/<key>/corpus.json   {"digest": sha256 of the body, "body": tokenizer, sizes, counts}
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..config import TokenizerConfig
from ..errors import CharlmError
from ..lm import Ids
from ..system import allocator, storage
from ..system.checked import checked
from ..system.parallel import in_background
from .pieces import smallest_unsigned, utf8
from .source import CHUNK_BYTES, FractionCallback, TextSource, no_text
from .tokenizer import Tokenizer, build, encode_in_bulk, from_dict

BLOCK_BYTES = 1 << 20  # encoded at a time: large enough to be worth handing to a thread
FORMAT = 2  # incremented whenever the same text and settings would give different files

Progress: TypeAlias = Callable[[str, float], None]  # stage, fraction done (0 to 1)


@dataclass(frozen=True)
class TextStats:
    """How much text there is. Each line is closed by a newline, which counts."""

    chars: int  # Unicode characters
    bytes: int  # of the text in UTF-8
    lines: int
    tokens: int  # <EOS> included
    oov: int  # tokens that are <UNK>


@dataclass(frozen=True)
class Corpus:
    """Training and validation text as streams of token ids, every line closed by <EOS>."""

    tokenizer: Tokenizer
    train: Ids  # (N,) memory-mapped, read-only
    valid: Ids  # (M,) likewise
    train_text: TextStats
    valid_text: TextStats
    sha256: str  # of the training text, see `TextSource.sha256`
    name: str  # of the first training file
    directory: Path  # with its three files

    def __reduce__(self) -> tuple[Callable[..., Corpus], tuple[Path, str, str]]:
        """Handed to another process, a corpus is its directory; the streams are mapped anew."""
        return reopened, (self.directory, self.sha256, self.name)


def prepare(
    source: TextSource,
    valid: TextSource | None,
    config: TokenizerConfig,
    cache: Path,
    *,
    fraction: float = 0.9,
    base: Tokenizer | None = None,
    progress: Progress | None = None,
) -> Corpus:
    """Tokenise `source`, or return what was prepared before from the directory `cache`.

    The vocabulary is that of the training text alone. Without `valid`, the validation text is
    what follows the first `fraction` of `source`. `base`: a tokenizer to extend by what is new in
    the training text, in place of a new one. `progress` is called with the stages "read",
    "count" and "encode". Raises CharlmError if a text is empty or unreadable, or the disk full.
    """
    source = source.for_level(config.level)
    valid = valid and valid.for_level(config.level)
    sha256 = source.sha256(_stage(progress, "read"))
    key = _key(sha256, source, valid, config, fraction, base)
    cached = _load(cache / key, sha256, source.name)
    if cached:
        return cached
    _check_length(source, minimum=3)
    if valid:
        _check_length(valid, minimum=1)
    temporary = None
    try:
        cache.mkdir(parents=True, exist_ok=True)
        storage.sweep_old(cache.glob(f".{key}.*"))
        temporary = Path(tempfile.mkdtemp(dir=cache, prefix=f".{key}."))
        built = _build(temporary, source, valid, config, fraction, base, progress)
        corpus = _load(temporary, sha256, source.name, just_written=built)
        if corpus is None:
            raise CharlmError(f"{cache} does not keep what is written to it. Check the disk.")
        _put_in_place(temporary, cache / key)
        # its streams stay mapped, even if another process's files are there now
        return replace(corpus, directory=cache / key)
    except OSError as error:
        raise CharlmError(
            f"cannot prepare the corpus in {cache}: {error.strerror or error}. "
            "Free some space there, or choose another directory."
        ) from None
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)


def prepared(cache: Path, tokenizer: Tokenizer, sizes: Mapping[str, Any]) -> Iterator[Corpus]:
    """The corpora in `cache` whose texts are of these sizes, and have the tokens of `tokenizer`.

    sizes: what a model file records of its training, with `TextStats` of "train" and "valid".
    """
    for file in sorted(cache.glob("*/corpus.json")):
        try:
            body = json.loads(file.read_bytes())["body"]
            found = {part: body[part]["text"] for part in ("train", "valid")}
            same = found == {part: sizes.get(part) for part in found}
            if not same or body["tokenizer"] != tokenizer.as_dict():
                continue
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue  # damaged, or removed just now
        corpus = _load(file.parent, sizes.get("sha256", ""), sizes.get("corpus", ""))
        if corpus is not None:
            yield corpus


def _key(
    sha256: str,
    source: TextSource,
    valid: TextSource | None,
    config: TokenizerConfig,
    fraction: float,
    base: Tokenizer | None,
) -> str:
    parts = {
        "format": FORMAT,
        "config": config.as_dict(),
        "text": [sha256, source.encoding, source.errors],
        "valid": [valid.sha256(), valid.encoding, valid.errors] if valid else fraction,
    }
    return _digest(parts if base is None else {**parts, "base": base.as_dict()})[:32]


def _build(
    directory: Path,
    source: TextSource,
    valid: TextSource | None,
    config: TokenizerConfig,
    fraction: float,
    base: Tokenizer | None,
    progress: Progress | None,
) -> Tokenizer:
    """Write the three files of a prepared corpus into `directory`; return its tokenizer."""
    if config.level in ("char", "byte"):
        allocator.keep_pages()  # otherwise half as long again

    def parts(stage: str) -> Iterator[tuple[str, Iterator[str]]]:
        on_fraction = _stage(progress, stage)
        if valid:
            yield "train", source.chunks(BLOCK_BYTES, on_fraction)
            yield "valid", valid.chunks(BLOCK_BYTES)
        else:
            split = source.split_chunks(fraction, BLOCK_BYTES, on_fraction)
            for later, group in groupby(split, key=lambda item: item[1]):
                yield "valid" if later else "train", (text for text, _ in group)

    counting = parts("count")
    _, chunks = next(counting)
    tokenizer = build(config, chunks) if base is None else base.extended(config, chunks)
    body: dict[str, Any] = {"tokenizer": tokenizer.as_dict()}
    for part, chunks in parts("encode"):
        body[part] = _write(directory / f"{part}.bin", tokenizer, chunks)
    text = json.dumps({"digest": _digest(body), "body": body})
    storage.write_text(directory / "corpus.json", text)
    return tokenizer


def _write(path: Path, tokenizer: Tokenizer, chunks: Iterable[str]) -> dict[str, Any]:
    """Write the ids of a text, its last line closed; return its sizes and checksum."""
    chars = size = lines = tokens = oov = crc = 0

    def counted() -> Iterator[str]:
        nonlocal chars, size
        last = ""
        for chunk in chunks:
            chars += len(chunk)
            size += len(chunk) if chunk.isascii() else len(utf8(chunk))
            last = chunk[-1]
            yield chunk
        if last != "\n":
            chars, size = chars + 1, size + 1
            yield "\n"

    def store(ids: Ids) -> None:
        nonlocal crc
        data = ids.astype(_stored(tokenizer), copy=False).data
        file.write(data)
        crc = zlib.crc32(data, crc)

    with storage.atomic(path) as file, in_background(store) as store_behind:
        for ids in encode_in_bulk(tokenizer, counted()):
            store_behind(ids)
            tokens += len(ids)
            lines += int(np.count_nonzero(ids == tokenizer.eos))
            if tokenizer.unk is not None:
                oov += int(np.count_nonzero(ids == tokenizer.unk))
    text = TextStats(chars, size, lines, tokens, oov)
    return {"text": asdict(text), "crc32": crc}


def _check_length(source: TextSource, minimum: int) -> None:
    """Raise CharlmError unless there are `minimum` characters, not all of them whitespace."""
    chars, blank = -1, True  # -1: the closing newline is not the user's
    for chunk in source.chunks():
        chars += len(chunk)
        blank = blank and chunk.isspace()
        if chars >= minimum and not blank:
            return
    if blank:
        raise no_text(source.name, "nothing but whitespace")
    amount = "1 character" if chars == 1 else f"{chars} characters"
    raise CharlmError(f"{source.name} holds {amount}; give at least a few thousand.")


def _load(
    directory: Path, sha256: str, name: str, *, just_written: Tokenizer | bool = False
) -> Corpus | None:
    """The corpus in `directory`; None if it is missing, incomplete or damaged.

    just_written: checksums would be of the system's memory, not of the disk, and are left out; if
    it is a tokenizer, it is this one's.
    """
    try:
        stored = json.loads((directory / "corpus.json").read_bytes())
        body = stored["body"]
        if _digest(body) != stored["digest"]:
            return None
        trusted = just_written is not False
        written_by = None if isinstance(just_written, bool) else just_written
        tokenizer = written_by or from_dict(body["tokenizer"])
        train, train_text = _stream(directory / "train.bin", tokenizer, body["train"], trusted)
        valid, valid_text = _stream(directory / "valid.bin", tokenizer, body["valid"], trusted)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, CharlmError):
        return None
    return Corpus(tokenizer, train, valid, train_text, valid_text, sha256, name, directory)


def reopened(directory: Path, sha256: str = "", name: str = "") -> Corpus:
    """A corpus that another process has open. Raises CharlmError if it is gone meanwhile."""
    corpus = _load(directory, sha256, name, just_written=True)
    if corpus is None:
        raise CharlmError(f"the prepared corpus {directory} is gone")
    return corpus


def _stream(
    path: Path, tokenizer: Tokenizer, body: Mapping[str, Any], just_written: bool
) -> tuple[Ids, TextStats]:
    """Map one stream into memory. Raises ValueError unless its size and checksum are right."""
    checked(body["text"], TextStats, "text")
    text, dtype, crc = TextStats(**body["text"]), _stored(tokenizer), 0
    if path.stat().st_size != text.tokens * dtype.itemsize:
        raise ValueError(f"{path} is incomplete")
    if not just_written:
        with path.open("rb") as file:
            while block := file.read(CHUNK_BYTES):
                crc = zlib.crc32(block, crc)
                if np.frombuffer(block, dtype).max() >= tokenizer.vocab_size:
                    raise ValueError(f"{path} has tokens that the tokenizer lacks")
        if crc != body["crc32"]:
            raise ValueError(f"{path} is damaged")
    return np.asarray(np.memmap(path, dtype, mode="r")), text


def _stored(tokenizer: Tokenizer) -> np.dtype[Any]:
    return np.dtype(smallest_unsigned(tokenizer.vocab_size)).newbyteorder("<")


def _put_in_place(temporary: Path, directory: Path) -> None:
    """Rename a finished directory into place, unless another process was quicker."""
    aside = temporary.with_name(f"{temporary.name}.damaged")
    with suppress(OSError):
        if directory.exists() and _load(directory, "", "") is None:
            directory.rename(aside)
        temporary.rename(directory)
    shutil.rmtree(aside, ignore_errors=True)


def _stage(progress: Progress | None, name: str) -> FractionCallback | None:
    return (lambda fraction: progress(name, fraction)) if progress else None


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
