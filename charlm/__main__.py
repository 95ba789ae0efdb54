"""Entry point of `python -m charlm` and the command `charlm`."""

import signal
import sys


def main() -> int:
    """Run the command line; Ctrl-C while Python is still importing ends it without a traceback."""
    try:
        _end_as_by_ctrl_c()
        from .cli import main as run

        return run()
    except KeyboardInterrupt:
        return 130


def _end_as_by_ctrl_c() -> None:
    """SIGTERM and SIGHUP end the process as Ctrl-C does, unless they are ignored (nohup)."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(main())
