"""Arrays as bytes: what a page unpacks is near enough to what was packed."""

from __future__ import annotations

import json
import zlib
from typing import Any

import numpy as np
import pytest
from toys import tokenizer_of

from charlm.export.packing import LEVELS, REST, STEP, Packer, pack_ngram
from charlm.models.kneser_ney import estimate


def unpacked(data: bytes, spec: dict[str, Any]) -> Any:
    """As `unpack.js` does."""
    if spec["how"] == "coded":
        return unpacked(data, spec["book"])[unpacked(data, spec["codes"])]
    if spec["how"] == "rows":
        units = unpacked(data, spec["units"])
        codes = unpacked(data, spec["codes"]).reshape(len(units), -1)
        return units[:, None] * (codes.astype(np.float64) - LEVELS)
    kind = {"u8": "<u1", "u16": "<u2", "u32": "<u4", "f32": "<f4"}[spec["how"]]
    width = np.dtype(kind).itemsize
    planes = np.frombuffer(data, np.uint8)[spec["at"] : spec["at"] + width * spec["size"]]
    return planes.reshape(width, -1).T.copy().view(kind).ravel()


def body(packer: Packer) -> bytes:
    whole = zlib.decompress(packer.deflated(b"{}"))
    assert whole[:6] == b"\2\0\0\0{}"
    return whole[6:]


def test_numbers_come_back() -> None:
    packer, rng = Packer(), np.random.default_rng(0)
    values = rng.standard_normal((5, 7)).astype(np.float32)
    specs = [
        packer.floats(values),
        packer.matrix(values * np.float32(1e6)),
        packer.matrix(np.zeros((2, 3), np.float32)),
        packer.coded(np.array([1.5, 1.5, np.nan, -np.inf, 1.5])),
        *(packer.whole(np.array([3, most])) for most in (255, 256, 1 << 20)),
        packer.whole(np.zeros(0, np.int64)),
    ]
    data = body(packer)
    exact, matrix, zeros, coded, *whole = (unpacked(data, spec) for spec in specs)
    np.testing.assert_array_equal(exact, values.ravel())
    largest = abs(values).max(axis=1, keepdims=True) * 1e6
    assert (abs(matrix - values * 1e6) <= 0.51 * largest / LEVELS).all()
    assert not zeros.any()
    np.testing.assert_array_equal(coded, [1.5, 1.5, np.nan, -np.inf, 1.5])
    assert [spec["how"] for spec in specs[4:]] == ["u8", "u16", "u32", "u8"]
    assert [one.tolist() for one in whole] == [[3, 255], [3, 256], [3, 1 << 20], []]
    assert unpacked(data, specs[3]["codes"]).tolist()[0] == 0  # the most frequent


def test_kneser_ney_as_what_it_was_made_of() -> None:
    tokenizer = tokenizer_of("char")
    ids = tokenizer.encode("abc de, fgh\nde abc, abd\nfed cab, a\n" * 3)
    lm = estimate(ids, tokenizer.vocab_size, tokenizer.eos, 4, lines=False)
    packer = Packer()
    spec = json.loads(json.dumps(pack_ngram(lm, packer)))
    data = body(packer)
    nats: Any = np.exp(unpacked(data, spec["nats"]).astype(float))
    rest_seen = 0
    for k, one in enumerate(spec["orders"], 1):
        children, words = unpacked(data, one["children"]), unpacked(data, one["words"])
        odds, shares = unpacked(data, one["odds"]), unpacked(data, one["shares"])
        order = lm.orders[k]
        prefix = np.repeat(np.arange(len(children)), children)
        np.testing.assert_array_equal(prefix * lm.base + words, order.keys)
        beta = np.zeros(len(children))
        beta[children > 0] = 1 / (1 + np.exp(-odds.astype(float)))
        known = np.where(np.isnan(shares), 0, np.exp(shares.astype(float)))
        rest = 1 - beta - np.bincount(prefix, known, len(children))
        rest_seen += int(np.isnan(shares).sum())
        share = np.where(np.isnan(shares), rest[prefix], known)
        expected = np.exp(order.nats.astype(float))
        backed_off = expected - share
        assert (backed_off > -1e-3).all()
        np.testing.assert_allclose(
            np.log(beta[children > 0]), lm.orders[k - 1].backoff[children > 0], atol=STEP
        )
    assert rest_seen > 5
    assert np.isnan(REST)
    assert nats.sum() == pytest.approx(1, abs=1e-3)
