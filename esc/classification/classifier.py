"""Classification of clips by a trained network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from esc.audio.waveform import is_silent
from esc.classification.checkpoint import load_checkpoint
from esc.classification.checkpoint_files.archive import checkpoint_folder
from esc.classification.checkpoint_files.config import Checkpoint
from esc.classification.confidence.ood_detector import OodDetector
from esc.classification.confidence.scores import calibrated_probabilities, cell_probabilities, known_and_sure, unknown_score
from esc.classification.first_clip import Clip, FirstClipSearch, array_blocks, cut_clip
from esc.classification.predictions import SILENCE, UNKNOWN, UNSURE, Prediction
from esc.classification.reduced_precision import AUTO, PRECISIONS, bfloat16_is_safe, checked_bfloat16_copy, has_bfloat16
from esc.classification.resnet import ResNet, embed, layer_outputs, mean_activations
from esc.dsp.spectrogram import clip_mel_db, network_input
from esc.errors import check_choice, check_range

MAX_TOP = 10_000


class Outputs(NamedTuple):
    """Outputs of a network for clips."""

    probabilities: torch.Tensor  # float32 (clips, n_classes), calibrated
    known: torch.Tensor  # bool (clips,), False for clips out of distribution
    sure: torch.Tensor  # bool (clips,), False where the likeliest class is uncertain or the clip out of distribution
    scores: torch.Tensor  # float32 (clips,), compared with the calibration's thresholds; higher for known sounds
    activations: torch.Tensor  # float32 (clips, n_cells, n_classes), probabilities at each time step of the last feature map


class ClipOutputs(NamedTuple):
    """`Outputs` for one clip."""

    verdict: str  # as `Prediction.verdict`
    probabilities: np.ndarray  # float32 (n_classes,)
    activations: np.ndarray  # float32 (n_cells, n_classes)


class Classifier:
    """A trained network in evaluation mode, its input's config and its detector, if any.

    `fast`, if any, is its copy in another precision, which predictions come from.
    """

    def __init__(
        self,
        model: ResNet,
        checkpoint: Checkpoint,
        device: torch.device,
        detector: OodDetector | None = None,
        fast: ResNet | None = None,
    ) -> None:
        self.model = model
        self.fast = fast
        self.checkpoint = checkpoint
        self.device = device
        self.detector = detector

    @classmethod
    def load(cls, path: str | Path | None = None, device: str | None = None, precision: str = AUTO) -> Classifier:
        """Return the classifier of a checkpoint's folder or ZIP, by default the shipped one.

        Parameters
        ----------
        path : path, optional
        device : str, optional
            Such as "cpu"; by default a GPU if available.
        precision : str
            "float32", equal on all machines up to rounding, or "auto": predictions in bfloat16 on CPUs that calculate with
            it, twice as fast. On fold 5 of ESC-50 all verdicts are the same, probabilities differ by 0.014 at most.

        Raises
        ------
        CheckpointError
            The checkpoint is missing, damaged or of another format.
        ParameterError
            The precision is unknown.
        """
        check_choice("precision", precision, PRECISIONS)
        chosen = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        folder = checkpoint_folder(path)
        model, checkpoint = load_checkpoint(folder)
        detector, sha256 = None, checkpoint.calibration and checkpoint.calibration.detector_sha256
        if sha256:
            detector = OodDetector.load(folder, sha256, model).to(chosen)
        model = model.to(chosen, memory_format=torch.channels_last)  # type: ignore[call-overload]
        n_frames = checkpoint.spectrogram.n_frames(checkpoint.clip_samples)
        fast = None
        if precision == AUTO and chosen.type == "cpu" and has_bfloat16(chosen) and bfloat16_is_safe(chosen, n_frames):
            fast = checked_bfloat16_copy(model, checkpoint.spectrogram.n_mels, n_frames)
        return cls(model, checkpoint, chosen, detector, fast)

    def in_float32(self) -> Classifier:
        """Return the classifier with predictions in float32; both share the weights."""
        return Classifier(self.model, self.checkpoint, self.device, self.detector)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Labels in the order of the targets."""
        return self.checkpoint.class_names

    def clip(self, waveform: np.ndarray, sample_rate: int, start_s: float = 0.0) -> np.ndarray:
        """Return a clip of a waveform: resampled, then cut or padded as in training.

        Equals the same samples of the whole waveform after `resample`, up to rounding.

        Parameters
        ----------
        waveform : array, shape (n_samples,) or (channels, n_samples)
        sample_rate : int
            Hz.
        start_s : float
            Moved back if the clip would exceed the sound, see `clip_start`.
        """
        rate = self.checkpoint.spectrogram.sample_rate
        start = round(self.clip_start(waveform.shape[-1], sample_rate, start_s) * rate)
        return cut_clip(waveform, sample_rate, start, rate, self.checkpoint.clip_samples)

    def first_clip(self, sound: np.ndarray | Iterable[np.ndarray], sample_rate: int) -> Clip:
        """Return the first clip that is not silent, see `esc.audio.is_silent`.

        After silence the clip begins with the onset. For a sound that is silent throughout it is the first clip.

        Parameters
        ----------
        sound : array, shape (n_samples,) or (channels, n_samples), or an iterable of such arrays
            The whole sound, or its blocks in order; only as many as needed are read.
        sample_rate : int
            Hz, of `sound`.

        Raises
        ------
        AudioError
            The sound is too short or has an invalid shape.
        """
        search = self.first_clip_search(sample_rate)
        for block in array_blocks(sound) if isinstance(sound, np.ndarray) else sound:
            if search.take(block):
                break
        return search.end()

    def first_clip_search(self, sample_rate: int) -> FirstClipSearch:
        """Return a search for the `first_clip` of blocks that are also used otherwise."""
        return FirstClipSearch(sample_rate, self.checkpoint.spectrogram.sample_rate, self.checkpoint.clip_samples)

    def clip_start(self, n_samples: int, sample_rate: int, start_s: float) -> float:
        """Return the actual start of a clip requested at `start_s`, in seconds.

        It is on a sample of the checkpoint's rate, and moved back if the clip would exceed the sound, at most to 0. Raises
        ParameterError if `start_s` is outside the sound.
        """
        rate = self.checkpoint.spectrogram.sample_rate
        check_range("start_s", start_s, 0.0, n_samples / sample_rate)
        last = -(-n_samples * rate // sample_rate) - self.checkpoint.clip_samples
        return max(0, min(round(start_s * rate), last)) / rate

    def predict(self, waveform: np.ndarray, sample_rate: int, top_k: int = 5, start_s: float | None = None) -> Prediction:
        """Return the classification of a clip, by default the `first_clip`.

        Parameters
        ----------
        waveform : array, shape (n_samples,) or (channels, n_samples)
            Nominally in [-1, 1]; integers are scaled by their full range.
        sample_rate : int
            Hz.
        top_k : int
            Number of classes to name, 1 or more; at most all.
        start_s : float, optional
            Start of the clip in seconds, see `clip_start`.

        Raises
        ------
        AudioError
            The waveform is too short or has an invalid shape.
        ParameterError
            `top_k` is below 1, or `start_s` out of range.
        """
        if start_s is None:
            return self.classify_clip(self.first_clip(waveform, sample_rate), top_k)
        begins_s = self.clip_start(waveform.shape[-1], sample_rate, start_s)
        return self.classify_clip(Clip(begins_s, self.clip(waveform, sample_rate, begins_s)), top_k)

    def classify_clip(self, clip: Clip, top_k: int = 5) -> Prediction:
        """Return the classification of a clip; `top_k` as for `predict`."""
        return self.classify_each([clip], top_k)[0]

    @torch.inference_mode()
    def classify_each(self, clips: Sequence[Clip], top_k: int = 5) -> list[Prediction]:
        """Return the classification of each clip, all in one pass; `top_k` as for `predict`."""
        check_range("top_k", top_k, 1, MAX_TOP)
        # one by one: as fast as a batch, bit-identical to a single clip's, and none keeps the others' memory
        spectrograms_db = [clip_mel_db(clip.samples, self.checkpoint.spectrogram) for clip in clips]
        silent = [is_silent(clip.samples) for clip in clips]
        loud = [spectrogram_db for spectrogram_db, quiet in zip(spectrograms_db, silent, strict=True) if not quiet]
        outputs = iter(self.clip_outputs(torch.stack(loud)) if loud else ())
        return [
            self._prediction(clip, spectrogram_db.numpy(), None if quiet else next(outputs), top_k)
            for clip, spectrogram_db, quiet in zip(clips, spectrograms_db, silent, strict=True)
        ]

    def _prediction(self, clip: Clip, spectrogram_db: np.ndarray, outputs: ClipOutputs | None, top_k: int) -> Prediction:
        if outputs is None:
            return Prediction((), SILENCE, clip.start_s, clip.samples, spectrogram_db)
        best = outputs.probabilities.argsort()[::-1][:top_k]
        top = tuple((self.class_names[index], float(outputs.probabilities[index])) for index in best)
        return Prediction(top, outputs.verdict, clip.start_s, clip.samples, spectrogram_db)

    @torch.inference_mode()
    def clip_outputs(self, spectrograms_db: torch.Tensor) -> list[ClipOutputs]:
        """Return the outputs for each of the spectrograms (clips, n_mels, n_frames) in dB."""
        outputs = self.outputs(spectrograms_db)
        probabilities, activations = outputs.probabilities.cpu().numpy(), outputs.activations.cpu().numpy()
        decided = zip(probabilities, activations, outputs.known.tolist(), outputs.sure.tolist(), strict=True)
        return [
            ClipOutputs(UNKNOWN if not known else self.class_names[row.argmax()] if sure else UNSURE, row, cells)
            for row, cells, known, sure in decided
        ]

    @torch.inference_mode()
    def probabilities(self, spectrograms_db: torch.Tensor) -> np.ndarray:
        """Return calibrated probabilities (clips, n_classes) of spectrograms (clips, n_mels, n_frames) in dB."""
        return self.outputs(spectrograms_db).probabilities.cpu().numpy()

    def outputs(self, spectrograms_db: torch.Tensor) -> Outputs:
        """Return the `Outputs` for spectrograms (clips, n_mels, n_frames) in dB."""
        calibration = self.checkpoint.calibration
        logits, pooled, cell_logits = layer_outputs(self.fast or self.model, self._scaled(spectrograms_db))
        if self.detector is not None:
            scores = self.detector(logits, pooled)
        else:
            score, temperature = (calibration.unknown_score, calibration.temperature) if calibration else ("max_softmax", 1.0)
            scores = unknown_score(logits, score, temperature)
        probabilities = calibrated_probabilities(logits, calibration)
        activations = cell_probabilities(cell_logits, calibration)
        return Outputs(probabilities, *known_and_sure(probabilities, scores, calibration), scores, activations)

    @torch.inference_mode()
    def logits(self, spectrograms_db: torch.Tensor) -> torch.Tensor:
        """Return logits (clips, n_classes) of spectrograms (clips, n_mels, n_frames) in dB."""
        return layer_outputs(self.fast or self.model, self._scaled(spectrograms_db)).logits

    @torch.inference_mode()
    def embedding(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """Return the embedding of a waveform's `first_clip`, the input of the last layer.

        Similar sounds have embeddings of similar direction, see `esc.classification.similarity`.

        Parameters
        ----------
        waveform, sample_rate
            As for `predict`.

        Returns
        -------
        array, float32, shape (n_features,)
            Means over the spectrogram, not negative; 512 for ResNet18.

        Raises
        ------
        AudioError
            The waveform is too short or has an invalid shape.
        """
        spectrogram_db = clip_mel_db(self.first_clip(waveform, sample_rate).samples, self.checkpoint.spectrogram)
        return embed(self.model, self._scaled(spectrogram_db[None]))[0].cpu().numpy()

    @torch.inference_mode()
    def mean_activations(self, spectrogram_db: np.ndarray) -> dict[str, tuple[int, np.ndarray]]:
        """Return each layer's number of channels and their mean, (h, w), for a clip."""
        found = mean_activations(self.model, self._scaled(torch.from_numpy(spectrogram_db)[None]))
        return {name: (channels, mean[0].cpu().numpy()) for name, (channels, mean) in found.items()}

    def _scaled(self, spectrograms_db: torch.Tensor) -> torch.Tensor:
        scaled = network_input(spectrograms_db.to(self.device), self.checkpoint.input)[:, None]
        return scaled.to(memory_format=torch.channels_last)
