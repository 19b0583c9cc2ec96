"""Operations on a waveform: downmix, fitting to a length, silence."""

from __future__ import annotations

import numpy as np

from esc.errors import AudioError

MIN_SAMPLES = 2
SILENCE_PEAK = 10 ** (-80 / 20)  # -80 dBFS: below the noise of a 14-bit converter


def to_mono(samples: np.ndarray) -> np.ndarray:
    """Return the float32 mean of the channels of samples `(n,)` or `(channels, n)`.

    Integers are scaled by their width to [-1, 1]; samples that are not finite become 0.
    """
    samples = np.asarray(samples)
    if samples.dtype.kind == "f" and samples.size and not np.isfinite(samples).any():
        raise AudioError("audio.not_finite", name="the waveform")
    if samples.ndim not in (1, 2) or samples.size == 0:
        raise AudioError("audio.shape", shape=samples.shape)
    if samples.dtype.kind in "iu":
        width = np.iinfo(samples.dtype)
        offset = 0.0 if samples.dtype.kind == "i" else (width.max + 1) / 2
        samples = (samples.astype(np.float64) - offset) / ((width.max + 1) / (1 if samples.dtype.kind == "i" else 2))
    mono = samples.astype(np.float32) if samples.ndim == 1 else samples.mean(axis=0, dtype=np.float64).astype(np.float32)
    finite = np.isfinite(mono)
    return mono if finite.all() else np.where(finite, mono, np.float32(0.0))


def fit_clip(waveform: np.ndarray, n_samples: int) -> np.ndarray:
    """Return a waveform truncated, or padded by reflection at both ends, to `n_samples`.

    `ceil(missing / 2)` samples go on either side, as in the classifier's original notebook.
    """
    missing = n_samples - len(waveform)
    if missing > 0:
        waveform = np.pad(waveform, -(-missing // 2), mode="reflect")
    return waveform[:n_samples]


def inner_product(a: np.ndarray, b: np.ndarray) -> float:
    """Return the sum of the products of two waveforms, in float64.

    Without NumPy's `dot`: the threads of OpenBLAS keep the cores busy for some milliseconds after it, in which the network
    needs twice the time.
    """
    return float(np.einsum("i,i->", a, b, dtype=np.float64))


def is_silent(waveform: np.ndarray) -> bool:
    """Return whether all samples are within -80 dBFS of their mean."""
    return bool(np.abs(waveform - waveform.mean()).max(initial=0.0) < SILENCE_PEAK)
