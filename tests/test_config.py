"""Settings: their defaults and bounds."""

from __future__ import annotations

import pytest

from charlm.config import NetworkConfig, TokenizerConfig, TrainConfig
from charlm.errors import CharlmError
from charlm.runs.options import RunOptions, TrainRunOptions
from charlm.system.settings import Settings, settings_of


def test_network_configurations_are_checked() -> None:
    for wrong in ({"hidden": 0}, {"layers": -1}, {"dropout_output": 1.0}, {"cell": "x"}):
        with pytest.raises(CharlmError):
            NetworkConfig(**{"vocab_size": 5, **wrong})  # type: ignore[arg-type]
    with pytest.raises(CharlmError, match="newer charlm"):
        NetworkConfig.from_dict({"vocab_size": 5, "attention": 8})


@pytest.mark.parametrize("kind", [TokenizerConfig, TrainConfig, RunOptions, TrainRunOptions])
def test_defaults_are_within_their_own_bounds(kind: type[Settings]) -> None:
    assert kind().as_dict().keys() == settings_of(kind).keys()
    assert kind.from_dict(kind().as_dict()) == kind()
