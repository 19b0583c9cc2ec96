"""Speed of our mel spectrogram, STFT and MFCC in dB, relative to librosa's with the same parameters.

Each is timed alone in a process of its own, best of its rounds; the two take turns, so that other work slows them equally.
A process that also runs librosa shows what its thread pools cost us. The bare real FFTs of the frames, by SciPy with two
workers, are the limit.

    python -m benchmarks.spectrograms [--seconds 2] [--rounds 3] [--json]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.harness import ROOT, Row, run
from esc.config import PRESETS, SpectrogramConfig

CLIP_S, MINUTE_S = 5.0, 60.0
CASES = {
    f"mel, {name.upper()}, 5 s": ("mel", name, CLIP_S)
    for name in ("notebook", "librosa", "esc50", "speech", "birdsong", "clicks")
}
CASES |= {"STFT, LIBROSA, 1 minute": ("stft", "librosa", MINUTE_S), "MFCC, LIBROSA, 1 minute": ("mfcc", "librosa", MINUTE_S)}
GOALS = {"mel, NOTEBOOK, 5 s": 3.0, "STFT, LIBROSA, 1 minute": 3.0, "MFCC, LIBROSA, 1 minute": 3.0}
GOAL, GOAL_ALTERNATING, GOAL_FFTS, GOAL_DB = 4.0, 1.3, 1.5, 3e-3


def noise(config: SpectrogramConfig, seconds: float) -> np.ndarray:
    """Return white noise at a config's sample rate."""
    return (0.1 * np.random.default_rng(0).standard_normal(round(seconds * config.sample_rate))).astype(np.float32)


def ours(analysis: str, config: SpectrogramConfig, waveform: np.ndarray) -> np.ndarray:
    """Return an analysis by `esc`."""
    from esc.dsp.mfcc import mfcc
    from esc.dsp.spectrogram import mel_db, stft_db

    return {"mel": mel_db, "stft": stft_db, "mfcc": mfcc}[analysis](waveform, config).numpy()


def librosas(analysis: str, config: SpectrogramConfig, waveform: np.ndarray) -> np.ndarray:
    """Return an analysis by librosa."""
    import librosa

    frames = {name: getattr(config, name) for name in ("n_fft", "win_length", "hop_length", "window")}
    if analysis == "stft":
        power = np.abs(librosa.stft(waveform, **frames)) ** 2
    else:
        bands = {"n_mels": config.n_mels, "fmin": config.fmin, "fmax": config.fmax, "htk": config.mel_scale == "htk"}
        power = librosa.feature.melspectrogram(y=waveform, sr=config.sample_rate, **frames, **bands, pad_mode="constant")
    level_db = librosa.power_to_db(power, ref=config.db_ref, top_db=config.top_db)
    return librosa.feature.mfcc(S=level_db, n_mfcc=config.n_mfcc) if analysis == "mfcc" else level_db


def ffts(_: str, config: SpectrogramConfig, waveform: np.ndarray) -> np.ndarray:
    """Return the bare real FFTs of the frames."""
    from scipy.fft import rfft

    padded = np.pad(waveform, config.n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, config.n_fft)[:: config.hop_length]
    return rfft(frames, workers=2)


KINDS: dict[str, Callable[[str, SpectrogramConfig, np.ndarray], np.ndarray]] = {"ours": ours, "librosa": librosas, "ffts": ffts}


def timed(kinds: list[str], cases: list[str], seconds: float) -> dict[str, float]:
    """Return the least milliseconds of the first kind by case; further ones take turns with it."""
    found = {}
    for case in cases:
        analysis, preset, length_s = CASES[case]
        config = PRESETS[preset]
        waveform, best = noise(config, length_s), float("inf")
        for kind in kinds:
            KINDS[kind](analysis, config, waveform)  # imports and caches
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for number, kind in enumerate(kinds):
                begun = time.perf_counter()
                KINDS[kind](analysis, config, waveform)
                if number == 0:
                    best = min(best, 1e3 * (time.perf_counter() - begun))
        found[case] = best
    return found


def in_process(kinds: list[str], cases: list[str], seconds: float) -> dict[str, float]:
    """Return `timed` of a new process."""
    command = [sys.executable, "-m", "benchmarks.spectrograms", "--timed", json.dumps([kinds, cases, seconds])]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def measure(seconds: float, rounds: int) -> dict:
    """Return the least milliseconds by case and kind, and the largest differences in dB."""
    kinds = {"ours": ["ours"], "librosa": ["librosa"], "alternating": ["ours", "librosa"], "ffts": ["ffts"]}
    result: dict[str, dict[str, float]] = {case: {} for case in CASES}
    for _ in range(rounds):
        for name, each in kinds.items():
            cases = [case for case in CASES if name != "ffts" or CASES[case][1] == "notebook"]
            for case, milliseconds in in_process(each, cases, seconds).items():
                result[case][name] = min(result[case].get(name, float("inf")), milliseconds)
    for case, (analysis, preset, length_s) in CASES.items():
        waveform = noise(PRESETS[preset], length_s)
        pair = (function(analysis, PRESETS[preset], waveform) for function in (ours, librosas))
        result[case]["difference"] = float(np.abs(np.subtract(*pair)).max())
    return result


def rows(result: dict) -> list[Row]:
    """Return ratios to librosa and to the bare FFTs, and the largest difference."""
    found = []
    for case, each in result.items():
        taken = f"{each['ours']:.1f} ms, {each['librosa']:.1f} ms"
        found.append(Row(case, "librosa", each["librosa"] / each["ours"], GOALS.get(case, GOAL), detail=taken))
    slowed = {case: each["alternating"] / each["ours"] for case, each in result.items()}
    worst = max(slowed, key=slowed.__getitem__)
    taken = f"{result[worst]['alternating']:.1f} ms, {result[worst]['ours']:.1f} ms"
    found.append(
        Row(f"alternating with librosa, worst: {worst}", "alone", slowed[worst], GOAL_ALTERNATING, at_most=True, detail=taken)
    )
    for case, each in result.items():
        if "ffts" in each:
            taken = f"{each['ours']:.1f} ms, {each['ffts']:.1f} ms"
            found.append(Row(case, "bare FFTs by SciPy", each["ours"] / each["ffts"], GOAL_FFTS, at_most=True, detail=taken))
    furthest = max(each["difference"] for each in result.values())
    found.append(Row("largest difference in all of these", "librosa", furthest, GOAL_DB, "dB", at_most=True))
    return found


def main(given: list[str] | None = None) -> list[Row]:
    """Measure and print."""
    return run(__doc__, measure, rows, given, seconds=(2.0, "seconds per process"), rounds=(3, "processes of each kind"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--timed"]:
        print(json.dumps(timed(*json.loads(sys.argv[2]))))
    else:
        main()
