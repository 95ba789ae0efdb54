"""What the tests of the laboratory share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from charlm.config import TokenizerConfig

if TYPE_CHECKING:
    from charlm.text.corpus import Corpus


@pytest.fixture(scope="session")
def corpus(letters: Path) -> Iterator[Corpus]:
    """The random letters as a corpus of characters."""
    from charlm.lab import learn  # imports PyTorch

    with learn.corpus_of(str(letters), TokenizerConfig()) as found:
        yield found


@pytest.fixture(scope="module", autouse=True)
def small_experiments(one_core: None) -> None:
    """No experiment starts processes, unless its test wants them."""
