"""The exception for errors that the user can fix."""


class CharlmError(Exception):
    """Something the user can fix.

    The message is one line that says what is wrong and what to do about it; the command line
    prints it after ``error:`` and exits with code 2. Bugs are never raised as this class.
    """


def require(condition: bool, message: str) -> None:
    """Raise CharlmError(message) unless condition holds."""
    if not condition:
        raise CharlmError(message)
