"""The best model of a run on disk, which is saved elsewhere if the run directory vanishes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from ..config import TrainConfig
from ..errors import CharlmError
from ..models import model_file
from ..network.network import Network
from ..runs import locate
from ..runs.events import Events
from ..runs.run_directory import RunDirectory
from ..system import storage
from ..system.version import __version__
from ..text.corpus import Corpus
from .checkpoint import Progress


class BestModel:
    """Writes the model of a run whenever it is the best so far."""

    def __init__(
        self, run: RunDirectory, corpus: Corpus, config: TrainConfig, events: Events
    ) -> None:
        self.run, self.corpus, self.config, self.events = run, corpus, config, events
        self.place = run.path.stat()
        self.lost = False
        self.handle: int | None = None  # what it refers to outlives the name of the file
        with suppress(OSError):  # none yet
            self._hold()

    def keep(self, network: Network, progress: Progress) -> None:
        """Write the model file."""
        corpus, file = self.corpus, self.run.model
        training = {
            "corpus": corpus.name,
            "sha256": corpus.sha256,
            "train": asdict(corpus.train_text),
            "valid": asdict(corpus.valid_text),
            "step": progress.step,
            "best": progress.best,
            "settings": self.config.as_dict(),
            "version": __version__,
        }
        first = not file.exists()
        config, tensors = network.config.as_dict(), network.tensors()
        contents = model_file.ModelFile("recurrent", config, corpus.tokenizer, tensors, training)
        model_file.write(file, contents)
        self._hold()
        if first:
            locate.mark_latest(self.run.path, self.events.warn)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Within, errors that come of a run directory that is gone say so, see `check_place`."""
        try:
            yield
        except (OSError, CharlmError):
            if not self.lost:
                self.check_place()
            raise
        finally:
            self._let_go()

    def check_place(self) -> None:
        """Raise CharlmError if the run directory is gone; the model is then saved elsewhere."""
        path = self.run.path
        with suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), self.place):
                return
        self.lost = True
        saved = "there was no model yet"
        if self.handle is not None:
            with os.fdopen(os.dup(self.handle), "rb") as file:
                file.seek(0)
                place = _free(path.name)
                storage.write_bytes(place, file.read())
            saved = f"the best model so far is now {place}"
        raise CharlmError(f"{path} has been removed while training wrote to it: {saved}")

    def _hold(self) -> None:
        """Keep the model file as it is now, where files that are open can be replaced."""
        self._let_go()
        if os.name == "posix":
            self.handle = os.open(self.run.model, os.O_RDONLY)

    def _let_go(self) -> None:
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None


def _free(name: str) -> Path:
    """A name in the current directory that no file has."""
    names = (f"{name}-{n}.safetensors" if n else f"{name}.safetensors" for n in itertools.count())
    return next(path for path in map(Path, names) if not path.exists())
