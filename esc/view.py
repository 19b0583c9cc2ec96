"""The part of a picture that a screen shows: a stretch of time, no more columns than the screen has, 8 bits a value.

Hour-long sounds are looked at through `SpectrogramConfig`'s own frames, never through shortened audio: where frames
share a column the loudest wins, so that a click of one frame stays visible at any zoom. Memory is bounded by
`CHUNK_VALUES`, whatever the sound's length; a memory-mapped waveform is read only where frames are computed.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral, Real

import numpy as np
import torch

from esc.config import LIMITS, SpectrogramConfig
from esc.errors import ParameterError
from esc.spectrogram import hz_to_mel, mel_power, mel_to_hz, power_to_level, stft_power

FRAMES_A_COLUMN = 8  # more frames than this in a column are sampled: an hour in 1000 columns stays a matter of seconds
MAX_ROWS = 1_025  # an STFT of 2048 shows all its bins
MAX_COLUMNS = 8_192  # wider than any screen
OVERVIEW_COLUMNS = 1_000
CHUNK_VALUES = 4_000_000  # n_freqs * frames computed at a time: 32 MB as complex64
_SAMPLED_COLUMNS = 250  # of a view, for how much of it is hidden
_FRAME_EPS = 1e-6  # of a hop: a time that was computed from a frame's number still finds that frame

Transform = Callable[..., torch.Tensor]  # (waveform, config, center=...) -> power (..., rows, n_frames)


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

    Each value is exactly the whole spectrogram's (`esc.spectrogram.mel_power`), then rounded to 8 bits: half a step
    is `top_db / 510`. More frames than columns: a column shows the greatest power of its frames, band by band. More
    than `FRAMES_A_COLUMN` times as many: that many evenly spaced frames a column are computed and the rest are
    skipped, so an hour's overview may miss an event shorter than their distance; zooming in shows it.

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


def frame_at(waveform: np.ndarray, config: SpectrogramConfig, time_s: float) -> np.ndarray:
    """Return the number of the frame nearest to a time, shape (1,)."""
    time_s = clamped_time(waveform, config, "time_s", time_s)
    return np.array([min(round(time_s * config.sample_rate / config.hop_length), config.n_frames(len(waveform)) - 1)])


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
    drawn = placed(_quantised(level_db, high_db, config), high_db - config.top_db, high_db, frames, config)
    return replace(drawn, **_below(level_db, high_db, config))


def placed(levels: np.ndarray, low: float, high: float, frames: np.ndarray, config: SpectrogramConfig) -> View:
    """Return levels with the outer edges of the frames that they show."""
    hop_s = config.hop_length / config.sample_rate
    start_s, end_s = (int(frames[0]) - 0.5) * hop_s, (int(frames[-1]) + 0.5) * hop_s
    return View(levels, low_db=low, high_db=high, start_s=start_s, end_s=end_s, n_frames=len(frames))


def frames_between(waveform: np.ndarray, config: SpectrogramConfig, start_s: float, end_s: float) -> np.ndarray:
    """Return the numbers of the frames with centres in [start_s, end_s], or of the one nearest to the middle."""
    start_s, end_s = (clamped_time(waveform, config, *named) for named in (("start_s", start_s), ("end_s", end_s)))
    if start_s > end_s:
        raise ParameterError("parameter.range", field="start_s", value=start_s, low=0.0, high=end_s)
    frames_a_second = config.sample_rate / config.hop_length
    last_frame = config.n_frames(len(waveform)) - 1
    first = math.ceil(start_s * frames_a_second - _FRAME_EPS)
    last = min(math.floor(end_s * frames_a_second + _FRAME_EPS), last_frame)
    if first > last:
        first = last = min(round((start_s + end_s) / 2 * frames_a_second), last_frame)
    return np.arange(first, last + 1)


def clamped_time(waveform: np.ndarray, config: SpectrogramConfig, field: str, value: float) -> float:
    """Return a time clamped to the sound; infinite ones are fine, what is no number is not."""
    seconds = len(waveform) / config.sample_rate
    if isinstance(value, bool) or not isinstance(value, Real) or math.isnan(value):
        raise ParameterError("parameter.range", field=field, value=value, low=0.0, high=seconds)
    return float(min(max(value, 0.0), seconds))


def _columns_db(
    waveform: np.ndarray, config: SpectrogramConfig, frames: np.ndarray, columns: int, transform: Transform
) -> np.ndarray:
    return _levels_db(gathered(frames, columns, config, partial(power_frames, waveform, config, transform=transform)), config)


def gathered(
    frames: np.ndarray,
    columns: int,
    config: SpectrogramConfig,
    compute: Callable[[np.ndarray], torch.Tensor],
    pool: np.ufunc = np.maximum,
    frames_a_column: int = FRAMES_A_COLUMN,
) -> torch.Tensor:
    """Return frames in at most `columns` columns: the maximum of each one's frames, or their mean (`pool=np.add`).

    `compute` makes the values (rows, n) of n frames, by their numbers; more than `frames_a_column` are sampled.
    """
    columns = min(columns, len(frames))
    if len(frames) > columns * FRAMES_A_COLUMN:
        wanted = columns * frames_a_column
        frames = frames[(2 * np.arange(wanted) + 1) * len(frames) // (2 * wanted)]  # the middles of equal parts
    edges = np.arange(columns + 1) * len(frames) // columns  # column c holds frames[edges[c]:edges[c + 1]]
    at_a_time = max(1, CHUNK_VALUES // (config.n_freqs * FRAMES_A_COLUMN))
    parts = []
    for first in range(0, columns, at_a_time):
        cut = edges[first : first + at_a_time + 1]
        values = compute(frames[cut[0] : cut[-1]])
        parts.append(torch.from_numpy(pool.reduceat(values.numpy(), cut[:-1] - cut[0], axis=1)))
    columns_of_values = torch.cat(parts, dim=1)
    return columns_of_values / torch.from_numpy(np.diff(edges)) if pool is np.add else columns_of_values


def power_frames(waveform: np.ndarray, config: SpectrogramConfig, frames: np.ndarray, transform: Transform) -> torch.Tensor:
    """Return the power of the frames with these numbers, shape (rows, len(frames)), as in the whole picture."""
    starts = frames * config.hop_length - config.n_fft // 2
    consecutive = frames[-1] - frames[0] == len(frames) - 1
    if consecutive and config.hop_length <= config.n_fft:  # overlapping frames share their samples
        segment = _cut(waveform, starts[0], starts[-1] + config.n_fft)
        return transform(segment, config, center=False)
    rows = np.stack([_cut(waveform, start, start + config.n_fft) for start in starts])
    if config.n_fft > LIMITS["hop_length"][1]:
        return transform(rows, config, center=False)[..., 0].T
    # laid end to end they are one waveform's frames: one product with the mel filters instead of one a frame
    return transform(rows.reshape(-1), dataclasses.replace(config, hop_length=config.n_fft), center=False)


def _cut(waveform: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Return a copy of samples start to stop, zeros where that is beyond the sound's ends."""
    first, last = (min(max(edge, 0), len(waveform)) for edge in (start, stop))
    piece = np.zeros(stop - start, np.float32)
    piece[first - start : last - start] = waveform[first:last]
    return piece


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
