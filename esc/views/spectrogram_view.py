"""The part of a picture that a screen shows: a stretch of time, no more columns than the screen has, 8 bits a value.

Hour-long sounds are looked at through `SpectrogramConfig`'s own frames, never through shortened audio: where frames
share a column the loudest wins, so that a click of one frame stays visible at any zoom.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral

import numpy as np
import torch

from esc.config import SpectrogramConfig
from esc.dsp.frames import OVERVIEW_COLUMNS, Transform, frame_at, frames_between, pool_columns, power_frames
from esc.dsp.spectrogram import hz_to_mel, mel_power, mel_to_hz, power_to_level, stft_power
from esc.errors import ParameterError

MAX_ROWS = 1_025  # an STFT of 2048 shows all its bins
MAX_COLUMNS = 8_192  # wider than any screen
_SAMPLED_COLUMNS = 250  # of a view, for how much of it is hidden


@dataclass(frozen=True)
class View:
    """A stretch of a picture, ready for a screen.

    Attributes
    ----------
    levels : uint8 array, shape (n_mels, n_columns)
        0 at `low_db` or below, 255 at `high_db` or above, linear in dB between. Silence is 0 throughout.
    low_db, high_db : float
        dB of the levels 0 and 255.
    start_s, end_s : float
        Where the picture's outer edges lie: half a hop before its first frame's centre and half a hop after its last
        one's, so the first may lie before 0 and the last beyond the sound. The columns between are equally wide;
        where frames share a column each is off by less than a hop.
    n_frames : int
        Frames between the edges; one column each unless there are more than columns.
    hidden : float
        Share of the values that were raised to `low_db`, of those that are not silence itself.
    depth_db : float
        How far below `high_db` one would have to look for nine tenths of those that are not silence.
    """

    levels: np.ndarray
    low_db: float
    high_db: float
    start_s: float
    end_s: float
    n_frames: int
    hidden: float = 0.0
    depth_db: float = 0.0


def mel_view(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    columns: int,
    high_db: float | None = None,
) -> View:
    """Return the mel spectrogram between two times, at most `columns` wide.

    Each value is exactly the whole spectrogram's (`esc.dsp.spectrogram.mel_power`), then rounded to 8 bits: half a step
    is `top_db / 510`. More frames than columns: a column shows the greatest power of its frames, band by band. More
    than `FRAMES_A_COLUMN` times as many: that many evenly spaced frames a column are computed (of the whole sound those of
    `peak_level_db`) and the rest are skipped, so an hour's overview may miss an event shorter than their distance;
    zooming in shows it.

    Parameters
    ----------
    waveform : float32 array or memmap, shape (n_samples,)
        At `config.sample_rate`.
    config : SpectrogramConfig
    start_s, end_s : float
        Seconds; the frames whose centres lie between them are shown, at least one. Clamped to the sound.
    columns : int
        1 to `MAX_COLUMNS`.
    high_db : float, optional
        dB of the brightest level, usually `peak_level_db` of the whole sound; left out, the maximum of this view.

    Raises
    ------
    ParameterError
        `start_s`, `end_s` or `columns` is not possible.
    """
    return _view(waveform, config, start_s, end_s, columns, high_db, mel_power)


def stft_view(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    columns: int,
    high_db: float | None = None,
) -> View:
    """Return the STFT between two times as `mel_view` returns the mel spectrogram.

    The rows are the bins, from 0 Hz up; where there are more than `MAX_ROWS`, neighbours share a row, more of them the
    higher they lie, and the loudest shows. `stft_bounds_hz` says where the rows lie.
    """
    return _view(waveform, config, start_s, end_s, columns, high_db, _pooled_stft)


def mel_bounds_hz(config: SpectrogramConfig) -> np.ndarray:
    """Return where the rows of a mel view meet, in Hz, shape (n_mels + 1,): halfway, in mel, between band centres."""
    low, high = hz_to_mel([config.fmin, config.fmax], config.mel_scale)
    step = (high - low) / (config.n_mels + 1)
    return mel_to_hz(low + step * (np.arange(config.n_mels + 1) + 0.5), config.mel_scale)


def stft_bounds_hz(config: SpectrogramConfig) -> np.ndarray:
    """Return where the rows of an STFT view meet, in Hz, from 0 to half the sample rate."""
    bounds = (np.append(stft_rows(config), config.n_freqs) - 0.5) * config.sample_rate / config.n_fft
    return bounds.clip(0.0, config.sample_rate / 2)


def stft_level_at(waveform: np.ndarray, config: SpectrogramConfig, time_s: float, freq_hz: float, high_db: float) -> float:
    """Return the exact dB of the STFT bin nearest to `freq_hz` at the frame nearest to `time_s`, floored as the view."""
    bin_ = min(max(0, round(freq_hz * config.n_fft / config.sample_rate)), config.n_freqs - 1)
    return max(float(_levels_at(waveform, config, time_s, stft_power)[bin_, 0]), high_db - config.top_db)


def peak_level_db(waveform: np.ndarray, config: SpectrogramConfig, transform: Transform = mel_power) -> float:
    """Return the dB of the loudest value of a sound's mel spectrogram, or of its STFT (`transform=stft_power`).

    Exact up to `OVERVIEW_COLUMNS * FRAMES_A_COLUMN` frames; of longer sounds, the maximum of the sampled overview.
    """
    frames = np.arange(config.n_frames(len(waveform)))
    return float(_columns_db(waveform, config, frames, OVERVIEW_COLUMNS, transform).max())


def level_at(waveform: np.ndarray, config: SpectrogramConfig, time_s: float, band: int, high_db: float) -> float:
    """Return the exact dB of one mel band at the frame nearest to `time_s`, at least `high_db - config.top_db`.

    Raises
    ------
    ParameterError
        `time_s` is not a number or there is no such band.
    """
    if isinstance(band, bool) or not isinstance(band, Integral) or not 0 <= band < config.n_mels:
        raise ParameterError("parameter.range", field="band", value=band, low=0, high=config.n_mels - 1)
    level_db = _levels_at(waveform, config, time_s, mel_power)
    return max(float(level_db[band, 0]), high_db - config.top_db)


def _levels_at(waveform: np.ndarray, config: SpectrogramConfig, time_s: float, transform: Transform) -> np.ndarray:
    return _levels_db(power_frames(waveform, config, frame_at(waveform, config, time_s), transform), config)


def stft_rows(config: SpectrogramConfig) -> np.ndarray:
    """Return the first bin of each row: every bin, or at most `MAX_ROWS` groups evenly spaced in mel."""
    if config.n_freqs <= MAX_ROWS:
        return np.arange(config.n_freqs)
    mels = np.linspace(0.0, hz_to_mel(config.sample_rate / 2, "slaney"), MAX_ROWS, endpoint=False)
    return np.unique(np.round(mel_to_hz(mels, "slaney") * config.n_fft / config.sample_rate).astype(int))


def _pooled_stft(waveform: np.ndarray, config: SpectrogramConfig, center: bool) -> torch.Tensor:
    power = stft_power(waveform, config, center)
    rows = stft_rows(config)
    return power if len(rows) == config.n_freqs else torch.from_numpy(np.maximum.reduceat(power.numpy(), rows, axis=-2))


def _view(
    waveform: np.ndarray,
    config: SpectrogramConfig,
    start_s: float,
    end_s: float,
    columns: int,
    high_db: float | None,
    transform: Transform,
) -> View:
    if isinstance(columns, bool) or not isinstance(columns, Integral) or not 1 <= columns <= MAX_COLUMNS:
        raise ParameterError("parameter.range", field="columns", value=columns, low=1, high=MAX_COLUMNS)
    frames = frames_between(waveform, config, start_s, end_s)
    level_db = _columns_db(waveform, config, frames, columns, transform)
    high_db = float(level_db.max()) if high_db is None else float(high_db)
    drawn = make_view(_quantised(level_db, high_db, config), high_db - config.top_db, high_db, frames, config)
    return replace(drawn, **_below(level_db, high_db, config))


def make_view(levels: np.ndarray, low: float, high: float, frames: np.ndarray, config: SpectrogramConfig) -> View:
    """Return levels with the outer edges of the frames that they show."""
    hop_s = config.hop_length / config.sample_rate
    start_s, end_s = (int(frames[0]) - 0.5) * hop_s, (int(frames[-1]) + 0.5) * hop_s
    return View(levels, low_db=low, high_db=high, start_s=start_s, end_s=end_s, n_frames=len(frames))


def _columns_db(
    waveform: np.ndarray, config: SpectrogramConfig, frames: np.ndarray, columns: int, transform: Transform
) -> np.ndarray:
    whole = len(frames) == config.n_frames(len(waveform))
    compute = partial(power_frames, waveform, config, transform=transform)
    return _levels_db(pool_columns(frames, columns, config, compute, at_least=OVERVIEW_COLUMNS if whole else 1), config)


def _levels_db(power: torch.Tensor, config: SpectrogramConfig) -> np.ndarray:
    return power_to_level(power, config).numpy()


def _below(level_db: np.ndarray, high_db: float, config: SpectrogramConfig) -> dict[str, float]:
    """Return what a view says of the values that are too quiet for it."""
    some = level_db[:, :: max(1, level_db.shape[1] // _SAMPLED_COLUMNS)]
    heard = some[some > float(power_to_level(torch.zeros(()), config)) + 1e-3]
    if not heard.size:
        return {}
    tenth = float(np.partition(heard, heard.size // 10)[heard.size // 10])
    return {"hidden": float((heard < high_db - config.top_db).mean()), "depth_db": high_db - tenth}


def _quantised(level_db: np.ndarray, high_db: float, config: SpectrogramConfig) -> np.ndarray:
    """Return dB as 0..255; a high_db that is silence itself leaves nothing to see, so all is 0."""
    silence_db = float(power_to_level(torch.zeros(()), config))
    if high_db <= silence_db:
        return np.zeros(level_db.shape, np.uint8)
    share = (level_db - (high_db - config.top_db)) / config.top_db
    return np.rint(np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint8)
