"""Features over time: spectral centroid and bandwidth, loudness (A-weighting), pitch (pYIN), onsets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from esc.config import LIBROSA, SpectrogramConfig
from esc.dsp.axes import stft_freqs_hz
from esc.dsp.decibels import AMIN
from esc.dsp.mel import mel_filters
from esc.dsp.tiles import Tile, frame_range
from esc.features.chunks import OnProgress, iter_chunks

PITCH_HZ = (65.40639, 2093.00452)  # C2 to C7, as in librosa's example of pYIN
PITCH_CONTEXT_S = 1.0  # the Viterbi path forgets within less
_RATE, _FRAME, _HOP = LIBROSA.sample_rate, LIBROSA.n_fft, LIBROSA.hop_length  # of pitch and onsets

Arrays = dict[str, np.ndarray]  # float (n,) each


def centroid(waveform: np.ndarray, config: SpectrogramConfig, tile: Tile, on_progress: OnProgress) -> Arrays:
    """Return each frame's spectral centroid and bandwidth: "times_s", "centroid_hz", "bandwidth_hz".

    Equals `librosa.feature.spectral_centroid` and `spectral_bandwidth` of the whole sound; 0 in silence. Of more frames
    than columns, evenly spaced ones.
    """
    import librosa

    def compute(magnitude: np.ndarray) -> np.ndarray:
        about: dict[str, Any] = {"S": magnitude, "sr": config.sample_rate, "n_fft": config.n_fft}
        centre = librosa.feature.spectral_centroid(**about)
        return np.concatenate([centre, librosa.feature.spectral_bandwidth(**about, centroid=centre)])

    times_s, (centre, bandwidth) = _framewise(waveform, config, tile, on_progress, compute)
    return {"times_s": times_s, "centroid_hz": centre, "bandwidth_hz": bandwidth}


def loudness(waveform: np.ndarray, config: SpectrogramConfig, tile: Tile, on_progress: OnProgress) -> Arrays:
    """Return each frame's A-weighted level in dB re full scale: "times_s", "level_db".

    `10 log10(sum_k c_k |X_k|^2 10^(A(f_k) / 10) / (n_fft sum_n w_n^2))` with c_k = 2 but for 0 Hz and the Nyquist
    frequency: by Parseval's theorem the A-weighted mean square under the window. A sine of amplitude 1 at 1 kHz has
    -3.0 dB.
    """
    import librosa
    from scipy.signal import get_window

    with np.errstate(divide="ignore"):  # -inf dB at 0 Hz
        weights = 2 * 10 ** (librosa.A_weighting(stft_freqs_hz(config), min_db=None) / 10)
    weights[0] /= 2
    if config.n_fft % 2 == 0:
        weights[-1] /= 2
    weights /= config.n_fft * np.sum(get_window(config.window, config.win_length, fftbins=True) ** 2)

    def compute(magnitude: np.ndarray) -> np.ndarray:
        return 10 * np.log10(np.maximum(weights @ magnitude**2, AMIN))[None]

    times_s, (level_db,) = _framewise(waveform, config, tile, on_progress, compute)
    return {"times_s": times_s, "level_db": level_db}


def pitch(waveform: np.ndarray, config: SpectrogramConfig, tile: Tile, on_progress: OnProgress) -> Arrays:
    """Return the fundamental frequency by pYIN (Mauch and Dixon 2014) at librosa's rate.

    A sound of one chunk equals `librosa.pyin(y, fmin=C2, fmax=C7, sr=22050)`; longer ones are tracked chunk by chunk.
    The config and the number of columns are ignored.

    Returns
    -------
    dict
        "times_s", "f0_hz" (NaN if unvoiced), "voiced" (probability).
    """
    import librosa

    first, last = frame_range(len(waveform), LIBROSA, tile.start_s, tile.end_s)
    low, high = PITCH_HZ
    parts = []
    for chunk in iter_chunks(waveform, LIBROSA, (first, last), PITCH_CONTEXT_S, on_progress):
        f0_hz, _, voiced = librosa.pyin(chunk.samples, fmin=low, fmax=high, sr=_RATE, frame_length=_FRAME, hop_length=_HOP)
        parts.append(np.stack([f0_hz, voiced])[:, chunk.own])
    f0_hz, voiced = np.concatenate(parts, axis=1)
    return {"times_s": np.arange(first, last + 1) * _HOP / _RATE, "f0_hz": f0_hz, "voiced": voiced}


def onsets(waveform: np.ndarray, config: SpectrogramConfig, tile: Tile, on_progress: OnProgress) -> Arrays:
    """Return onset times, peaks of the spectral flux of the whole sound: "times_s".

    Equals `librosa.onset.onset_detect(y=waveform, sr=22050, units="time")`. Config and tile are ignored: floor and
    threshold are relative to the whole sound's maximum.
    """
    import librosa

    parts = []
    for chunk in iter_chunks(waveform, LIBROSA, (0, len(waveform) // _HOP), _FRAME / _RATE, on_progress):
        parts.append(mel_filters(LIBROSA) @ chunk.magnitude(LIBROSA)[:, chunk.own] ** 2)
    level_db = librosa.power_to_db(np.concatenate(parts, axis=1))  # an hour has 79 MB
    flux = librosa.onset.onset_strength(S=level_db, sr=_RATE)
    return {"times_s": librosa.onset.onset_detect(onset_envelope=flux, sr=_RATE, hop_length=_HOP, units="time")}


def _framewise(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    tile: Tile,
    on_progress: OnProgress,
    compute: Callable[[np.ndarray], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return times (n,) and values (rows, n) of at most `tile.columns` evenly spaced frames."""
    rate, hop = config.sample_rate, config.hop_length
    first, last = frame_range(len(waveform), config, tile.start_s, tile.end_s)
    step = -(-(last + 1 - first) // tile.columns)
    parts = []
    for chunk in iter_chunks(waveform, config, (first, last), config.n_fft / rate, on_progress):
        parts.append(compute(chunk.magnitude(config)[:, chunk.own])[:, -(chunk.first - first) % step :: step])
    return np.arange(first, last + 1, step) * (hop / rate), np.concatenate(parts, axis=1)
