"""A checkpoint's folder as one ZIP file, and back."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from zlib import error as ZlibError

from esc.classification.classifier import Classifier
from esc.classification.metrics_file import read_metrics
from esc.errors import CheckpointError, reason_of

MAX_BYTES = 250 * 10**6  # unpacked: a ResNet50 in 32 bits has half of it
_FILES = re.compile(
    r"config\.json|figures\.json|README\.md|model\.safetensors\.index\.json|model-\d{5}-of-\d{5}\.safetensors|"
    r"ood_detector\.safetensors"
)
_MAX_FILES = 100
_DAMAGE = (OSError, ValueError, RuntimeError, NotImplementedError, EOFError, ZlibError, zipfile.BadZipFile)


def pack(folder: Path, target: Path) -> None:
    """Write the files of a checkpoint into a ZIP; weights don't compress."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.iterdir()):
            if _FILES.fullmatch(path.name):
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
        with zipfile.ZipFile(source) as archive:
            _write(archive, folder)
        found = Classifier.load(folder, "cpu")
        read_metrics(folder)
        return found
    except CheckpointError as error:
        reason = error.values.get("reason") or str(error.values.get("found", "no config.json"))
        raise CheckpointError("checkpoint.archive", name=name, reason=reason) from error
    except _DAMAGE as error:
        raise CheckpointError("checkpoint.archive", name=name, reason=reason_of(error)) from error


def _write(archive: zipfile.ZipFile, folder: Path) -> None:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > _MAX_FILES:
        raise ValueError(f"it holds {len(entries)} files; at most {_MAX_FILES} are possible")
    tops = {entry.filename.rpartition("/")[0] for entry in entries}
    left = MAX_BYTES
    for entry in entries:
        base = entry.filename.rpartition("/")[2]
        if len(tops) > 1 or "/" in min(tops) or not _FILES.fullmatch(base):
            raise ValueError(f"{entry.filename} is no file of a checkpoint")
        with archive.open(entry) as file:  # the sizes that a ZIP states may be wrong
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise ValueError(f"it holds more than {MAX_BYTES / 1e6:.0f} MB")
        (folder / base).write_bytes(content)
