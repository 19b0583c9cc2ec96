"""Similarity search by cosine similarity of embeddings.

import esc

classifier = esc.Classifier.load()
index, errors = esc.SoundIndex.of_files(classifier, sorted(Path("recordings").glob("*.wav")))
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
from esc.errors import AudioError, SoundIndexError, reason_of
from esc.paths import atomic_write, display_path

FORMAT = 2  # 1: embeddings of clips whose constant offset was not removed
SAME = 1 - 1e-5  # above this cosine it is the same sound; float32 leaves 1e-7
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Neighbour:
    """Sound of an index and its cosine similarity, at most 1."""

    path: Path
    similarity: float

    @property
    def same(self) -> bool:
        """Whether it is the query sound itself."""
        return self.similarity >= SAME


@dataclass(frozen=True, eq=False)
class SoundIndex:
    """Embeddings of the first clips of many sounds."""

    checkpoint: str  # `fingerprint` of the classifier; embeddings of others are not comparable
    paths: tuple[Path, ...]  # as given; absolute in a saved index
    embeddings: np.ndarray  # float32 (n_sounds, n_features), rows of unit length

    @classmethod
    def of_files(
        cls, classifier: Classifier, files: Iterable[Path], on_file: Callable[[int], None] | None = None
    ) -> tuple[SoundIndex, list[AudioError]]:
        """Return an index of files, and errors for unreadable or silent ones.

        Only the first clip of each file is read, as for `Classifier.predict`. `on_file` is called with the number of files
        done.
        """
        paths, rows, errors = [], [], []
        for number, path in enumerate(files, 1):
            try:
                rows.append(_unit(_embedding(path, classifier)))
                paths.append(path)
            except AudioError as error:
                errors.append(error)
            except Exception as error:  # raised by a decoder on a damaged file
                _log.debug("reading %s failed", path, exc_info=True)
                errors.append(AudioError("audio.crashed", name=display_path(path), reason=f"{type(error).__name__}: {error}"))
            if on_file:
                on_file(number)
        embeddings = np.stack(rows) if rows else np.zeros((0, classifier.model.fc.in_features), np.float32)
        return cls(fingerprint(classifier), tuple(paths), embeddings), errors

    def nearest(self, embedding: np.ndarray, k: int = 5) -> list[Neighbour]:
        """Return the `k` sounds most similar to an embedding (n_features,), in order."""
        similarities = self.embeddings @ _unit(embedding)
        best = np.argsort(-similarities, kind="stable")[:k]
        return [Neighbour(self.paths[row], float(similarities[row])) for row in best]

    def save(self, path: Path) -> None:
        """Write the index as an .npz file, atomically."""
        meta = {"format": FORMAT, "checkpoint": self.checkpoint, "paths": [str(one.resolve()) for one in self.paths]}
        try:
            with atomic_write(path) as temporary, temporary.open("wb") as file:
                np.savez_compressed(file, embeddings=self.embeddings, meta=np.array(json.dumps(meta)))
        except OSError as error:
            raise SoundIndexError("index.write", path=path, reason=reason_of(error)) from error

    @classmethod
    def read(cls, path: Path) -> SoundIndex:
        """Return a saved index of any checkpoint; SoundIndexError if it is missing or damaged."""
        try:
            if path.is_file() and not zipfile.is_zipfile(path):
                raise ValueError("it is no .npz file")
            with np.load(path, allow_pickle=False) as file:
                embeddings, meta = file["embeddings"], json.loads(str(file["meta"]))
            if meta["format"] != FORMAT:
                raise ValueError(f"format {meta['format']} instead of {FORMAT}")
            return cls(meta["checkpoint"], tuple(map(Path, meta["paths"])), embeddings)
        except FileNotFoundError as error:
            raise SoundIndexError("index.missing", path=path) from error
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise SoundIndexError("index.damaged", path=path, reason=error) from error

    @classmethod
    def load(cls, path: Path, classifier: Classifier) -> SoundIndex:
        """Return a saved index, if this classifier's checkpoint made it.

        Raises
        ------
        SoundIndexError
            The file is missing, damaged or made by another checkpoint.
        """
        index = cls.read(path)
        if index.checkpoint != fingerprint(classifier):
            raise SoundIndexError("index.checkpoint", path=path)
        wanted = (len(index.paths), classifier.model.fc.in_features)
        embeddings = index.embeddings
        if embeddings.dtype != np.float32 or embeddings.shape != wanted or not np.isfinite(embeddings).all():
            raise SoundIndexError("index.damaged", path=path, reason=f"{embeddings.dtype} {embeddings.shape}")
        return index


def fingerprint(classifier: Classifier) -> str:
    """Return a hash of a checkpoint's weights and input config."""
    meta = classifier.checkpoint
    digest = hashlib.sha256(json.dumps([meta.spectrogram.to_dict(), meta.input.to_dict()], sort_keys=True).encode())
    for name, tensor in sorted(classifier.model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def first_clip_of(path: Path, classifier: Classifier) -> Clip:
    """Return the `Classifier.first_clip` of a file, without decoding the rest.

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does.
    """
    try:
        facts, blocks = open_audio(path, display_path(path))
        return classifier.first_clip(blocks, facts.sample_rate)
    except OSError as error:
        raise AudioError("audio.unreadable", name=display_path(path), reason=reason_of(error), accepted=ACCEPTED) from error


def _unit(embedding: np.ndarray) -> np.ndarray:
    return embedding / max(float(np.linalg.norm(embedding)), 1e-12)


def _embedding(path: Path, classifier: Classifier) -> np.ndarray:
    """Return the embedding of a file; raise AudioError if it is silent."""
    samples = first_clip_of(path, classifier).samples
    if is_silent(samples):
        raise AudioError("audio.silent", name=display_path(path))
    return classifier.embedding(samples, classifier.checkpoint.spectrogram.sample_rate)
