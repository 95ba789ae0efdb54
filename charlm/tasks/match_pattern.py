"""The constraint that every line matches a regular expression."""

from __future__ import annotations

import re

from ..errors import CharlmError, require
from ..system.extras import require_packages

MAX_SECONDS = 2.0  # of one question to a pattern
_ESCAPED = re.compile(r"\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8}))")


class MatchPattern:
    """Every line matches a regular expression in full.

    The syntax is that of the `regex` module, which knows whether a text could still become a
    match. Where it cannot know (lookahead, backreferences) it says yes, and sampling may get stuck.
    """

    name = "match"

    def __init__(self, pattern: str) -> None:
        """Raises CharlmError if `regex` is not installed, or the pattern is invalid."""
        require_packages("`match`", "regex")
        import regex

        try:
            self.pattern = regex.compile(pattern)
        except (regex.error, ValueError) as error:
            raise CharlmError(f"`match` is not a regular expression: {error}") from None
        except (RecursionError, OverflowError, MemoryError):
            raise CharlmError("`match` is too large a regular expression") from None
        require("\n" not in pattern, "`match` is for single lines, and has a line break in it")
        escaped = _ESCAPED.sub(lambda code: chr(int(code[code.lastindex or 0], 16)), pattern)
        self.named = frozenset(escaped)

    def may_grow(self, before: str, line: str) -> bool:
        """Whether a match could begin with `line`."""
        return self._matches(line, partial=True)

    def may_end(self, line: str) -> bool:
        """Whether `line` is a match."""
        return self._matches(line, partial=False)

    def _matches(self, line: str, partial: bool) -> bool:
        try:
            found = self.pattern.fullmatch(line, partial=partial, timeout=MAX_SECONDS)
        except TimeoutError:
            raise CharlmError(
                f"`match` takes more than {MAX_SECONDS:.0f} s to compare with {len(line)} "
                "characters: try a pattern with fewer nested repeats"
            ) from None
        return found is not None
