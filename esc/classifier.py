"""Waveform -> which of the classes it is, by a checkpoint and by that checkpoint's own config alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from esc.audio import MIN_SAMPLES, fit_clip, is_silent, resample, to_mono
from esc.calibration import calibrated, is_known
from esc.checkpoint import Checkpoint, load_checkpoint
from esc.errors import AudioError, ParameterError
from esc.model import features
from esc.spectrogram import mel_db, network_input

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
    clip : float32 array, shape (n_samples,)
        The clip as cut or padded, at the checkpoint's rate.
    picture_db : float32 array, shape (n_mels, n_frames)
        What the network saw, before its levels were scaled.
    """

    top: tuple[tuple[str, float], ...]
    verdict: str
    clip: np.ndarray
    picture_db: np.ndarray

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
    def load(cls, path: str | Path | None = None) -> Classifier:
        """Return the classifier of a checkpoint's folder, the shipped one where `path` is left out.

        Raises
        ------
        CheckpointError
            The folder is missing, damaged or of another format.
        """
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model, checkpoint = load_checkpoint(None if path is None else Path(path))
        return cls(model.to(device, memory_format=torch.channels_last), checkpoint, device)

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
            As for `predict`.
        """
        rate, seconds = self.checkpoint.spectrogram.sample_rate, self.checkpoint.input.clip_seconds
        start_s = self.clip_start(waveform.shape[-1], sample_rate, start_s)
        # a second more on both sides keeps the resampler's edges out; begun where samples of both rates coincide
        together = sample_rate // math.gcd(sample_rate, rate)
        begin = max(0, int((start_s - 1.0) * sample_rate) // together * together)
        end = int((start_s + seconds + 1.0) * sample_rate)
        at_rate = resample(to_mono(waveform[..., begin:end]), sample_rate, rate)
        if len(at_rate) < MIN_SAMPLES:
            raise AudioError("audio.too_short", name="the waveform", samples=len(at_rate), least=MIN_SAMPLES)
        return fit_clip(at_rate[round(start_s * rate) - begin * rate // sample_rate :], round(seconds * rate))

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

    @torch.inference_mode()
    def predict(self, waveform: np.ndarray, sample_rate: int, top_k: int = 5, start_s: float = 0.0) -> Prediction:
        """Return the likeliest classes of one clip of a waveform, its first where no start is given.

        Parameters
        ----------
        waveform : array, shape (n_samples,) or (channels, n_samples)
            Nominally in [-1, 1]; whole numbers are scaled by their width.
        sample_rate : int
            Hz.
        top_k : int
            How many classes to name, 1 to the number of classes.
        start_s : float
            Where the clip begins, in seconds; moved back so that it ends with the sound, see `clip_start`.

        Raises
        ------
        AudioError
            The waveform has no samples or another shape.
        ParameterError
            `top_k` or `start_s` is out of range.
        """
        if not 1 <= top_k <= len(self.class_names):
            raise ParameterError("parameter.range", field="top_k", value=top_k, low=1, high=len(self.class_names))
        clip = self.clip(waveform, sample_rate, start_s)
        picture_db = mel_db(clip, self.checkpoint.spectrogram)
        if is_silent(clip):
            return Prediction((), SILENCE, clip, picture_db.numpy())
        ((verdict, probabilities),) = self.verdicts(picture_db[None])
        best = probabilities.argsort()[::-1][:top_k]
        top = tuple((self.class_names[index], float(probabilities[index])) for index in best)
        return Prediction(top, verdict, clip, picture_db.numpy())

    def verdicts(self, pictures_db: torch.Tensor) -> list[tuple[str, np.ndarray]]:
        """Return for each dB picture (clips, n_mels, n_frames) the likeliest label or `UNKNOWN`, and its probabilities."""
        logits = self.logits(pictures_db)
        probabilities = calibrated(logits, self.checkpoint.calibration).cpu().numpy()
        known = is_known(logits, self.checkpoint.calibration).tolist()
        labels = [self.class_names[target] for target in probabilities.argmax(axis=1)]
        verdicts = [label if knows else UNKNOWN for label, knows in zip(labels, known, strict=True)]
        return list(zip(verdicts, probabilities, strict=True))

    def probabilities(self, pictures_db: torch.Tensor) -> np.ndarray:
        """Return class probabilities (clips, n_classes), calibrated, of dB pictures (clips, n_mels, n_frames)."""
        return calibrated(self.logits(pictures_db), self.checkpoint.calibration).cpu().numpy()

    @torch.inference_mode()
    def logits(self, pictures_db: torch.Tensor) -> torch.Tensor:
        """Return what the network itself says (clips, n_classes) of dB pictures (clips, n_mels, n_frames)."""
        return self.model(self._scaled(pictures_db))

    @torch.inference_mode()
    def embedding(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Return what the network makes of a waveform's first clip before it decides on a class.

        Sounds whose embeddings point the same way are alike to the network, see `esc.neighbours`.

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
        picture_db = mel_db(self.clip(waveform, sample_rate), self.checkpoint.spectrogram)
        return features(self.model, self._scaled(picture_db[None]))[0].cpu().numpy()

    def _scaled(self, pictures_db: torch.Tensor) -> torch.Tensor:
        scaled = network_input(pictures_db.to(self.device), self.checkpoint.input)[:, None]
        return scaled.to(memory_format=torch.channels_last)
