"""Time to teach ten own classes of twenty clips each, from files to a checkpoint.

The clips are bands of noise, other ones in each class. The command `python -m esc teach` runs as a user runs it: start,
reading, the network on every window, cross-validation, detector, and the written checkpoint.

    python -m benchmarks.teaching [--classes 10] [--clips 20] [--seconds 5] [--json]
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.harness import ROOT, Row, run

GOAL_S = 60.0
RATE = 44_100


def write_examples(folder: Path, classes: int, clips: int, seconds: float) -> None:
    """Write noise of two octaves per class, the lowest frequency of each class another."""
    rng = np.random.default_rng(0)
    n_samples = round(seconds * RATE)
    freqs_hz = np.fft.rfftfreq(n_samples, 1 / RATE)
    for number, low_hz in enumerate(np.geomspace(60, 5_000, classes)):
        inside = (freqs_hz > low_hz) & (freqs_hz < 4 * low_hz)
        (folder / f"class {number}").mkdir(parents=True)
        for clip in range(clips):
            noise = np.fft.irfft(np.where(inside, np.fft.rfft(rng.standard_normal(n_samples)), 0), n_samples)
            soundfile.write(folder / f"class {number}" / f"{clip}.wav", 0.3 * noise / np.abs(noise).max(), RATE)


def measure(classes: int, clips: int, seconds: float) -> dict:
    """Return the seconds of the command, of all processors together too, and its accuracy."""
    with tempfile.TemporaryDirectory() as folder:
        write_examples(Path(folder) / "sounds", classes, clips, seconds)
        command = [sys.executable, "-m", "esc", "teach", f"{folder}/sounds", "-o", f"{folder}/mine", "--json"]
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "examples": classes * clips,
        "seconds": wall_s,
        "processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "accuracy": json.loads(ended.stdout)["accuracy"],
    }


def rows(result: dict) -> list[Row]:
    """Return the time against the goal."""
    detail = f"{result['processor_seconds']:.0f} s of all processors, accuracy {result['accuracy']:.3f}"
    what = f"{result['examples']} examples -> own classes"
    return [Row(what, "-", result["seconds"], GOAL_S, "s", at_most=True, detail=detail)]


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    options = {"classes": (10, "classes"), "clips": (20, "clips of each"), "seconds": (5.0, "length of a clip")}
    return run(__doc__, measure, rows, given, **options)


if __name__ == "__main__":
    main()
