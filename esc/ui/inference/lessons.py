"""Examples of sessions that teach: their activations, each read once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from esc.classification.teaching.teach import Example
from esc.errors import DataError, EscError
from esc.ui.sessions.uploaded_files import UploadedFile

_PASSING = ("audio.timeout", "audio.disk_full", "audio.crashed")
MAX_WINDOWS = 2_000  # of a session: 23 MB of activations


@dataclass(eq=False)
class Lesson:
    """Facts of a session's examples, by their ids."""

    pooled: dict[str, np.ndarray] = field(default_factory=dict)
    thumbnails: dict[str, str] = field(default_factory=dict)
    errors: dict[str, EscError] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    recordings: dict[str, str] = field(default_factory=dict)  # of selections: the sound that they are of

    def forget(self, example_id: str) -> None:
        """Delete what is known of an example."""
        for known in (self.pooled, self.thumbnails, self.errors, self.digests, self.recordings):
            known.pop(example_id, None)

    def retry(self) -> None:
        """Delete errors that were not the fault of a file."""
        self.errors = {example: error for example, error in self.errors.items() if error.key not in _PASSING}


def bounded(windows: Iterator[np.ndarray], most: int) -> Iterator[np.ndarray]:
    """Yield the windows; raise DataError for more than `most`."""
    for some in windows:
        most -= len(some)
        if most < 0:
            raise DataError("teach.long", limit=MAX_WINDOWS)
        yield some


def usable_examples(lesson: Lesson, files: Sequence[tuple[UploadedFile, str]]) -> list[tuple[str, Example]]:
    """Return the usable examples with ids, without copies and dropped ones; DataError for mixed classes."""
    first: dict[str, tuple[UploadedFile, str]] = {}
    found = []
    for file, label in files:
        if file.id not in lesson.digests:
            continue
        other, other_label = first.setdefault(lesson.digests[file.id], (file, label))
        if other_label != label:
            raise DataError("own.twice", first=other.name, second=file.name, labels=f"{other_label}, {label}")
        if other is file and file.id in lesson.pooled:
            found.append((file.id, Example(file.name, label, lesson.pooled[file.id], lesson.recordings.get(file.id, ""))))
    return found
