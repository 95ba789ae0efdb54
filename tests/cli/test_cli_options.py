"""Options are the settings' fields, and errors name them as the command line does."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer

import charlm
from charlm.cli.app import app
from charlm.cli.ending import as_options
from charlm.config import (
    Described,
    NetworkConfig,
    Settings,
    TokenizerConfig,
    TrainConfig,
    settings_of,
)
from charlm.runs import options
from charlm.runs.options import NgramOptions, RunOptions, TrainOptions, TrainRunOptions

PYTHON_ONLY = {"min_lr", "beta2"}
NOT_SETTINGS = {"corpus", "resume", "no_allocator", "json", "quiet", "verbose"}


def offered(verb: str) -> dict[str, Any]:
    """The parameters of a verb, by name."""
    group: Any = typer.main.get_command(app)
    return {one.name: one for one in group.commands[verb].params}


def test_train_offers_every_setting() -> None:
    known = options.train_settings()
    found = offered("train")
    assert found.keys() - NOT_SETTINGS == known.keys() - PYTHON_ONLY
    fields = {
        name
        for kind in (TokenizerConfig, NetworkConfig, TrainConfig, TrainRunOptions)
        for name in settings_of(kind)
    }
    assert known.keys() == fields
    own = settings_of(TrainRunOptions)
    for name in found.keys() - NOT_SETTINGS:
        option, setting = found[name], known[name]
        assert option.opts == ["--" + name.replace("_", "-")]
        assert option.default == (setting.default if name in own else None)
        assert option.help == setting.sentence()
        assert getattr(option, "rich_help_panel", None) == (setting.about.group or None)


def test_ngram_offers_the_settings_of_tokens() -> None:
    known = options.ngram_settings()
    assert known.keys() < offered("ngram").keys()
    assert known.keys() == settings_of(RunOptions).keys() | settings_of(TokenizerConfig).keys()


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


@pytest.mark.parametrize("kind", [TokenizerConfig, TrainConfig, RunOptions, TrainRunOptions])
def test_defaults_are_within_their_own_bounds(kind: type[Settings]) -> None:
    assert kind().as_dict().keys() == settings_of(kind).keys()
    assert kind.from_dict(kind().as_dict()) == kind()


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


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`batch_size` must be more", "--batch-size must be more"),
        ("try `encoding=latin-1`, or", "try --encoding latin-1, or"),
        ("add `tied=True`", "add --tied"),
        ("add `tied=False`", "add --no-tied"),
        ("`resume=runs/my run`", "--resume runs/my run"),
        ("leave out `corpus`", "leave out CORPUS"),
        ("`arpa_file` names", "--arpa names"),
        ("a file called `A b` stays", "a file called `A b` stays"),
    ],
)
def test_settings_in_messages_are_spelled_as_options(message: str, shown: str) -> None:
    assert as_options(message) == shown
