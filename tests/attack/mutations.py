"""Files changed at random: bytes, numbers, trees of JSON, tensors; seeded: a case is a number.

What has a digest is sealed again, so that the change reaches the code behind the digest.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import tomli_w

from charlm.system import tensor_file

Tree: TypeAlias = Any  # what JSON holds
Tensors: TypeAlias = dict[str, npt.NDArray[Any]]
Mutation: TypeAlias = Callable[[Path, random.Random], None]  # changes a file

NUMBERS = ["0", "-1", "1", "2", "255", "65536", "2147483648", "9223372036854775808"]
NUMBERS += ["1e308", "-1e999", "nan", "-inf", "0.5", "1e-320", "00", "0x10", "١٢", ""]
JUNK: tuple[Tree, ...] = (
    *(None, True, False, 0, 1, -1, 2, 7, 1 << 31, 1 << 40, 1 << 63, -(1 << 63), 1 << 200),
    *(
        0.0,
        -0.5,
        1e308,
        float("nan"),
        float("inf"),
        "",
        "x",
        "\x00",
        "\x1b[31m",
        "\u202e",
        "é" * 300,
    ),
    *([], [[]], [0], ["x"], {}, {"x": 0}, {"": []}),
)
PIECES = (
    b"\x00",
    b"\xff",
    b"\n",
    b"\r",
    b"\t",
    b" ",
    b'"',
    b"\\",
    b"{",
    b"[",
    b"\x1b[2J",
    b"\xe2\x80\xae",
)


def bytes_anywhere(data: bytes, rng: random.Random) -> bytes:
    """One to four changes of any bytes."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at, length = rng.randrange(len(data) + 1), rng.choice((1, 1, 2, 8, 100))
        kind = rng.randrange(7)
        if kind == 0:
            data = data[:at]
        elif kind == 1:
            data = data[:at] + data[at + length :]
        elif kind == 2:
            data = data[:at] + data[at : at + length] * rng.choice((2, 3, 50)) + data[at + length :]
        elif kind == 3:
            data = data[:at] + rng.randbytes(length) + data[at:]
        elif kind == 4:
            data = data[:at] + rng.choice(PIECES) * length + data[at + length :]
        elif kind == 5 and data:
            at = rng.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        else:
            lines = data.split(b"\n")
            rng.shuffle(lines)
            data = b"\n".join(lines[: rng.randrange(len(lines) + 1)])
    return data


def a_number(data: bytes, rng: random.Random) -> bytes:
    """A number in a text, replaced."""
    found = list(re.finditer(rb"-?\d+(\.\d+)?", data))
    if not found:
        return bytes_anywhere(data, rng)
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(NUMBERS).encode() + data[one.end() :]


def a_tree(tree: Tree, rng: random.Random) -> Tree:
    """The same tree with a place in it changed, removed or added."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        places = list(_places(tree))
        if not places:
            return rng.choice(JUNK)
        within, key = rng.choice(places)
        kind = rng.randrange(6)
        if kind == 0:
            del within[key]
        elif kind == 1:
            other, name = rng.choice(places)
            within[key] = copy.deepcopy(other[name]) if name in _keys(other) else None
        elif kind == 2 and isinstance(within, dict):
            within[rng.choice(("x", "", "hidden", "0", "parts"))] = rng.choice(JUNK)
        elif kind == 3 and type(within[key]) in (int, float):
            within[key] = within[key] * rng.choice((-1, 0, 2, 1000)) + rng.choice((-1, 0, 1))
        elif kind == 4:
            for _ in range(rng.choice((3, 100))):
                within[key] = [within[key]]
        else:
            within[key] = copy.deepcopy(rng.choice(JUNK))
    return tree


def _keys(within: Tree) -> Any:
    return within if isinstance(within, dict) else range(len(within))


def _places(tree: Tree) -> Any:
    """Every place in a tree: what holds it, and its key."""
    if isinstance(tree, dict | list):
        for key in list(_keys(tree)):
            yield tree, key
            yield from _places(tree[key])


def some_tensors(tensors: Tensors, rng: random.Random) -> Tensors:
    """The same tensors, but for the values, shape, type, name or existence of one or two."""
    changed = dict(tensors)
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(sorted(changed) or ["x"])
        tensor = changed.pop(name, np.zeros(3, np.float32)).copy()
        kind = rng.randrange(9)
        if kind == 0:
            continue
        if kind == 1 and tensor.size:
            values = (0, 1, -1, 1e30, np.nan, np.inf, -np.inf, 127, 1 << 62)
            flat = tensor.reshape(-1)
            with np.errstate(all="ignore"):
                flat[rng.randrange(flat.size)] = np.array(rng.choice(values)).astype(tensor.dtype)
        elif kind == 2:
            tensor = np.full_like(tensor, rng.choice((0, 1, 255)))
        elif kind == 3:
            tensor = tensor.reshape(-1)[: rng.randrange(tensor.size + 1)]
        elif kind == 4:
            tensor = np.concatenate([tensor.reshape(-1)] * rng.choice((2, 4)))
        elif kind == 5:
            tensor = tensor.reshape(1, *tensor.shape) if rng.random() < 0.5 else tensor.T
        elif kind == 6:
            with np.errstate(all="ignore"):
                tensor = tensor.astype(rng.choice((np.float32, np.uint8, np.int64)))
        elif kind == 7:
            name = rng.choice(("x", f"{name}.0", name.replace("0", "1"), ""))
        elif tensor.size:
            flat = tensor.reshape(-1)
            flat[:] = flat[np.random.default_rng(rng.randrange(1 << 30)).permutation(flat.size)]
        changed[name] = np.ascontiguousarray(tensor)
    return changed


def sealed(kind: str) -> Mutation:
    """Of a file of tensors, whose digest is then right again."""

    def mutate(path: Path, rng: random.Random) -> None:
        contents, tensors = tensor_file.read(path, kind)
        if rng.random() < 0.5:
            contents = a_tree(contents, rng)
            if not isinstance(contents, dict):
                contents = {"x": contents}
        else:
            tensors = some_tensors(dict(tensors), rng)
        tensor_file.write(path, kind, contents, tensors)

    return mutate


def raw(path: Path, rng: random.Random) -> None:
    """Of any file."""
    data = path.read_bytes()
    path.write_bytes(rng.choice((bytes_anywhere, a_number))(data, rng))


def packed(path: Path, rng: random.Random) -> None:
    """Of what a .gz file holds."""
    path.write_bytes(gzip.compress(bytes_anywhere(gzip.decompress(path.read_bytes()), rng), 1))


def toml(path: Path, rng: random.Random) -> None:
    """Of a TOML file, which stays one."""
    tree = a_tree(tomllib.loads(path.read_text("utf-8")), rng)
    try:
        path.write_text(tomli_w.dumps(tree), "utf-8", errors="replace")
    except (TypeError, AttributeError, ValueError, RecursionError):  # what TOML has no words for
        raw(path, rng)


def json_lines(path: Path, rng: random.Random) -> None:
    """Of one line of JSON, which stays JSON."""
    lines = path.read_text("utf-8").splitlines()
    at = rng.randrange(len(lines))
    lines[at] = json.dumps(a_tree(json.loads(lines[at]), rng))
    path.write_text("\n".join(lines) + "\n", "utf-8")
