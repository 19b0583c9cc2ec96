"""Waveform -> which of the classes it is, by a checkpoint and by that checkpoint's own config alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from esc.audio.waveform import is_silent
from esc.classification.calibration import calibrated_probabilities, is_known
from esc.classification.checkpoint import Checkpoint, load_checkpoint
from esc.classification.first_clip import Clip, FirstClipSearch, array_blocks, cut_clip
from esc.classification.resnet import embed
from esc.dsp.spectrogram import mel_db, network_input
from esc.errors import ParameterError

SILENCE = "silence"  # the verdict on a clip that the network is not asked about
UNKNOWN = "unknown"  # the verdict on a clip that is none of the classes, as the checkpoint's calibration has it


@dataclass(frozen=True)
class Prediction:
    """What the network said of one clip.

    Attributes
    ----------
    top : tuple of (label, probability)
        The likeliest classes, likeliest first; empty for silence, the nearest guesses for `UNKNOWN`.
    verdict : str
        The likeliest class's label, `UNKNOWN`, or `SILENCE`, which is decided before the network is asked.
    start_s : float
        Where the clip begins in the sound, in seconds.
    clip : float32 array, shape (n_samples,)
        The clip as cut or padded, at the checkpoint's rate.
    spectrogram_db : float32 array, shape (n_mels, n_frames)
        What the network saw, before its levels were scaled.
    """

    top: tuple[tuple[str, float], ...]
    verdict: str
    start_s: float
    clip: np.ndarray
    spectrogram_db: np.ndarray

    @property
    def known(self) -> bool:
        """Whether the verdict is one of the classes."""
        return self.verdict not in (SILENCE, UNKNOWN)


class Classifier:
    """A trained network together with what its input is made with.

    Parameters
    ----------
    model : Module
        In evaluation mode, on `device`.
    checkpoint : Checkpoint
    device : torch.device
    """

    def __init__(self, model: nn.Module, checkpoint: Checkpoint, device: torch.device) -> None:
        self.model = model
        self.checkpoint = checkpoint
        self.device = device

    @classmethod
    def load(cls, path: str | Path | None = None, device: str | None = None) -> Classifier:
        """Return the classifier of a checkpoint's folder, the shipped one where `path` is left out.

        It computes on `device`, such as "cpu"; where that is left out on the GPU if there is one.

        Raises
        ------
        CheckpointError
            The folder is missing, damaged or of another format.
        """
        chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        model, checkpoint = load_checkpoint(None if path is None else Path(path))
        return cls(model.to(chosen, memory_format=torch.channels_last), checkpoint, chosen)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The labels, in the order of the targets."""
        return self.checkpoint.class_names

    def clip(self, waveform: np.ndarray, sample_rate: int, start_s: float = 0.0) -> np.ndarray:
        """Return the clip that begins at a time of a waveform: resampled, then cut or padded as in training.

        Equal to what `resample` of the whole waveform gives there, up to rounding.

        Parameters
        ----------
        waveform : array, shape (n_samples,) or (channels, n_samples)
        sample_rate : int
            Hz.
        start_s : float
            Moved back so that the clip ends with the sound, see `clip_start`.
        """
        rate = self.checkpoint.spectrogram.sample_rate
        start = round(self.clip_start(waveform.shape[-1], sample_rate, start_s) * rate)
        return cut_clip(waveform, sample_rate, start, rate, self._clip_samples)

    def first_clip(self, sound: np.ndarray | Iterable[np.ndarray], sample_rate: int) -> Clip:
        """Return a sound's first clip or, where that is silent, the clip that begins with its first sound.

        A clip is silent as `esc.audio.is_silent` has it; of a sound that is silent as a whole it is the first clip.

        Parameters
        ----------
        sound : array, shape (n_samples,) or (channels, n_samples), or an iterable of such arrays
            The whole sound, or its blocks one after the other; no more of them are read than needed.
        sample_rate : int
            Hz, of `sound`.

        Raises
        ------
        AudioError
            The sound is too short or has another shape.
        """
        search = self.first_clip_search(sample_rate)
        for block in array_blocks(sound) if isinstance(sound, np.ndarray) else sound:
            if search.take(block):
                break
        return search.end()

    def first_clip_search(self, sample_rate: int) -> FirstClipSearch:
        """Return the search for the `first_clip` of a sound whose blocks somebody else needs, too."""
        return FirstClipSearch(sample_rate, self.checkpoint.spectrogram.sample_rate, self._clip_samples)

    @property
    def _clip_samples(self) -> int:
        return round(self.checkpoint.input.clip_seconds * self.checkpoint.spectrogram.sample_rate)

    def clip_start(self, n_samples: int, sample_rate: int, start_s: float) -> float:
        """Return where the clip that is asked for at `start_s` begins, in seconds: on a sample of the checkpoint's rate.

        It is moved back so that it ends with the sound, to the start of one shorter than a clip. Raises ParameterError
        where `start_s` lies outside the sound.
        """
        rate, seconds = self.checkpoint.spectrogram.sample_rate, self.checkpoint.input.clip_seconds
        if not 0.0 <= start_s <= n_samples / sample_rate:  # also catches NaN
            raise ParameterError("parameter.range", field="start_s", value=start_s, low=0.0, high=n_samples / sample_rate)
        last = -(-n_samples * rate // sample_rate) - round(seconds * rate)
        return max(0, min(round(start_s * rate), last)) / rate

    def predict(self, waveform: np.ndarray, sample_rate: int, top_k: int = 5, start_s: float | None = None) -> Prediction:
        """Return the likeliest classes of one clip of a waveform, its `first_clip` where no start is given.

        Parameters
        ----------
        waveform : array, shape (n_samples,) or (channels, n_samples)
            Nominally in [-1, 1]; whole numbers are scaled by their width.
        sample_rate : int
            Hz.
        top_k : int
            How many classes to name, 1 to the number of classes.
        start_s : float, optional
            Where the clip begins, in seconds; moved back so that it ends with the sound, see `clip_start`.

        Raises
        ------
        AudioError
            The waveform has no samples or another shape.
        ParameterError
            `top_k` or `start_s` is out of range.
        """
        if start_s is None:
            return self.classify_clip(self.first_clip(waveform, sample_rate), top_k)
        begins_s = self.clip_start(waveform.shape[-1], sample_rate, start_s)
        return self.classify_clip(Clip(begins_s, self.clip(waveform, sample_rate, begins_s)), top_k)

    @torch.inference_mode()
    def classify_clip(self, clip: Clip, top_k: int = 5) -> Prediction:
        """Return the likeliest classes of a clip that was cut before; `top_k` as for `predict`."""
        if not 1 <= top_k <= len(self.class_names):
            raise ParameterError("parameter.range", field="top_k", value=top_k, low=1, high=len(self.class_names))
        spectrogram_db = mel_db(clip.samples, self.checkpoint.spectrogram)
        if is_silent(clip.samples):
            return Prediction((), SILENCE, clip.start_s, clip.samples, spectrogram_db.numpy())
        ((verdict, probabilities),) = self.verdicts(spectrogram_db[None])
        best = probabilities.argsort()[::-1][:top_k]
        top = tuple((self.class_names[index], float(probabilities[index])) for index in best)
        return Prediction(top, verdict, clip.start_s, clip.samples, spectrogram_db.numpy())

    def verdicts(self, spectrograms_db: torch.Tensor) -> list[tuple[str, np.ndarray]]:
        """Return for each dB picture (clips, n_mels, n_frames) the likeliest label or `UNKNOWN`, and its probabilities."""
        logits = self.logits(spectrograms_db)
        probabilities = calibrated_probabilities(logits, self.checkpoint.calibration).cpu().numpy()
        known = is_known(logits, self.checkpoint.calibration).tolist()
        labels = [self.class_names[target] for target in probabilities.argmax(axis=1)]
        verdicts = [label if knows else UNKNOWN for label, knows in zip(labels, known, strict=True)]
        return list(zip(verdicts, probabilities, strict=True))

    def probabilities(self, spectrograms_db: torch.Tensor) -> np.ndarray:
        """Return class probabilities (clips, n_classes), calibrated, of dB pictures (clips, n_mels, n_frames)."""
        return calibrated_probabilities(self.logits(spectrograms_db), self.checkpoint.calibration).cpu().numpy()

    @torch.inference_mode()
    def logits(self, spectrograms_db: torch.Tensor) -> torch.Tensor:
        """Return what the network itself says (clips, n_classes) of dB pictures (clips, n_mels, n_frames)."""
        return self.model(self._scaled(spectrograms_db))

    @torch.inference_mode()
    def embedding(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Return what the network makes of a waveform's `first_clip` before it decides on a class.

        Sounds whose embeddings point the same way are alike to the network, see `esc.classification.similarity`.

        Parameters
        ----------
        waveform, sample_rate
            As for `predict`.

        Returns
        -------
        array, float32, shape (n_features,)
            Means over the picture, so none is negative; 512 of them for ResNet18.

        Raises
        ------
        AudioError
            The waveform has no samples or another shape.
        """
        spectrogram_db = mel_db(self.first_clip(waveform, sample_rate).samples, self.checkpoint.spectrogram)
        return embed(self.model, self._scaled(spectrogram_db[None]))[0].cpu().numpy()

    def _scaled(self, spectrograms_db: torch.Tensor) -> torch.Tensor:
        scaled = network_input(spectrograms_db.to(self.device), self.checkpoint.input)[:, None]
        return scaled.to(memory_format=torch.channels_last)
