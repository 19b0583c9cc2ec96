"""Time of a clip's prediction, from file to label, relative to the bare forward pass of the network.

The bare pass is the ResNet18 in eager float32, channels first, on an input that is ready. All kinds take turns, so that
other work slows them equally; the ratios are those of the medians.

A folder is classified by `python -m esc classify FOLDER --jobs 2`, its start included, and compared with the rate of the bare
pass.

    python -m benchmarks.prediction [--rounds 30] [--files 200] [--json]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch

from benchmarks.harness import ROOT, Row, run
from esc.audio.io import load_audio
from esc.classification.checkpoint import load_checkpoint
from esc.classification.classifier import Classifier

GOAL_CLIP, GOAL_FORWARD, GOAL_FOLDER = 1.1, 1.5, 0.7
SAMPLE_RATE, CLIP_S = 44_100, 5.0
WARM_UP = 3


def write_sounds(folder: Path, count: int) -> list[Path]:
    """Write clips of noise, 16 bit mono, each with another spectrum."""
    rng, files = np.random.default_rng(0), [folder / f"{number:03}.wav" for number in range(count)]
    for file in files:
        noise = np.convolve(rng.standard_normal(round(CLIP_S * SAMPLE_RATE)), rng.standard_normal(16) / 4, "same")
        soundfile.write(file, 0.1 * noise, SAMPLE_RATE, "PCM_16")
    return files


def measure(rounds: int, files: int) -> dict:
    """Return median milliseconds of each kind, and files a second of a folder."""
    classifier = Classifier.load(device="cpu")
    bare, _ = load_checkpoint(None)
    spectrograms_db = torch.zeros(1, classifier.checkpoint.spectrogram.n_mels, _n_frames(classifier))
    with tempfile.TemporaryDirectory() as name:
        sounds = write_sounds(Path(name), files)
        kinds: dict[str, Callable[[], object]] = {
            "bare": lambda: bare(spectrograms_db[:, None]),
            "forward": lambda: classifier.logits(spectrograms_db),
            "clip": lambda: classifier.predict(*load_audio(sounds[0])),
        }
        taken: dict[str, list[float]] = {kind: [] for kind in kinds}
        with torch.inference_mode():
            for number in range(WARM_UP + rounds):
                for kind, work in kinds.items():
                    begun = time.perf_counter()
                    work()
                    if number >= WARM_UP:
                        taken[kind].append(1e3 * (time.perf_counter() - begun))
        command = [sys.executable, "-m", "esc", "classify", name, "--jobs", "2", "--format", "json"]
        begun = time.perf_counter()
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        files_per_second = files / (time.perf_counter() - begun)
    medians = {kind: float(np.median(times)) for kind, times in taken.items()}
    return {"milliseconds": medians, "files": files, "files_per_second": files_per_second}


def _n_frames(classifier: Classifier) -> int:
    return classifier.checkpoint.spectrogram.n_frames(classifier.checkpoint.clip_samples)


def rows(result: dict) -> list[Row]:
    """Return ratios to the bare pass."""
    bare, forward, clip = (result["milliseconds"][kind] for kind in ("bare", "forward", "clip"))
    folder = f"{result['files']} files of 5 s, classify --jobs 2, start included"
    rate, bare_rate = result["files_per_second"], 1e3 / bare
    return [
        Row(
            "forward pass of the app",
            "bare float32 pass",
            bare / forward,
            GOAL_FORWARD,
            detail=f"{forward:.1f} ms, {bare:.1f} ms",
        ),
        Row("a clip of 5 s, file -> label", "bare float32 pass", clip / bare, GOAL_CLIP, at_most=True, detail=f"{clip:.1f} ms"),
        Row(folder, "bare float32 pass", rate / bare_rate, GOAL_FOLDER, detail=f"{rate:.1f}, {bare_rate:.1f} a second"),
    ]


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, rounds=(30, "predictions of each kind"), files=(200, "files of the folder"))


if __name__ == "__main__":
    main()
