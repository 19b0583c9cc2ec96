"""A checkpoint's folder as one ZIP file, and back."""

from __future__ import annotations

import zipfile
from pathlib import Path

from esc.classification.checkpoint_files.archive import FILES, ZIP_ERRORS, extract
from esc.classification.checkpoint_files.metrics import read_metrics
from esc.classification.classifier import Classifier
from esc.errors import CheckpointError, reason_of


def pack(folder: Path, target: Path) -> None:
    """Write the files of a checkpoint into a ZIP; weights don't compress."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.iterdir()):
            if FILES.fullmatch(path.name):
                archive.write(path, path.name)


def unpack(source: Path, folder: Path, name: str) -> Classifier:
    """Return the classifier of a checkpoint in a ZIP, unpacked to an empty folder.

    The files are at the top or in one folder. Only those of a checkpoint are read; none of them can hold code.

    Raises
    ------
    CheckpointError
        The ZIP, called `name`, is damaged or holds anything else.
    """
    try:
        extract(source, folder)
        found = Classifier.load(folder, "cpu")
        read_metrics(folder)
        return found
    except CheckpointError as error:
        reason = error.values.get("reason") or str(error.values.get("found", "no config.json"))
        raise CheckpointError("checkpoint.archive", name=name, reason=reason) from error
    except ZIP_ERRORS as error:
        raise CheckpointError("checkpoint.archive", name=name, reason=reason_of(error)) from error
