"""Speed and memory of the timeline of one hour on the command line.

The hour is synthetic: noise, hums and sweeps without silence, since silence skips the network. Each run is a process of its
own, timed as a whole, including Python's and torch's imports; its peak memory is that of the system (ru_maxrss).

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
GOALS = {CLIP_SECONDS: 150.0, CLIP_SECONDS / 2: 60.0}  # hop in s: times real time
GOAL_GB = 1.2
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


def measure(minutes: float) -> dict:
    """Return speed and memory by hop."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "sound.wav"
        write_sound(sound, minutes)
        for hop_seconds in GOALS:
            seconds, peak, found = classify(sound, hop_seconds)
            runs.append(
                {
                    "hop_seconds": hop_seconds,
                    "wall_seconds": seconds,
                    "times_real_time": minutes * 60 / seconds,
                    "peak_gb": peak / 1e9,
                    "segments": found,
                }
            )
    return {"minutes": minutes, "runs": runs}


def rows(result: dict) -> list[Row]:
    """Return speed and memory by hop."""
    found = []
    for run_of in result["runs"]:
        what = f"{result['minutes']:g} minutes -> timeline, hop {run_of['hop_seconds']:g} s"
        found.append(Row(what, "real time", run_of["times_real_time"], GOALS[run_of["hop_seconds"]]))
        found.append(Row(f"{what}, peak memory", "-", run_of["peak_gb"], GOAL_GB, "GB", at_most=True))
    return found


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, minutes=(60.0, "length of the sound"))


if __name__ == "__main__":
    main()
