"""Entry point of `python -m charlm` and the command `charlm`."""

import sys


def main() -> int:
    """Run the command line; Ctrl-C while Python is still importing ends it without a traceback."""
    try:
        from .cli import main as run

        return run()
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
