"""Own classes taught from sound files: a folder per class, or a table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esc.audio.io import ACCEPTED, open_audio
from esc.batch.labelled_files import LabelledFile, read_labelled, without_copies
from esc.classification.classifier import Classifier
from esc.classification.reduced_precision import FLOAT32
from esc.classification.teaching.backbone import Backbone
from esc.classification.teaching.saving import check_target, save_taught
from esc.classification.teaching.teach import Example, Taught, check_classes, teach
from esc.errors import AudioError, DataError, EscError, reason_of

MAX_FILES, MAX_WINDOWS = 5_000, 20_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class TaughtFiles:
    """A network taught from files, and the errors of files that could not be used."""

    taught: Taught
    errors: tuple[AudioError, ...]


def teach_files(
    source: Path,
    folder: Path,
    checkpoint: Path | None = None,
    other: str | None = None,
    on_file: Callable[[int, int], None] | None = None,
    workers: int = 1,
) -> TaughtFiles:
    """Teach the classes of folders or a table, and write the network's checkpoint.

    Parameters
    ----------
    source : path
        A folder with a folder of sounds for each class, or a CSV table with the columns file and label.
    folder : path
        Of the checkpoint, new, empty or of a taught network, which is replaced.
    checkpoint : path, optional
        The network to teach, by default the shipped one.
    other : str, optional
        The class of sounds that are none of the others.
    on_file : callable, optional
        Called with the number of files done and of all.
    workers : int
        Threads that read a file each, see `esc.classification.timeline.sliding_window.windows`.

    Raises
    ------
    DataError
        There are too few or too many examples, or `folder` holds something else.
    CheckpointError
        The network can't be used.
    """
    check_target(folder)
    listed = read_labelled(source)
    if len(listed) > MAX_FILES:
        raise DataError("teach.many", count=len(listed), limit=MAX_FILES)
    files = without_copies(listed)
    check_classes([file.label for file in files.values()], other)
    backbone = Backbone(Classifier.load(checkpoint, precision=FLOAT32))
    examples, errors = _examples(backbone, list(files.values()), on_file, workers)
    taught = teach(backbone, examples, other)
    save_taught(folder, taught)
    return TaughtFiles(taught, tuple(errors))


def _examples(
    backbone: Backbone, files: Sequence[LabelledFile], on_file: Callable[[int, int], None] | None, workers: int
) -> tuple[list[Example], list[AudioError]]:
    examples: list[Example] = []
    errors: list[AudioError] = []
    n_windows = 0

    def read(file: LabelledFile) -> np.ndarray | AudioError:
        try:
            return read_windows(backbone, file.path, file.name, MAX_WINDOWS)
        except AudioError as error:
            return error

    with ThreadPoolExecutor(workers, "teach") as pool:
        try:
            for number, (file, found) in enumerate(zip(files, pool.map(read, files), strict=True), 1):
                if isinstance(found, AudioError):
                    errors.append(found)
                else:
                    examples.append(Example(file.name, file.label, found))
                    n_windows += len(found)
                if n_windows > MAX_WINDOWS:
                    raise DataError("teach.long", limit=MAX_WINDOWS)
                if on_file:
                    on_file(number, len(files))
        finally:
            pool.shutdown(cancel_futures=True)
    return examples, errors


def read_windows(backbone: Backbone, path: Path, name: str, most: int) -> np.ndarray:
    """Return a file's pooled activations, see `Backbone.windows`.

    Raises
    ------
    AudioError
        The file can't be read, is silent or too short.
    DataError
        It has more than `most` windows.
    """
    try:
        facts, blocks = open_audio(path, name)
        found, n_windows = [], 0
        for pooled in backbone.windows(blocks, facts.sample_rate):
            found.append(pooled)
            n_windows += len(pooled)
            if n_windows > most:
                raise DataError("teach.long", limit=MAX_WINDOWS)
    except OSError as error:
        raise AudioError("audio.unreadable", name=name, reason=reason_of(error), accepted=ACCEPTED) from error
    except EscError as error:
        if error.key != "audio.too_short_to_name":
            raise
        raise AudioError("audio.refused", name=name, reason=str(error).rstrip(".")) from error
    except Exception as error:  # raised by a decoder on a damaged file
        _log.debug("reading %s failed", name, exc_info=True)
        raise AudioError("audio.crashed", name=name, reason=f"{type(error).__name__}: {error}") from error
    if not found:
        raise AudioError("teach.silent", name=name)
    return np.concatenate(found)
