"""Layers that are values over time: spectral centroid and bandwidth, loudness, pitch; and onsets, which are times."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from esc.config import SpectrogramConfig
from esc.features import OWN_RATE
from esc.features.chunks import Chunk, OnProgress, frames_between, iter_chunks

PITCH_HZ = (65.40639, 2093.00452)  # C2 to C7, as in librosa's own example of pYIN
FRAME, HOP = 2048, 512  # samples, librosa's defaults, for pitch and onsets
PITCH_AROUND_S = 1.0  # the Viterbi path forgets within less
ONSET_TOP_DB = 80.0  # librosa.power_to_db's default
_AMIN = 1e-10


def centroid(
    waveform: np.ndarray, config: SpectrogramConfig, start_s: float, end_s: float, columns: int, on_progress: OnProgress
) -> dict[str, np.ndarray]:
    """Return the centre of mass of each frame's magnitude spectrum, and its spread around it.

    Equals `librosa.feature.spectral_centroid` and `spectral_bandwidth` of the whole sound; 0 in silence. Where there
    are more frames than columns, evenly spaced ones.

    Returns
    -------
    dict
        "times_s", "centroid_hz", "bandwidth_hz": float arrays (n,).
    """
    import librosa

    def compute(chunk: Chunk) -> np.ndarray:
        magnitude = np.abs(_stft(chunk.samples, config))[:, chunk.shown]
        middle = librosa.feature.spectral_centroid(S=magnitude, sr=config.sample_rate, n_fft=config.n_fft)
        spread = librosa.feature.spectral_bandwidth(S=magnitude, sr=config.sample_rate, n_fft=config.n_fft, centroid=middle)
        return np.concatenate([middle, spread])

    times_s, (middle, spread) = _framewise(waveform, config, start_s, end_s, columns, on_progress, compute)
    return {"times_s": times_s, "centroid_hz": middle, "bandwidth_hz": spread}


def loudness(
    waveform: np.ndarray, config: SpectrogramConfig, start_s: float, end_s: float, columns: int, on_progress: OnProgress
) -> dict[str, np.ndarray]:
    """Return each frame's A-weighted level in dB re full scale: a sine of amplitude 1 at 1 kHz reads -3.0 dB.

    `10 log10(sum_k c_k |X_k|^2 10^(A(f_k) / 10) / (n_fft sum_n w_n^2))` with c_k = 2 but for 0 Hz and the Nyquist
    frequency: by Parseval's theorem the mean square under the window, each frequency weighted by A as IEC 61672-1
    defines it (`librosa.A_weighting`).

    Returns
    -------
    dict
        "times_s", "level_db": float arrays (n,).
    """
    import librosa
    from scipy.signal import get_window

    freqs_hz = np.arange(config.n_freqs) * config.sample_rate / config.n_fft
    with np.errstate(divide="ignore"):
        weights = 10 ** (librosa.A_weighting(freqs_hz, min_db=None) / 10)
    sides = np.full(config.n_freqs, 2.0)
    sides[0] = 1.0
    if config.n_fft % 2 == 0:
        sides[-1] = 1.0
    window = get_window(config.window, config.win_length, fftbins=True)
    weights *= sides / (config.n_fft * np.sum(window**2))

    def compute(chunk: Chunk) -> np.ndarray:
        power = np.abs(_stft(chunk.samples, config))[:, chunk.shown] ** 2
        return 10 * np.log10(np.maximum(weights @ power, _AMIN))[None]

    times_s, (level_db,) = _framewise(waveform, config, start_s, end_s, columns, on_progress, compute)
    return {"times_s": times_s, "level_db": level_db}


def pitch(
    waveform: np.ndarray, config: SpectrogramConfig, start_s: float, end_s: float, columns: int, on_progress: OnProgress
) -> dict[str, np.ndarray]:
    """Return the fundamental frequency by pYIN (Mauch and Dixon 2014), at `OWN_RATE` Hz.

    A sound of one chunk equals `librosa.pyin(y, fmin=C2, fmax=C7, sr=22050)`; longer ones are followed chunk by chunk.
    The config and the number of columns play no part.

    Returns
    -------
    dict
        "times_s", "f0_hz" (NaN where no pitch is heard), "voiced" (probability): float arrays (n,).
    """
    import librosa

    first, last = frames_between(len(waveform), OWN_RATE, HOP, start_s, end_s)
    low, high = PITCH_HZ
    parts = []
    for chunk in iter_chunks(waveform, OWN_RATE, HOP, first, last, PITCH_AROUND_S, FRAME // 2 + 1, on_progress):
        f0_hz, _, voiced = librosa.pyin(chunk.samples, fmin=low, fmax=high, sr=OWN_RATE, frame_length=FRAME, hop_length=HOP)
        parts.append(np.stack([f0_hz, voiced])[:, chunk.shown])
    f0_hz, voiced = np.concatenate(parts, axis=1)
    return {"times_s": np.arange(first, last + 1) * HOP / OWN_RATE, "f0_hz": f0_hz, "voiced": voiced}


def onsets(
    waveform: np.ndarray, config: SpectrogramConfig, start_s: float, end_s: float, columns: int, on_progress: OnProgress
) -> dict[str, np.ndarray]:
    """Return when sounds begin, in all of the waveform at `OWN_RATE` Hz: peaks of the spectral flux.

    Equals `librosa.onset.onset_detect(y=waveform, sr=22050, units="time")`: the whole sound counts, since the levels'
    floor and the peaks' threshold are relative to its maximum. The rest of the arguments plays no part.

    Returns
    -------
    dict
        "times_s": float array (n,).
    """
    import librosa

    filters = librosa.filters.mel(sr=OWN_RATE, n_fft=FRAME, fmax=OWN_RATE / 2)
    last = len(waveform) // HOP

    def levels_db(on_progress: OnProgress):
        # one frame more on the left: the flux is a difference to the frame before
        for chunk in iter_chunks(waveform, OWN_RATE, HOP, 0, last, FRAME / OWN_RATE, FRAME // 2 + 1, on_progress):
            power = np.abs(librosa.stft(chunk.samples, n_fft=FRAME, hop_length=HOP)) ** 2
            before = max(0, chunk.skip - 1)
            mel = filters @ power[:, before : chunk.skip + chunk.count]
            yield chunk.skip - before, 10 * np.log10(np.maximum(mel, _AMIN))

    loudest_db = max(float(level_db.max()) for _, level_db in levels_db(lambda share: on_progress(share / 2)))
    flux = []
    for skip, level_db in levels_db(lambda share: on_progress((1 + share) / 2)):
        floored = np.maximum(level_db, loudest_db - ONSET_TOP_DB)
        flux.append(librosa.onset.onset_strength(S=floored, sr=OWN_RATE, center=False)[skip:])
    late = np.concatenate([np.zeros(FRAME // (2 * HOP)), *flux])[: last + 1]  # a frame hears what comes half a frame later
    return {"times_s": librosa.onset.onset_detect(onset_envelope=late, sr=OWN_RATE, hop_length=HOP, units="time")}


def _framewise(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    columns: int,
    on_progress: OnProgress,
    compute: Callable[[Chunk], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return times (n,) and values (rows, n) of at most `columns` evenly spaced frames."""
    rate, hop = config.sample_rate, config.hop_length
    first, last = frames_between(len(waveform) - config.n_fft % 2, rate, hop, start_s, end_s)
    step = -(-(last + 1 - first) // columns)
    parts = []
    for chunk in iter_chunks(waveform, rate, hop, first, last, config.n_fft / rate, config.n_freqs, on_progress):
        parts.append(compute(chunk)[:, -(chunk.first - first) % step :: step])
    return np.arange(first, last + 1, step) * (hop / rate), np.concatenate(parts, axis=1)


def _stft(samples: np.ndarray, config: SpectrogramConfig) -> np.ndarray:
    import librosa

    return librosa.stft(
        samples, n_fft=config.n_fft, hop_length=config.hop_length, win_length=config.win_length, window=config.window
    )
