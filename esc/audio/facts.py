"""Properties of a sound file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from esc.audio.channels import MEAN, is_mean, split_track
from esc.audio.waveform import SILENCE_PEAK, inner_product

_CANCELLED = 0.2  # of the power that uncorrelated channels keep in their mean
_ULTRASOUND_HZ = 100_000  # sample rates beyond it are for what nobody hears
_INTEGER_SCALES = (2.0**15, 2.0**23, 2.0**31)
_WITHIN_FULL_SCALE = 2.0  # peak of floats: decoders and resampling may exceed 1
_INTEGER_PEAK = 100.0  # of floats: no level of a recording, but integers that were never divided by their full scale


class Reading(NamedTuple):
    """Options by which a file is read, as of `esc.audio.load_audio`."""

    channel: str = MEAN
    full_scale: float = 1.0
    time_expansion: float = 1.0


AS_IT_IS = Reading()


def integer_scale(peak: float) -> float | None:
    """Return the full scale of the integers that floats with this peak were, or None."""
    if peak <= _INTEGER_PEAK:
        return None
    return next((scale for scale in _INTEGER_SCALES if peak <= 1.5 * scale), None)  # half as much again: of resampled ones


@dataclass
class AudioFacts:
    """Facts about a file, completed while it is decoded.

    Attributes
    ----------
    file_rate : int
        Hz, as decoded; `sample_rate` is that of the sound before a recorder slowed it down.
    channels : int
    container, codec : str
        As FFmpeg names them, for example "wav" and "pcm_s16le".
    bits : int
        Width of the integers of a lossless codec, 0 for others.
    n_samples : int
    peak : float
        Largest absolute sample over all channels, or of the selected one; 1.0 is full scale.
    cut_off : bool
        The end is missing: the file announces more sound than it holds.
    damaged : bool
        Parts in the middle could not be decoded and were left out.
    tracks : int
        Number of sound tracks.
    default_track : int
        Number of the one that is read unless `channel` names another, from 1.
    steady : bool
        Players find any moment exactly: constant bit rate or exact index, right length, no gaps.
    channel : str
        Selected one, as named by `esc.audio.channels`; the mono waveform is its.
    full_scale : float
        What the file's samples were divided by.
    time_expansion : float
        What the file's times are divided by, and its frequencies multiplied.
    announced_s : float
        Length in the header, in the file's own time, 0 if it names none.
    metadata : dict
        As `esc.audio.metadata.read_metadata` returns.
    """

    file_rate: int
    channels: int
    container: str
    codec: str
    bits: int = 0
    n_samples: int = 0
    peak: float = 0.0
    cut_off: bool = False
    damaged: bool = False
    tracks: int = 1
    default_track: int = 1
    steady: bool = True
    channel: str = MEAN
    full_scale: float = 1.0
    time_expansion: float = 1.0
    announced_s: float = field(default=0.0, repr=False)
    metadata: dict[str, str] = field(default_factory=dict, repr=False)
    _low: float = field(default=np.inf, repr=False)
    _high: float = field(default=-np.inf, repr=False)
    _sum: float = field(default=0.0, repr=False)
    _squares: float = field(default=0.0, repr=False)
    _channel_squares: np.ndarray | float = field(default=0.0, repr=False)  # of each channel
    finite: int = field(default=0, repr=False)  # finite samples over all channels
    _n_invalid: int = field(default=0, repr=False)  # others over all channels, taken for 0

    @property
    def reading(self) -> Reading:
        """Options by which the file is read."""
        return Reading(self.channel, self.full_scale, self.time_expansion)

    @property
    def sample_rate(self) -> int:
        """Sample rate in Hz, by the time of the recorded sound."""
        return round(self.file_rate * self.time_expansion)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    @property
    def rms(self) -> float:
        """Root mean square of the mono waveform."""
        return float(np.sqrt(self._squares / max(1, self.n_samples)))

    @property
    def channel_rms(self) -> tuple[float, ...]:
        """Root mean square of each channel."""
        return tuple(np.sqrt(np.atleast_1d(self._channel_squares) / max(1, self.n_samples)).tolist())

    @property
    def silent(self) -> bool:
        """Whether no sample rises above -80 dBFS around the mean."""
        mean = self._sum / max(1, self.n_samples)
        return max(self._high - mean, mean - self._low) < SILENCE_PEAK

    @property
    def notes(self) -> tuple[str, ...]:
        """Keys of what users should know, see `esc.errors.NOTES`."""
        cancelled = self.peak > SILENCE_PEAK and self._squares * self.channels < _CANCELLED * np.mean(self._channel_squares)
        found = {
            "cut_off": self.cut_off,
            "damaged": self.damaged,
            "no_numbers": self._n_invalid > 0,
            "tracks": self.tracks > 1 and not split_track(self.channel)[0],
            "phase": is_mean(self.channel) and self.channels > 1 and cancelled,
            "band": self.sample_rate > _ULTRASOUND_HZ,
            "scale": self.peak > _INTEGER_PEAK,
            "divided": self.full_scale > 1.0 and self.peak * self.full_scale <= _WITHIN_FULL_SCALE,
        }
        return tuple(key for key, applies in found.items() if applies)

    def count(self, block: np.ndarray, mono: np.ndarray, finite: int) -> None:
        """Add a block `(channels, n)` and its mono waveform, in which `finite` samples were finite."""
        self.n_samples += len(mono)
        self.peak = max(self.peak, float(np.abs(block if is_mean(self.channel) else mono).max(initial=0.0)))
        self._low = min(self._low, float(mono.min(initial=np.inf)))
        self._high = max(self._high, float(mono.max(initial=-np.inf)))
        self._sum += float(mono.sum(dtype=np.float64))
        self._squares += inner_product(mono, mono)
        self._channel_squares = self._channel_squares + np.square(block, dtype=np.float64).sum(axis=1)
        self.finite += finite
        self._n_invalid += block.size - finite
