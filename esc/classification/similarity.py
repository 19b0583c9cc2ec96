"""Which sounds are most alike: by the angle between what the network makes of them before it decides on a class.

import esc

classifier = esc.Classifier.load()
index, unread = esc.SoundIndex.of_files(classifier, sorted(Path("recordings").glob("*.wav")))
index.save(Path("recordings.npz"))  # and later: esc.SoundIndex.load(Path("recordings.npz"), classifier)
for neighbour in index.nearest(classifier.embedding(*esc.load_audio("rain.wav"))):
    print(neighbour.path, neighbour.similarity)
"""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from esc.audio.io import ACCEPTED, open_audio
from esc.audio.waveform import is_silent
from esc.classification.classifier import Classifier
from esc.classification.first_clip import Clip
from esc.errors import AudioError, SoundIndexError
from esc.paths import display_path

FORMAT = 1
SAME = 1 - 1e-5  # from this cosine on it is the very sound: float32 leaves 1e-7
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Neighbour:
    """A sound of an index and how alike it is: the cosine of the angle between the embeddings, at most 1."""

    path: Path
    similarity: float

    @property
    def same(self) -> bool:
        """Whether it is the very sound that was asked about."""
        return self.similarity >= SAME


@dataclass(frozen=True, eq=False)
class SoundIndex:
    """The embeddings of many sounds' openings.

    Attributes
    ----------
    checkpoint : str
        `fingerprint` of the classifier that made them; another's embeddings are not comparable.
    paths : tuple of path
        As they were given; those of a saved index are absolute.
    embeddings : float32 array, shape (n_sounds, n_features)
        Each of length 1.
    """

    checkpoint: str
    paths: tuple[Path, ...]
    embeddings: np.ndarray

    @classmethod
    def of_files(
        cls, classifier: Classifier, files: Iterable[Path], on_file: Callable[[int], None] | None = None
    ) -> tuple[SoundIndex, list[AudioError]]:
        """Return the index of files and what is wrong with those that are not in it: unreadable or silent.

        Of each file the opening is read, as for `Classifier.predict`. `on_file` is called with the number of files done.
        """
        paths, rows, errors = [], [], []
        for number, path in enumerate(files, 1):
            try:
                rows.append(_unit(_audible(path, classifier)))
                paths.append(path)
            except AudioError as error:
                errors.append(error)
            except Exception as error:  # a decoder stumbled over the file in a way of its own
                _log.debug("reading %s failed", path, exc_info=True)
                errors.append(AudioError("audio.crashed", name=display_path(path), reason=f"{type(error).__name__}: {error}"))
            if on_file:
                on_file(number)
        embeddings = np.stack(rows) if rows else np.zeros((0, classifier.model.fc.in_features), np.float32)
        return cls(fingerprint(classifier), tuple(paths), embeddings), errors

    def nearest(self, embedding: np.ndarray, k: int = 5) -> list[Neighbour]:
        """Return the `k` sounds most like an embedding (n_features,), the most alike first; all if there are fewer."""
        similarities = self.embeddings @ _unit(embedding)
        best = np.argsort(-similarities, kind="stable")[:k]
        return [Neighbour(self.paths[row], float(similarities[row])) for row in best]

    def save(self, path: Path) -> None:
        """Write the index as an .npz file, at one stroke; an older one is replaced."""
        meta = {"format": FORMAT, "checkpoint": self.checkpoint, "paths": [str(one.resolve()) for one in self.paths]}
        fresh = path.with_name(f"{path.name}.tmp")
        try:
            with fresh.open("wb") as file:
                np.savez_compressed(file, embeddings=self.embeddings, meta=np.array(json.dumps(meta)))
            fresh.replace(path)
        except OSError as error:
            raise SoundIndexError("index.write", path=path, reason=error.strerror or str(error)) from error
        finally:
            fresh.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path, classifier: Classifier) -> SoundIndex:
        """Return a saved index, if this classifier's checkpoint made it.

        Raises
        ------
        SoundIndexError
            The file is missing, damaged or made by another checkpoint.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                embeddings, meta = file["embeddings"], json.loads(str(file["meta"]))
            if meta["format"] != FORMAT:
                raise ValueError(f"format {meta['format']} instead of {FORMAT}")
            index = cls(meta["checkpoint"], tuple(map(Path, meta["paths"])), embeddings)
        except FileNotFoundError as error:
            raise SoundIndexError("index.missing", path=path) from error
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise SoundIndexError("index.damaged", path=path, reason=error) from error
        if index.checkpoint != fingerprint(classifier):
            raise SoundIndexError("index.checkpoint", path=path)
        wanted = (len(index.paths), classifier.model.fc.in_features)
        if embeddings.dtype != np.float32 or embeddings.shape != wanted or not np.isfinite(embeddings).all():
            raise SoundIndexError("index.damaged", path=path, reason=f"{embeddings.dtype} {embeddings.shape}")
        return index


def fingerprint(classifier: Classifier) -> str:
    """Return what tells one checkpoint's embeddings from another's: a hash of its weights and of how its input is made."""
    meta = classifier.checkpoint
    digest = hashlib.sha256(json.dumps([meta.spectrogram.to_dict(), meta.input.to_dict()], sort_keys=True).encode())
    for name, tensor in sorted(classifier.model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def first_clip_of(path: Path, classifier: Classifier) -> Clip:
    """Return a file's opening, as `Classifier.first_clip`; what comes after it is not decoded.

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does.
    """
    try:
        facts, blocks = open_audio(path, display_path(path))
        return classifier.first_clip(blocks, facts.sample_rate)
    except OSError as error:
        reason = error.strerror or str(error)
        raise AudioError("audio.unreadable", name=display_path(path), reason=reason, accepted=ACCEPTED) from error


def _unit(embedding: np.ndarray) -> np.ndarray:
    return embedding / max(float(np.linalg.norm(embedding)), 1e-12)


def _audible(path: Path, classifier: Classifier) -> np.ndarray:
    """Return the embedding of a file's opening; raise AudioError where all of it is silent."""
    samples = first_clip_of(path, classifier).samples
    if is_silent(samples):
        raise AudioError("audio.silent", name=display_path(path))
    return classifier.embedding(samples, classifier.checkpoint.spectrogram.sample_rate)
