"""Robustness benchmark: accuracy on the clips of a fold after seeded distortions of real recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import torch

from esc.classification.checkpoint_files.robustness import Robustness
from esc.classification.classifier import Classifier
from esc.classification.reduced_precision import FLOAT32
from esc.config import InputConfig, SpectrogramConfig
from esc.dsp.spectrogram import clip_mel_db
from esc.plotting.runs import plot_bars
from training.augmentation import distortion
from training.data.esc50 import Clip
from training.data.preprocessing import background_files, load_clip, map_files
from training.evaluation.held_out_log import fold_clips, log_evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEED = 14
AS_IT_IS = "as it is"

Distort = Callable[[np.ndarray, int, np.ndarray, np.random.Generator], np.ndarray]


def _telephone(waveform: np.ndarray, sample_rate: int, background: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return distortion.lower_sample_rate(distortion.band_pass(waveform, sample_rate, 300, 3_400, 48), sample_rate, 8_000)


# of a waveform, its sample rate in Hz, another clip and a generator; their order is part of the seed
DISTORTIONS: dict[str, Distort] = {
    AS_IT_IS: lambda waveform, rate, background, rng: waveform,
    "16 kHz": lambda waveform, rate, background, rng: distortion.lower_sample_rate(waveform, rate, 16_000),
    "8 kHz": lambda waveform, rate, background, rng: distortion.lower_sample_rate(waveform, rate, 8_000),
    "white noise 20 dB": lambda waveform, rate, background, rng: distortion.add_noise(waveform, rate, 20, 0, rng),
    "white noise 10 dB": lambda waveform, rate, background, rng: distortion.add_noise(waveform, rate, 10, 0, rng),
    "white noise 0 dB": lambda waveform, rate, background, rng: distortion.add_noise(waveform, rate, 0, 0, rng),
    "room RT60 0.6 s": lambda waveform, rate, background, rng: distortion.reverberate(waveform, rate, 0.6, None, rng),
    "room RT60 0.6 s, direct 0 dB": lambda waveform, rate, background, rng: distortion.reverberate(waveform, rate, 0.6, 0, rng),
    "clipped 12 dB": lambda waveform, rate, background, rng: distortion.clip_peaks(waveform, 12),
    "MP3 at the lowest rate": lambda waveform, rate, background, rng: distortion.encode(waveform, rate, "mp3", 1.0),
    "Opus at the lowest rate": lambda waveform, rate, background, rng: distortion.encode(waveform, rate, "opus", 1.0),
    "40 dB quieter": lambda waveform, rate, background, rng: distortion.amplify(waveform, -40),
    "another sound 10 dB below": lambda waveform, rate, background, rng: distortion.mix_at_snr(waveform, background, 10),
    "telephone": _telephone,
}

GOALS = {
    AS_IT_IS: 0.87, "16 kHz": 0.84, "8 kHz": 0.75, "white noise 20 dB": 0.85, "white noise 10 dB": 0.8,
    "white noise 0 dB": 0.62, "room RT60 0.6 s": 0.8, "clipped 12 dB": 0.85, "MP3 at the lowest rate": 0.85,
}  # fmt: skip


def evaluate_robustness(
    folder: Path, clips: list[Clip], fold: int, evaluation_log: Path, names: Sequence[str] = tuple(DISTORTIONS)
) -> Robustness:
    """Return a checkpoint's accuracy on one fold after each distortion.

    The plain accuracy of a held-out fold is logged.

    Parameters
    ----------
    folder : path
        The checkpoint's folder.
    clips : list of Clip
        The whole data set; classes left out of training are left out here too.
    fold : int
    evaluation_log : path
        CSV file.
    names : sequence of str
        Of `DISTORTIONS`.

    Raises
    ------
    DataError, CheckpointError
        There is no such fold; a clip or the checkpoint is missing or damaged.
    """
    classifier = Classifier.load(folder, precision=FLOAT32)
    checkpoint = classifier.checkpoint
    clips = fold_clips(checkpoint, clips, fold)
    background = background_files(clips, np.random.default_rng([SEED, len(clips)]))
    tasks = [(clip.path, background[clip.path], tuple(names), checkpoint.spectrogram, checkpoint.input) for clip in clips]
    correct = np.zeros(len(names))
    for clip, spectrograms_db in zip(clips, map_files(_distorted_spectrograms, tasks), strict=True):
        correct += classifier.logits(torch.from_numpy(spectrograms_db)).argmax(1).cpu().numpy() == clip.target
    accuracy = dict(zip(names, (correct / len(clips)).tolist(), strict=True))
    if AS_IT_IS in accuracy:
        log_evaluation(evaluation_log, folder, checkpoint, fold, accuracy[AS_IT_IS])
    return {"run": checkpoint.provenance.get("run", folder.name), "fold": fold, "clips": len(clips), "accuracy": accuracy}


def plot_robustness(measured: Robustness) -> Figure:
    """Return the accuracies as bars, with the goals and the previous network's figures as dots."""
    accuracy, dots = measured["accuracy"], {"goal": GOALS}
    if "previous" in measured:
        dots[measured["previous"]["run"]] = measured["previous"]["accuracy"]
    shown = {label: {name: share for name, share in values.items() if name in accuracy} for label, values in dots.items()}
    title = f"{measured['run']}: {measured['clips']} clips of fold {measured['fold']}, distorted"
    return plot_bars(accuracy, "accuracy", title, [f"{share:.3f}" for share in accuracy.values()], shown)


def _distorted_spectrograms(
    path: Path, background_path: Path, names: Sequence[str], spectrogram: SpectrogramConfig, input_config: InputConfig
) -> np.ndarray:
    """Return a clip's dB spectrograms (n_distortions, n_mels, n_frames), seeded by file and distortion."""
    rate = spectrogram.sample_rate
    waveform, background = (load_clip(one, rate, input_config.clip_seconds) for one in (path, background_path))
    rngs = [np.random.default_rng([SEED, list(DISTORTIONS).index(name), crc32(path.stem.encode())]) for name in names]
    distorted = (DISTORTIONS[name](waveform, rate, background, rng) for name, rng in zip(names, rngs, strict=True))
    return np.stack([clip_mel_db(one, spectrogram).numpy() for one in distorted])
