"""A small data set of four classes, and a quick recipe for it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

import sounds
from esc.config import InputConfig, SpectrogramConfig
from training.recipes import Augmentation, Recipe
from training.runs.run_dir import RunConfig
from training.train import Validation

RATE = 8_000
SMALL = SpectrogramConfig(
    sample_rate=RATE, n_fft=256, win_length=256, hop_length=128, n_mels=32, fmin=50.0, fmax=4_000.0, mel_scale="htk"
)
HALF_A_SECOND = InputConfig(clip_seconds=0.5)
CLASSES = ("hum", "hiss", "chirp", "ticks")
A_FOLD = 5  # clips of each class in one fold
TRAINING_FOLDS, HELD_OUT = (1, 2, 3, 4), 5
QUICK = Recipe(
    spectrogram=SMALL,
    input=HALF_A_SECOND,
    epochs=3,
    batch_size=16,
    learning_rate=2e-3,
    weight_decay=0.01,
    label_smoothing=0.05,
    ema_decay=0.9,
    augmentation=Augmentation(
        mix_share=0.5,
        speed=0.05,
        shift_bands=1,
        tilt_db=2.0,
        time_masks=1,
        freq_masks=1,
        time_mask_share=0.1,
        freq_mask_share=0.1,
    ),
)
EVERY_EPOCH = Validation(every=1)


def outer(recipe: Recipe = QUICK, fold: int = HELD_OUT, seed: int = 1, left_out: tuple[str, ...] = ()) -> RunConfig:
    """Return a run on all folds but one."""
    return RunConfig(recipe, tuple(other for other in (1, 2, 3, 4, 5) if other != fold), fold, seed, left_out)


def small_sound(category: str, rng: np.random.Generator) -> np.ndarray:
    seconds = rng.uniform(0.3, 0.8)  # some are padded, some cut
    n_samples = round(seconds * RATE)
    if category == "hum":
        waveform = sounds.tone(rng.uniform(200, 300), seconds, RATE)
    elif category == "hiss":
        waveform = 0.2 * rng.standard_normal(n_samples)
    elif category == "chirp":
        waveform = sounds.sweep(seconds, RATE)
    else:
        waveform = np.zeros(n_samples)
        waveform[:: int(rng.integers(500, 700))] = 0.9
    return (waveform[:n_samples] + 0.003 * rng.standard_normal(n_samples)).astype(np.float32)


def make_data(folder: Path, layout: str = "official") -> Path:
    table, audio = {
        "official": ("meta/esc50.csv", "audio"),
        "kaggle": ("esc50.csv", "audio/audio"),
        "flat": ("esc50.csv", "."),
    }[layout]
    (folder / audio).mkdir(parents=True, exist_ok=True)
    (folder / table).parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    rows = []
    for fold in (1, 2, 3, 4, 5):
        for target, category in enumerate(CLASSES):
            for take in range(A_FOLD):
                source = 1_000 * fold + 10 * target + take
                name = f"{fold}-{source}-A-{target}.wav"
                sounds.write(folder / audio / name, small_sound(category, rng), RATE)
                rows.append([name, fold, target, category, "False", source, "A"])
    with (folder / table).open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["filename", "fold", "target", "category", "esc10", "src_file", "take"])
        writer.writerows(rows)
    return folder
