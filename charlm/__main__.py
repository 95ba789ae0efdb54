"""`python -m charlm` is `charlm`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
