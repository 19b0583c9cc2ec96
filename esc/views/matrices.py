"""Exact values of a view between two times, as librosa computes them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from esc.config import SpectrogramConfig
from esc.dsp.axes import stft_freqs_hz
from esc.dsp.decibels import AMIN, power_to_level_db
from esc.dsp.frames import CHUNK_VALUES, Transform, Waveform, frames_between, power_frames
from esc.dsp.mel import mel_freqs_hz
from esc.dsp.mfcc import PLAIN, CepstrumConfig, mfcc_of_db, shaped, windows_of
from esc.dsp.spectrogram import mel_power, stft_power
from esc.errors import ParameterError

MAX_VALUES = 25_000_000  # of a matrix: 0.1 GB, 11 minutes of an STFT at librosa's defaults
MAX_CSV_VALUES = 4_000_000  # of a table: some 40 MB of text
MAX_PEAK_VALUES = 200_000_000  # of the spectrogram whose maximum is searched: some seconds


@dataclass(frozen=True)
class Matrix:
    """Values of a view with their axes."""

    values: np.ndarray  # float32 (n_rows, n_columns), or a waveform (n_samples,)
    times_s: np.ndarray  # (n_columns,)
    rows: np.ndarray  # (n_rows,): centres in Hz, or numbers of coefficients; of a waveform empty
    row_name: str = "freqs_hz"  # or "coefficients"

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the values and their axes by name, for an .npz file."""
        rows = {self.row_name: self.rows} if self.values.ndim == 2 else {}
        return {"values": self.values, "times_s": self.times_s} | rows


def spectrogram_matrix(
    view: str,
    waveform: Waveform,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    long_peak: Callable[[], float] | None = None,
) -> Matrix:
    """Return a "mel" or "stft" spectrogram in dB of the frames centred in [start_s, end_s].

    Reference and floor are the whole sound's: equals the same columns of `mel_db` or `stft_db`. Of sounds with more than
    `MAX_PEAK_VALUES` the maximum power is what `long_peak` returns.

    Raises
    ------
    ParameterError
        "export.too_much": more than `MAX_VALUES` values, or a longer sound without `long_peak`.
    """
    frames = frames_between(waveform, config, start_s, end_s)
    return _levels(view, waveform, config, frames, long_peak)


def mfcc_matrix(
    waveform: Waveform,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    cepstrum: CepstrumConfig = PLAIN,
    long_peak: Callable[[], float] | None = None,
) -> Matrix:
    """Return the coefficients from 0 of the frames centred in [start_s, end_s].

    Equals the same columns of `shaped` of the whole sound; `long_peak` as in `spectrogram_matrix`.
    """
    frames = frames_between(waveform, config, start_s, end_s)
    needed = windows_of(frames, config.n_frames(len(waveform))) if cepstrum.delta else frames
    levels = _levels("mel", waveform, config, needed, long_peak)
    shown = slice(frames.start - needed.start, frames.stop - needed.start)
    values = shaped(mfcc_of_db(torch.from_numpy(levels.values), config).numpy(), cepstrum)[:, shown]
    return Matrix(values, levels.times_s[shown], np.arange(config.n_mfcc), "coefficients")


def _levels(
    view: str, waveform: Waveform, config: SpectrogramConfig, frames: range, long_peak: Callable[[], float] | None
) -> Matrix:
    """Return the numbered frames of a "mel" or "stft" spectrogram in dB."""
    power_of, freqs_hz = (mel_power, mel_freqs_hz(config)) if view == "mel" else (stft_power, stft_freqs_hz(config))
    transform = partial(power_of, precise=True)
    check_size(len(frames) * len(freqs_hz), MAX_VALUES)
    power = np.concatenate(list(_powers(waveform, config, frames, transform)), axis=1)
    n_frames = config.n_frames(len(waveform))
    if len(frames) == n_frames:
        peak = float(power.max())
    elif long_peak and n_frames * config.n_freqs > MAX_PEAK_VALUES:
        peak = max(float(power.max()), long_peak())
    else:
        peak = _peak_power(waveform, config, transform)
    fixed = config.replace(db_ref=max(AMIN, peak)) if config.db_ref == "max" else config
    level_db = np.maximum(power_to_level_db(power, fixed), power_to_level_db(peak, fixed) - config.top_db)
    return Matrix(level_db.astype(np.float32), np.array(frames) * (config.hop_length / config.sample_rate), freqs_hz)


def waveform_matrix(waveform: np.ndarray, sample_rate: int, start_s: float, end_s: float) -> Matrix:
    """Return the samples between two times."""
    first = min(max(0, round(start_s * sample_rate)), len(waveform) - 1)
    stop = min(max(first + 1, round(end_s * sample_rate)), len(waveform))
    check_size(stop - first, MAX_VALUES)
    return Matrix(np.array(waveform[first:stop], np.float32), np.arange(first, stop) / sample_rate, np.zeros(0))


def check_size(n_values: int, limit: int) -> None:
    """Raise ParameterError for more values than are written at once."""
    if n_values > limit:
        raise ParameterError("export.too_much", millions=n_values / 1e6, limit=limit / 1e6)


def as_csv(matrix: Matrix) -> str:
    """Return a matrix as CSV, times first, or a waveform as two columns."""
    check_size(matrix.values.size, MAX_CSV_VALUES)
    out = io.StringIO()
    if matrix.values.ndim == 1:
        out.write("time_s,amplitude\n")
        np.savetxt(out, np.column_stack([matrix.times_s, matrix.values]), fmt=("%.7f", "%.8g"), delimiter=",")
        return out.getvalue()
    corner = "freq_hz" if matrix.row_name == "freqs_hz" else "coefficient"
    out.write(f"{corner}\\time_s," + ",".join(f"{time:.6f}" for time in matrix.times_s) + "\n")
    formats = ["%.3f" if corner == "freq_hz" else "%d", *["%.4f"] * len(matrix.times_s)]
    np.savetxt(out, np.column_stack([matrix.rows, matrix.values]), fmt=formats, delimiter=",")
    return out.getvalue()


def contours_csv(contours: dict[str, dict[str, np.ndarray]]) -> str:
    """Return contours as a CSV table with a row for each value; NaN is empty."""
    lines = ["feature,quantity,time_s,value"]
    for feature, arrays in contours.items():
        times_s = arrays["times_s"]
        for quantity, values in arrays.items():
            if quantity == "times_s" and len(arrays) > 1:
                continue
            for time_s, value in zip(times_s, values, strict=True):
                lines.append(
                    f"{feature},{quantity},{time_s:.6f},{value:.6g}"
                    if np.isfinite(value)
                    else f"{feature},{quantity},{time_s:.6f},"
                )
    return "\n".join(lines) + "\n"


def _powers(waveform: Waveform, config: SpectrogramConfig, frames: range, transform: Transform) -> Iterator[np.ndarray]:
    at_a_time = max(1, 4 * CHUNK_VALUES // config.n_freqs)
    for first in range(frames.start, frames.stop, at_a_time):
        numbers = np.arange(first, min(first + at_a_time, frames.stop))
        yield power_frames(waveform, config, numbers, transform).numpy()


def _peak_power(waveform: Waveform, config: SpectrogramConfig, transform: Transform) -> float:
    """Return the maximum of the whole sound's spectrogram."""
    frames = range(config.n_frames(len(waveform)))
    check_size(len(frames) * config.n_freqs, MAX_PEAK_VALUES)
    return max(float(part.max()) for part in _powers(waveform, config, frames, transform))
