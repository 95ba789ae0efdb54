"""Devices, precision and threads."""

from __future__ import annotations

from contextlib import suppress

import pytest
import torch
from toys import recurrent_lm

from charlm.config import NetworkConfig
from charlm.errors import CharlmError
from charlm.network import bulk_scoring, device


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda_is_one_clear_line() -> None:
    with pytest.raises(CharlmError, match="no CUDA device"):
        bulk_scoring.on_device(recurrent_lm(), "cuda")
    assert isinstance(bulk_scoring.on_device(recurrent_lm(), "auto"), bulk_scoring.TorchLM)


def test_one_thread_ends_with_as_many_as_before() -> None:
    before = torch.get_num_threads()
    with suppress(KeyError), device.one_thread():
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("bf16", [False, True])
def test_small_layers_are_no_quicker_in_bf16(bf16: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "has_bf16", lambda _: bf16)
    assert device.default_precision(NetworkConfig(9, hidden=64), "cpu") == "fp32"
    large = device.default_precision(NetworkConfig(9, hidden=512), "cpu")
    assert large == ("bf16" if bf16 else "fp32")


@pytest.mark.parametrize(
    ("found", "bf16"),
    [({}, False), ({"avx512_bf16": True}, True), ({"amx_bf16": True, "avx512_bf16": False}, True)],
)
def test_bf16_is_what_the_processor_says(
    found: dict[str, bool], bf16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    assert device.has_bf16("cpu") == bf16


def test_auto_is_cuda_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, chosen in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert device.choose_device("auto") == chosen
        assert device.choose_device("cpu") == "cpu"
