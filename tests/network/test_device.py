"""Which device computes."""

from __future__ import annotations

import pytest
import torch
from toys import recurrent_lm

from charlm.errors import CharlmError
from charlm.network import bulk_scoring


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_no_cuda_is_one_clear_line() -> None:
    with pytest.raises(CharlmError, match="no CUDA device"):
        bulk_scoring.on_device(recurrent_lm(), "cuda")
    assert isinstance(bulk_scoring.on_device(recurrent_lm(), "auto"), bulk_scoring.TorchLM)
