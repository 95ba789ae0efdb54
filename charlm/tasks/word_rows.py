"""The words of scored sentences as the rows of a table, ready for a mixed model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..text.stimuli import Stimulus
from .score import SentenceScore

PREFIX = "stimulus_"  # before the name of a column of the stimuli that the table has itself


def word_rows(
    sentences: Iterable[tuple[Stimulus, SentenceScore]],
    frequency: Callable[[str], float] | None = None,
) -> Iterator[dict[str, Any]]:
    """A row for every word, <EOS> included where it was scored, with the words requested.

    Each has: line, word_id (from 1 in each sentence), what `WordScore.as_dict` has, entropy_of (the
    level of the tokens: `entropy` is that of the next of them), length in characters, frequency
    (see `Frequencies`; NaN without them), the surprisals of the last two words before it in the
    sentence (NaN at its beginning; spillover), and the columns that stood beside the sentence.
    """
    for stimulus, scored in sentences:
        earlier, latest = math.nan, math.nan
        for number, word in enumerate(scored.word_scores or (), 1):
            length = word.end - word.start
            own = {
                "line": stimulus.line,
                "word_id": number,
                **word.as_dict(),
                "entropy_of": scored.level,
                "length": length,
                "frequency": frequency(word.word) if frequency and length else math.nan,
                "prev_surprisal": latest,
                "prev2_surprisal": earlier,
            }
            yield own | beside(own, stimulus.metadata)
            earlier, latest = latest, word.surprisal


def beside(own: Iterable[str], metadata: Mapping[str, str]) -> dict[str, str]:
    """Columns of the stimuli; those with a name of the table's `own` columns get a prefix."""
    taken = set(own)
    return {PREFIX + name if name in taken else name: cell for name, cell in metadata.items()}
