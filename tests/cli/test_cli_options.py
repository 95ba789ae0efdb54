"""Options are the settings' fields, and errors name them as the command line does."""

from __future__ import annotations

from typing import Any

import typer

from charlm.cli.app import app
from charlm.config import NetworkConfig, TokenizerConfig, TrainConfig
from charlm.runs import options
from charlm.runs.options import RunOptions, TrainRunOptions
from charlm.system.settings import settings_of

PYTHON_ONLY = {"min_lr", "beta2"}
NOT_SETTINGS = {"log", "corpus", "resume", "no_allocator", "json", "quiet", "verbose"}


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
