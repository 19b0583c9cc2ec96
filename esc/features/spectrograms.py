"""Layers that take the spectrogram's place: constant-Q, reassigned, PCEN, harmonic and percussive parts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from esc.config import SpectrogramConfig
from esc.features.chunks import Chunk, Columns, OnProgress, frames_between, iter_chunks

LOWEST_HZ = 32.70320  # C1, librosa.cqt's default
BINS_PER_OCTAVE = 24  # quarter tones
HIGHEST_SHARE = 0.9  # of half the rate: the highest filter has to fit below it
CONSTANT_Q_AROUND_S = 1.2  # the lowest filter is 1.04 s long
HPSS_FRAMES = 31  # librosa.decompose.hpss's default kernel
PCEN_SCALE = 2.0**31  # PCEN's defaults are meant for whole-number samples of 32 bits
PCEN_AROUND_S = 6.0  # fifteen of its time constants
_AMIN = 1e-10
_SHORTEST_S = 2.0  # a shorter sound is continued by silence, as its frames are anyway


@dataclass(frozen=True)
class Rows:
    """The rows of the picture whose place a layer takes.

    Attributes
    ----------
    bounds_hz : array (n_rows + 1,)
        Where they meet.
    first_bins : int array (n_rows,) or None
        The STFT bins with which rows of an STFT begin, neighbours sharing one by their maximum; None: mel bands.
    """

    bounds_hz: np.ndarray
    first_bins: np.ndarray | None

    def of_magnitude(self, magnitude: np.ndarray, config: SpectrogramConfig, power: int) -> np.ndarray:
        """Return STFT magnitudes (n_freqs, n) to a `power` in these rows (n_rows, n)."""
        import librosa

        if self.first_bins is not None:
            return np.maximum.reduceat(magnitude**power, self.first_bins, axis=0)
        filters = librosa.filters.mel(
            sr=config.sample_rate, n_fft=config.n_fft, n_mels=config.n_mels, fmin=config.fmin, fmax=config.fmax,
            htk=config.mel_scale == "htk",
        )  # fmt: skip
        return filters @ magnitude**power


@dataclass(frozen=True)
class FeatureImage:
    """A layer's picture.

    Attributes
    ----------
    values : float32 array (rows, columns)
        In dB; of PCEN, its own values, 0 and up.
    bounds_hz : array (rows + 1,)
    first, last : int
        Frames shown.
    decibels : bool
    """

    values: np.ndarray
    bounds_hz: np.ndarray
    first: int
    last: int
    decibels: bool = True


def harmonic(waveform, config, rows: Rows, start_s: float, end_s: float, columns: int, on_progress: OnProgress) -> FeatureImage:
    """Return the part of a spectrogram that goes on in time, as `librosa.decompose.hpss` separates it (Fitzgerald 2010).

    The magnitudes of the whole sound's STFT are separated, then shown in the picture's rows as power in dB.
    """
    return _separated(0, waveform, config, rows, start_s, end_s, columns, on_progress)


def percussive(waveform, config, rows: Rows, start_s: float, end_s: float, columns: int, on_progress: OnProgress) -> FeatureImage:
    """Return the part of a spectrogram that goes across frequencies; see `harmonic`."""
    return _separated(1, waveform, config, rows, start_s, end_s, columns, on_progress)


def pcen(waveform, config, rows: Rows, start_s: float, end_s: float, columns: int, on_progress: OnProgress) -> FeatureImage:
    """Return per-channel energy normalisation (Lostanlen et al. 2019) of the picture's magnitudes.

    Equals `librosa.pcen(S * 2**31, sr=..., hop_length=...)` of the whole sound's magnitude (mel) spectrogram; a stretch
    begins with `PCEN_AROUND_S` seconds unseen, after which its smoother has forgotten how it began.
    """
    import librosa

    state = None

    def compute(chunk: Chunk) -> np.ndarray:
        nonlocal state
        magnitude = rows.of_magnitude(np.abs(_stft(chunk.samples, config)), config, 1) * PCEN_SCALE
        wanted = magnitude[:, : chunk.shown.stop] if state is None else magnitude[:, chunk.shown]
        made, state = librosa.pcen(wanted, sr=config.sample_rate, hop_length=config.hop_length, zi=state, return_zf=True)
        return made[:, -chunk.count :]

    drawn = _gathered(waveform, config, start_s, end_s, columns, on_progress, PCEN_AROUND_S, config.n_freqs, compute)
    return FeatureImage(*drawn[:1], rows.bounds_hz, *drawn[1:], decibels=False)


def constant_q(waveform, config, rows: Rows, start_s: float, end_s: float, columns: int, on_progress: OnProgress) -> FeatureImage:
    """Return the constant-Q transform, 24 bins an octave from C1 (32.7 Hz) up, as power in dB.

    Equals `abs(librosa.cqt(y, sr=..., hop_length=..., n_bins=..., bins_per_octave=24)) ** 2`. A silent row at each end
    closes the frequency axis.
    """
    import librosa

    rate = config.sample_rate
    n_bins = math.floor(BINS_PER_OCTAVE * math.log2(HIGHEST_SHARE * rate / 2 / LOWEST_HZ))

    def compute(chunk: Chunk) -> np.ndarray:
        samples = np.pad(chunk.samples, (0, max(0, round(_SHORTEST_S * rate) - len(chunk.samples))))
        made = librosa.cqt(
            samples, sr=rate, hop_length=config.hop_length, fmin=LOWEST_HZ, n_bins=n_bins, bins_per_octave=BINS_PER_OCTAVE
        )
        return np.pad(np.abs(made)[:, chunk.shown] ** 2, ((1, 1), (0, 0)))

    bounds_hz = LOWEST_HZ * 2.0 ** ((np.arange(n_bins + 1) - 0.5) / BINS_PER_OCTAVE)
    power, first, last = _gathered(waveform, config, start_s, end_s, columns, on_progress, CONSTANT_Q_AROUND_S, n_bins, compute)
    return FeatureImage(_decibels(power, config), np.concatenate([[0.0], bounds_hz, [rate / 2]]), first, last)


def reassigned(waveform, config, rows: Rows, start_s: float, end_s: float, columns: int, on_progress: OnProgress) -> FeatureImage:
    """Return the spectrogram with each value moved to where its energy lies (Auger and Flandrin 1995), as power in dB.

    The points of `librosa.reassigned_spectrogram`, summed in the picture's rows and in columns of a frame or more.
    """
    import librosa

    rate, hop = config.sample_rate, config.hop_length
    first, last = frames_between(len(waveform) - config.n_fft % 2, rate, hop, start_s, end_s)
    columns = min(columns, last + 1 - first)
    edge_s = (first - 0.5) * hop / rate
    column_s = (last + 1 - first) * hop / rate / columns
    around = math.ceil(config.n_fft / 2 / hop)  # frames beyond the ends have points within
    n_rows = len(rows.bounds_hz) - 1
    power = np.zeros(n_rows * columns)
    begin, end = max(0, first - around), min((len(waveform) - config.n_fft % 2) // hop, last + around)
    for chunk in iter_chunks(waveform, rate, hop, begin, end, config.n_fft / rate, config.n_freqs, on_progress):
        with np.errstate(all="ignore"):  # librosa divides by silence and calls what comes of it NaN
            freqs_hz, times_s, magnitudes = librosa.reassigned_spectrogram(
                y=chunk.samples, sr=rate, n_fft=config.n_fft, hop_length=hop, win_length=config.win_length, window=config.window
            )
        point = (part[:, chunk.shown].ravel() for part in (freqs_hz, times_s, magnitudes))
        freqs_hz, times_s, magnitudes = point
        times_s = times_s + (chunk.first - chunk.skip) * hop / rate
        known = np.isfinite(freqs_hz) & np.isfinite(times_s)
        row = np.searchsorted(rows.bounds_hz, freqs_hz, side="right") - 1
        column = np.floor((np.where(known, times_s, 0.0) - edge_s) / column_s).astype(int)
        inside = known & (row >= 0) & (row < n_rows) & (column >= 0) & (column < columns)
        cells = row[inside] * columns + column[inside]
        power += np.bincount(cells, weights=magnitudes[inside].astype(np.float64) ** 2, minlength=len(power))
    return FeatureImage(_decibels(power.reshape(n_rows, columns), config), rows.bounds_hz, first, last)


def _separated(part: int, waveform, config, rows: Rows, start_s, end_s, columns, on_progress) -> FeatureImage:
    import librosa

    around_s = ((HPSS_FRAMES // 2 + 1) * config.hop_length + config.n_fft) / config.sample_rate

    def compute(chunk: Chunk) -> np.ndarray:
        magnitude = librosa.decompose.hpss(np.abs(_stft(chunk.samples, config)), kernel_size=HPSS_FRAMES)[part]
        return rows.of_magnitude(magnitude[:, chunk.shown], config, 2)

    power, first, last = _gathered(waveform, config, start_s, end_s, columns, on_progress, around_s, config.n_freqs, compute)
    return FeatureImage(_decibels(power, config), rows.bounds_hz, first, last)


def _gathered(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    columns: int,
    on_progress: OnProgress,
    around_s: float,
    n_freqs: int,
    compute: Callable[[Chunk], np.ndarray],
) -> tuple[np.ndarray, int, int]:
    """Return the values of the frames between two times in columns, and the first and the last frame."""
    rate, hop = config.sample_rate, config.hop_length
    first, last = frames_between(len(waveform) - config.n_fft % 2, rate, hop, start_s, end_s)
    gathered = Columns(first, last, columns)
    for chunk in iter_chunks(waveform, rate, hop, first, last, around_s, n_freqs, on_progress):
        gathered.add(chunk.first, compute(chunk))
    return gathered.values(), first, last


def _decibels(power: np.ndarray, config: SpectrogramConfig) -> np.ndarray:
    return 10 * np.log10(np.maximum(power, _AMIN) / config.db_ref)


def _stft(samples: np.ndarray, config: SpectrogramConfig) -> np.ndarray:
    import librosa

    return librosa.stft(
        samples, n_fft=config.n_fft, hop_length=config.hop_length, win_length=config.win_length, window=config.window
    )
