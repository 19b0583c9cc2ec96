"""Growth of time with the length of a sound: a spectrogram's image, a timeline, decoding.

The exponent is the slope of a straight line through the logarithms of lengths and processor times; linear work has 1, and
overhead that all lengths share less. Each is drawn into benchmarks/growth.png.

    python -m benchmarks.growth [--minutes 60] [--json]
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch

from benchmarks.harness import ROOT, Row, run
from benchmarks.timeline_speed import write_sound
from esc.audio.io import load_audio
from esc.classification.classifier import Classifier
from esc.classification.timeline.sliding_window import windows
from esc.config import LIBROSA
from esc.dsp.spectrogram import mel_db
from esc.dsp.tiles import Tile
from esc.views.spectrogram_view import mel_view

SHORTEST_S, GOAL, ROUNDS, COLUMNS = 5.0, 1.05, 3, 1000
LONG_S = 60.0  # work that takes long enough to be timed once
IMAGE = ROOT / "benchmarks" / "growth.png"
WHOLE_MINUTES = 60


def measure(minutes: float) -> dict:
    """Return lengths in s, the processor times of each kind of work, and the fitted exponents."""
    torch.set_num_threads(1)  # helper threads that wait count as processor time
    n_lengths = max(3, round(np.log2(60 * minutes / SHORTEST_S) / 2))
    lengths_s = np.geomspace(SHORTEST_S, 60 * minutes, n_lengths)
    classifier, taken = Classifier.load(device="cpu"), {}
    with tempfile.TemporaryDirectory() as folder:
        sound = Path(folder) / "sound.wav"
        write_sound(sound, max(minutes, 1))
        for length_s in lengths_s:
            part = _part(sound, length_s)
            waveform, rate = load_audio(part)
            shown = LIBROSA.replace(sample_rate=rate)
            works: dict[str, Callable[[], object]] = {
                "mel spectrogram": lambda waveform=waveform, shown=shown: mel_db(waveform, shown),
                "image of a mel spectrogram": lambda waveform=waveform, shown=shown, length_s=length_s: mel_view(
                    waveform, shown, Tile(0.0, length_s, COLUMNS)
                ),
                "decoding": lambda part=part: load_audio(part),
                "timeline": lambda waveform=waveform, rate=rate: list(
                    windows(classifier, waveform, rate, classifier.checkpoint.input.clip_seconds)
                ),
            }
            for name, work in works.items():
                taken.setdefault(name, []).append(_seconds(work, 1 if length_s > LONG_S else ROUNDS))
    exponents = {name: float(np.polyfit(np.log(lengths_s), np.log(times), 1)[0]) for name, times in taken.items()}
    result = {"lengths_s": lengths_s.tolist(), "processor_s": taken, "exponents": exponents}
    if minutes >= WHOLE_MINUTES:  # no plot of a quick run replaces that of a whole one
        _draw(result)
    return result


def _part(sound: Path, length_s: float) -> Path:
    """Write the first seconds of a sound as FLAC."""
    rate = soundfile.info(sound).samplerate
    samples, _ = soundfile.read(sound, round(length_s * rate), dtype="int16")
    part = sound.with_suffix(".flac")
    soundfile.write(part, samples, rate)
    return part


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the least processor time of some rounds."""
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return max(min(times), 1e-4)


def _draw(result: dict) -> None:
    """Draw times and fits over length."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes, lengths_s = figure.subplots(), np.array(result["lengths_s"])
    for name, times in result["processor_s"].items():
        slope, intercept = np.polyfit(np.log(lengths_s), np.log(times), 1)
        (points,) = axes.loglog(lengths_s, times, "o", label=f"{name}, exponent {slope:.2f}")
        axes.loglog(lengths_s, np.exp(intercept) * lengths_s**slope, color=points.get_color(), linewidth=1)
    axes.set(xlabel="length of the sound in s", ylabel="processor time in s", title="Growth of time with length")
    axes.legend()
    axes.grid(alpha=0.3)
    figure.savefig(IMAGE, dpi=120)


def rows(result: dict) -> list[Row]:
    """Return the exponents."""
    lengths = f"{result['lengths_s'][0]:g} s to {result['lengths_s'][-1] / 60:g} minutes"
    found = []
    for name, exponent in result["exponents"].items():
        times = result["processor_s"][name]
        detail = f"{times[0]:.3g} s to {times[-1]:.3g} s; growth.png"
        found.append(Row(f"growth with length, {name}, {lengths}", "exponent", exponent, GOAL, "", at_most=True, detail=detail))
    return found


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, minutes=(60.0, "longest sound"))


if __name__ == "__main__":
    main()
