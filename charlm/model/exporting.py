"""A model for other programs."""

from __future__ import annotations

from pathlib import Path

from ..errors import require
from .loaded import Loaded


class Exporting(Loaded):
    """What takes a model elsewhere."""

    def export(
        self, to: str, *, out: str | Path | None = None, force: bool = False
    ) -> tuple[Path, ...]:
        """Write the model for other programs: the files written (docs/export.md).

        to: "safetensors", the weights under the names of `torch.nn`; "onnx", a graph for ONNX
        Runtime (needs the package onnx); both with the tokenizer as JSON beside them; "arpa", an
        n-gram model; or "html", a page with the model in it. Of a mixture, its network or its
        n-gram model is written, but in a page the whole.
        out: default, the name of the run or file, here. force: also replace a file that charlm did
        not write.

        Raises CharlmError for a model without a file, or without a part that the format can hold.
        """
        from ..export.exporting import export

        return export(self._path(), to=to, out=out, force=force).files

    def card(
        self, name: str | None = None, *, language: str | None = None, license: str | None = None
    ) -> str:
        """A model card in Markdown, with the front matter of the Hugging Face Hub.

        name: default, that of the run. language: codes such as "en,de". license: as the Hub spells
        it, such as "mit". The numbers are those of `info`.

        Raises CharlmError for a model without a file.
        """
        from ..export.card import card
        from ..export.exporting import name_of

        path = Path(self._path())
        return card(self._info, name or name_of(path), language=language, license=license)

    def _path(self) -> str:
        require("path" in self._info, "a model made in memory has no file to speak of")
        return str(self._info["path"])
