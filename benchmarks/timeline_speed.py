"""Speed and memory of the timeline of one hour on the command line.

The hour is synthetic: noise, hums and sweeps without silence, since silence skips the network. Each run is a process of its
own, timed as a whole, including Python's and torch's imports; its peak memory is that of the system (ru_maxrss). The bare
network is the ResNet18 in eager float32, channels first, on windows that are ready.

    python -m benchmarks.timeline_speed [--minutes 60] [--json]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.harness import ROOT, Row, run

SAMPLE_RATE, CLIP_SECONDS = 44_100, 5.0
GOAL, GOAL_BARE, GOAL_GB = 150.0, 0.8, 1.2  # times real time, share of the bare network's rate
BARE_S = 4.0
BYTES_PER_MAXRSS = 1 if sys.platform == "darwin" else 1024


def write_sound(path: Path, minutes: float) -> None:
    """Write minutes of synthetic sound, 16 bit mono, ten seconds at a time."""
    rng = np.random.default_rng(0)
    times_s = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
    with soundfile.SoundFile(str(path), "w", SAMPLE_RATE, 1, "PCM_16") as file:
        for _ in range(round(minutes * 6)):
            level, hum_hz, sweep_hz = rng.uniform(0.01, 0.2), rng.uniform(50, 400), rng.uniform(500, 4000)
            noise = level * rng.standard_normal(len(times_s))
            tones = 0.1 * np.sin(2 * np.pi * hum_hz * times_s) + 0.1 * np.sin(2 * np.pi * sweep_hz * times_s**2 / 20)
            file.write(noise + tones)


def classify(sound: Path, hop_seconds: float) -> tuple[float, int, int]:
    """Return wall time in s, peak memory in bytes and number of segments."""
    command = [sys.executable, "-m", "esc", "classify", str(sound), "--timeline", "--hop", str(hop_seconds), "--format", "json"]
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)  # figures of this child, not the maximum of all
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{command} ended with {process.returncode}")
        output.seek(0)
        found = len(json.load(output)[0]["timeline"])
    return seconds, usage.ru_maxrss * BYTES_PER_MAXRSS, found


def bare_rate(seconds: float) -> float:
    """Return the windows that the bare network classifies in a second."""
    import torch

    from esc.classification.checkpoint import load_checkpoint
    from esc.classification.timeline.sliding_window import BATCH

    model, checkpoint = load_checkpoint(None)
    n_frames = checkpoint.spectrogram.n_frames(checkpoint.clip_samples)
    batch, taken = torch.zeros(BATCH, 1, checkpoint.spectrogram.n_mels, n_frames), []
    with torch.inference_mode():
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            began = time.perf_counter()
            model(batch)
            taken.append(time.perf_counter() - began)
    return BATCH / float(np.median(taken))


def measure(minutes: float) -> dict:
    """Return speed and memory, and the bare network's rate, measured before and after."""
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "sound.wav"
        write_sound(sound, minutes)
        rates = [bare_rate(BARE_S)]
        seconds, peak, found = classify(sound, CLIP_SECONDS)
        rates.append(bare_rate(BARE_S))
    return {
        "minutes": minutes,
        "wall_seconds": seconds,
        "windows_per_second": minutes * 60 / CLIP_SECONDS / seconds,
        "bare_windows_per_second": float(np.mean(rates)),
        "peak_gb": peak / 1e9,
        "segments": found,
    }


def rows(result: dict) -> list[Row]:
    """Return speed and memory."""
    what, seconds = f"{result['minutes']:g} minutes -> timeline, hop {CLIP_SECONDS:g} s", result["wall_seconds"]
    rate, bare = result["windows_per_second"], result["bare_windows_per_second"]
    return [
        Row(what, "real time", result["minutes"] * 60 / seconds, GOAL, detail=f"{seconds:.1f} s"),
        Row(what, "rate of the bare network", rate / bare, GOAL_BARE, detail=f"{rate:.1f}, {bare:.1f} windows a second"),
        Row(f"{what}, peak memory", "-", result["peak_gb"], GOAL_GB, "GB", at_most=True),
    ]


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, minutes=(60.0, "length of the sound"))


if __name__ == "__main__":
    main()
