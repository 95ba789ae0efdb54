"""What is not installed is named, with the line that installs it."""

from __future__ import annotations

import sys

import pytest

from charlm.errors import CharlmError
from charlm.system.extras import CPU_BUILD, INSTALL, require_packages


def test_what_is_there_is_enough() -> None:
    require_packages("this test")


@pytest.mark.train
def test_training_is_installed() -> None:
    require_packages("training", "torch", "matplotlib")


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        (["torch"], f"PyTorch: {{}} (on a laptop without a GPU, first: {CPU_BUILD})"),
        (["matplotlib"], "matplotlib: {}"),
        (
            ["torch", "matplotlib"],
            f"PyTorch and matplotlib: {{}} (on a laptop without a GPU, first: {CPU_BUILD})",
        ),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, missing: list[str], says: str
) -> None:
    for package in missing:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CharlmError) as error:
        require_packages("training", *missing)
    assert str(error.value) == "training needs " + says.format(INSTALL.format("train"))


@pytest.mark.parametrize("missing", ["backports", "backports.zstd"])
def test_what_reads_files_is_another_extra(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.delitem(sys.modules, "backports.zstd", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(CharlmError) as error:
        require_packages("unpacking", "backports.zstd")
    assert str(error.value) == f"unpacking needs backports.zstd: {INSTALL.format('formats')}"
