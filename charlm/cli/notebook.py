"""Show progress in a Jupyter notebook, through IPython's display.

(Rich's own live display in a notebook would need ipywidgets.)
"""

from __future__ import annotations

import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH = 78  # columns
FORMAT = '<pre style="line-height: normal; font-family: monospace">{code}</pre>'


def in_notebook() -> bool:
    """Whether this Python is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


class Area:
    """An output area below a notebook's cell that is updated in place; the last update stays."""

    def __init__(self) -> None:
        self.handle: Any = None  # IPython's, once something is shown

    def start(self) -> None:
        """Nothing is shown before the first `update`."""

    def update(self, renderable: RenderableType) -> None:
        """Show `renderable` in place of what is shown."""
        from rich.console import Console

        console = Console(
            file=StringIO(),
            record=True,
            width=WIDTH,
            force_terminal=True,
            force_jupyter=False,
            color_system="truecolor",
            legacy_windows=False,
            highlight=False,
        )
        console.print(renderable)
        html = console.export_html(inline_styles=True, code_format=FORMAT, clear=False)
        bundle = {"text/html": html, "text/plain": console.export_text()}
        if self.handle is None:
            from IPython.display import display

            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)

    def stop(self) -> None:
        """The last update stays."""
