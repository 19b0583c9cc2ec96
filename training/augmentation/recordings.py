"""Random recordings of a sound: distortions in the order in which they happen outside."""

from __future__ import annotations

import numpy as np

from esc.audio.waveform import fit_clip
from training.augmentation import distortion

SHARES = {
    "excerpt": 0.25, "delay": 0.1, "background": 0.15, "room": 0.4, "noise": 0.3, "clip": 0.25, "band": 0.15, "rate": 0.3,
    "codec": 0.25, "gain": 0.5,
}  # fmt: skip
_RATES = (8_000, 11_025, 16_000, 22_050)
_AUDIBLE = ("room", "rate", "clip", "codec")
_CODECS = ("mp3", "mp3", "vorbis", "opus")


def record(waveform: np.ndarray, sample_rate: int, background: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return one of the recordings that a sound might have become.

    Parameters
    ----------
    waveform : float32 array, shape (n_samples,)
    sample_rate : int
        Hz.
    background : float32 array, shape (n_samples,)
        Another clip, for a part of the recordings.
    rng : Generator

    Returns
    -------
    float32 array, shape (n_samples,)
    """
    chosen = {name for name, share in SHARES.items() if rng.random() < share}
    if not chosen - {"gain", "delay"}:
        chosen.add(_AUDIBLE[rng.integers(len(_AUDIBLE))])
    at_source = _at_source(waveform, background, chosen, rng)
    return _by_device(_in_air(at_source, sample_rate, chosen, rng), sample_rate, chosen, rng).astype(np.float32, copy=False)


def _at_source(waveform: np.ndarray, background: np.ndarray, chosen: set[str], rng: np.random.Generator) -> np.ndarray:
    """Return an excerpt or a late onset, with another sound."""
    n_samples = len(waveform)
    if "excerpt" in chosen:
        waveform = _excerpt(waveform, rng)
    elif "delay" in chosen:
        waveform = distortion.delay(waveform, int(rng.uniform(0, 0.5) * n_samples))
    return distortion.mix_at_snr(waveform, background, rng.uniform(3, 20)) if "background" in chosen else waveform


def _excerpt(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the loudest part alone: reflected as the classifier does, repeated, or in silence."""
    n_samples = len(waveform)
    part = distortion.loudest_excerpt(waveform, round(n_samples * rng.uniform(0.08, 0.7)), rng)
    kind = rng.random()
    if kind < 0.6:
        return fit_clip(part, n_samples)
    if kind < 0.8:
        return np.resize(part, n_samples)
    start = int(rng.integers(0, n_samples - len(part) + 1))
    return np.pad(part, (start, n_samples - len(part) - start))


def _in_air(waveform: np.ndarray, sample_rate: int, chosen: set[str], rng: np.random.Generator) -> np.ndarray:
    """Return a sound in a room and in noise."""
    if "room" in chosen:
        direct_db = None if rng.random() < 0.35 else rng.uniform(-12, 10)
        waveform = distortion.reverberate(waveform, sample_rate, float(np.exp(rng.uniform(*np.log((0.2, 1.3))))), direct_db, rng)
    if "noise" in chosen:
        exponent = float(rng.choice([0.0, 0.0, 1.0, 2.0, rng.uniform(0, 2)]))
        waveform = distortion.add_noise(waveform, sample_rate, rng.uniform(-5, 30), exponent, rng)
    return waveform


def _by_device(waveform: np.ndarray, sample_rate: int, chosen: set[str], rng: np.random.Generator) -> np.ndarray:
    """Return a sound after microphone, sample rate, codec and gain."""
    if "clip" in chosen:
        waveform = distortion.clip_peaks(waveform, rng.uniform(3, 22))
    if "band" in chosen:
        low_hz, high_hz = 20 * 2 ** rng.uniform(0, 4.5), 1_500 * 2 ** rng.uniform(0, 3.7)
        waveform = distortion.band_pass(waveform, sample_rate, low_hz, high_hz, rng.uniform(6, 48))
    if "rate" in chosen:
        waveform = distortion.lower_sample_rate(waveform, sample_rate, int(rng.choice(_RATES)))
    if "codec" in chosen:
        codec = str(rng.choice(_CODECS))
        compression = 1.0 if rng.random() < 0.3 else rng.uniform(0.6 if codec == "mp3" else 0.5, 1.0)
        waveform = distortion.encode(waveform, sample_rate, codec, compression)
    if "gain" in chosen:
        full_scale = waveform / max(float(np.abs(waveform).max(initial=0.0)), 1e-9)
        waveform = distortion.amplify(full_scale, -rng.uniform(0, 50), 16 if rng.random() < 0.5 else None)
    return waveform
