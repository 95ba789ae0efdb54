"""A model as what makes files small."""

from __future__ import annotations

from pathlib import Path

from ..compression import files
from ..compression.container import SUFFIX, is_ours
from ..compression.predictor import BATCH
from ..system import output_file
from .exporting import Exporting


class Compressing(Exporting):
    """What compresses files, and reads them back."""

    def compress(
        self,
        file: str | Path,
        out: str | Path | None = None,
        *,
        adapt: bool = False,
        blocks: int = 0,
        batch: int = BATCH,
        with_model: bool = False,
        force: bool = False,
    ) -> Path:
        """Compress a file: the compressed one, which `decompress` reads back byte for byte.

        out: default, the file's name with .charlm. adapt: learn from the file while coding it.
        blocks: stretches read side by side, which is faster and compresses a little less; 0: one
        for each 8 KB, at most 64. batch: how many of them are computed at a time, which makes no
        difference to the file. with_model: put the model's network into the file, its
        weights rounded to 6 bits. force: also replace a file that charlm did not write.

        Needs the package constriction. Raises CharlmError for a bidirectional model and one without
        a file, and OSError.
        """
        model, target = Path(self._path()), Path(out or f"{file}{SUFFIX}")
        output_file.check(target, is_ours, force=force)
        output_file.check_apart(target, [file, model])
        with Path(file).open("rb") as source, output_file.writing(target) as written:
            files.compress(
                source,
                written,
                model,
                adapt=adapt,
                blocks=blocks,
                batch=batch,
                with_model=with_model,
            )
        return target

    def decompress(
        self,
        file: str | Path,
        out: str | Path | None = None,
        *,
        batch: int = BATCH,
        force: bool = False,
    ) -> Path:
        """Read back a file that this model compressed, or that has its model inside.

        out: default, the file's name without .charlm. batch: as in `compress`. force: replace a
        file that exists.

        Raises CharlmError for a file that is not one, a damaged one and another model, and OSError.
        """
        target = Path(out or str(file).removesuffix(SUFFIX))
        output_file.check_new(target, [file, self._path()], force=force)
        with Path(file).open("rb") as source, output_file.writing(target) as written:
            files.decompress(source, written, lambda: Path(self._path()), batch=batch)
        return target
