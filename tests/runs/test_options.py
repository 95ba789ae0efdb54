"""Options of a run are the settings' fields, whichever way they are given."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import charlm
from charlm.errors import CharlmError
from charlm.runs import options
from charlm.runs.options import NgramOptions, TrainOptions, TrainRunOptions
from charlm.system.settings import Described


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        (TrainOptions, options.train_settings()),
        (NgramOptions, options.ngram_settings()),
    ],
)
def test_typed_keywords_are_the_settings(typed: type, known: Mapping[str, Described]) -> None:
    hints = typing.get_type_hints(typed)
    assert hints.keys() == known.keys()
    for name, setting in known.items():
        kinds = typing.get_args(hints[name]) or (hints[name],)
        assert set(kinds) == {setting.kind, *setting.others}


def test_docstrings_list_the_settings() -> None:
    for function, known in (
        (charlm.train, options.train_settings()),
        (charlm.ngram, options.ngram_settings()),
    ):
        for name, setting in known.items():
            assert f"\n    {name}: {setting.sentence()}\n" in (function.__doc__ or "")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"hidden": 0}, "`hidden` must be a whole number from 1 to 16,777,216, not 0"),
        ({"hidden": "9"}, "`hidden` must be a whole number from 1 to 16,777,216, not '9'"),
        ({"hidden": True}, "not True"),
        ({"lr": float("nan")}, "`lr` must be a number above 0 and below 1,000,000, not nan"),
        ({"weight_drop": 1}, "`weight_drop` must be a number of at least 0 and below 1, not 1"),
        ({"tied": 1}, "`tied` must be True or False, not 1"),
        ({"cell": "lsdm"}, "unknown cell 'lsdm': choose rnn | rnn-relu | lstm"),
        ({"device": "tpu"}, "unknown device 'tpu': choose auto | cpu | cuda"),
        ({"hiden": 1}, "unknown setting `hiden`"),
        ({"minutes": 1, "epochs": 1}, "`epochs` and `minutes` both set the duration"),
    ],
)
def test_settings_are_checked_before_any_work(values: dict[str, Any], says: str) -> None:
    with pytest.raises(charlm.CharlmError) as caught:
        options.divide(TrainRunOptions, options.train_settings(), values)
    assert says in str(caught.value)


def test_what_is_none_is_not_given() -> None:
    given = {"hidden": None, "minutes": None, "lr": 0.1, "valid": Path("v.txt")}
    own, others = options.divide(TrainRunOptions, options.train_settings(), given)
    assert own == TrainRunOptions(valid=Path("v.txt"))
    assert others == {"lr": 0.1}


def test_budget_is_one_thing() -> None:
    assert TrainRunOptions(steps=3).steps == 3
    with pytest.raises(CharlmError, match="`epochs` and `minutes`"):
        TrainRunOptions(epochs=1, minutes=1)
    with pytest.raises(CharlmError, match="above 0"):
        TrainRunOptions(minutes=0)
