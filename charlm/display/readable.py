"""Format text and quantities for people to read, on a terminal or on a page."""

from __future__ import annotations

_CONTROL_PICTURES: dict[int, int | str] = {code: 0x2400 + code for code in range(32)}
_CONTROL_PICTURES[0x7F] = 0x2421
_CONTROL_PICTURES |= dict.fromkeys([*range(0x80, 0xA0), 0x2028, 0x2029], 0xFFFD)
# those that change the direction in which what follows is shown
_DIRECTIONS = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_CONTROL_PICTURES |= {code: f"<U+{code:04X}>" for code in _DIRECTIONS}


def valid_unicode(text: str) -> str:
    """`text` with lone surrogates, which are not Unicode characters, replaced by U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def one_line(text: str) -> str:
    """`text` on one line: control characters as symbols (newline is ␊, escape ␛).

    Also those that change the direction of writing, as <U+202E>.
    """
    return valid_unicode(text).translate(_CONTROL_PICTURES)


def keep_lines(text: str) -> str:
    """`text` with newlines and tabs kept, other control characters as symbols."""
    keep: dict[int, int | str] = {code: code for code in map(ord, "\n\t")}
    return valid_unicode(text).translate(_CONTROL_PICTURES | keep)


def cut(text: str, most: int) -> str:
    """At most so many characters of a text, the last one then being …."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def size(count: int) -> str:
    """A number of bytes for people to read: 5.4 MB."""
    if count < 1000:
        return f"{count} bytes"
    power = min(len(str(count)) - 1, 14) // 3
    return f"{count / 1000**power:,.1f} {('kB', 'MB', 'GB', 'TB')[power - 1]}"


def amount(number: int) -> str:
    """A count for people to read: 1,234; 1.4 M; 2.1 G."""
    if number < 1_000_000:
        return f"{number:,}"
    return f"{number / 1e6:,.1f} M" if number < 1_000_000_000 else f"{number / 1e9:,.1f} G"


def fixed(value: float, places: int) -> str:
    """A finite number: 9.71, -54.32, 1,235; no minus sign if it rounds to zero."""
    text = f"{value:,.{places if abs(value) < 1e3 else 0}f}"
    return text if text.strip("-0.") else text.lstrip("-")


def count(number_of: int, what: str) -> str:
    """1 line, 2 lines, 1,234 lines."""
    return f"{number_of:,} {what}{'' if number_of == 1 else 's'}"
