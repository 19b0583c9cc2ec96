"""Spectrogram and network input parameters: legal values and presets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from esc.errors import ParameterError, check_choice, check_range

SAMPLE_RATES = (1_000, 768_000)  # Hz; of input files and of configs
WINDOWS = ("hann", "hamming", "blackman", "blackmanharris", "bartlett", "boxcar")
_LOBE_BINS = MappingProxyType(
    {"hann": 2.0, "hamming": 1.81, "blackman": 2.3, "blackmanharris": 2.67, "bartlett": 1.77, "boxcar": 1.21}
)
_HALF_WIDTHS = MappingProxyType(
    {"hann": 0.5, "hamming": 0.5277, "blackman": 0.4055, "blackmanharris": 0.3432, "bartlett": 0.5, "boxcar": 1.0}
)
MEL_SCALES = ("slaney", "htk")
LIMITS = MappingProxyType(
    {
        "sample_rate": SAMPLE_RATES,
        "n_fft": (32, 32_768),
        "win_length": (16, 32_768),
        "hop_length": (16, 16_384),
        "n_mels": (4, 512),
        "fmin": (0.0, 384_000.0),
        "fmax": (1.0, 384_000.0),
        "top_db": (10.0, 160.0),
        "n_mfcc": (1, 128),
        "db_ref": (1e-10, 1e12),
    }
)
DB_REFS = ("max", "full_scale")  # or a power
SCALINGS = ("clip", "dataset", "notebook")
_WHOLE = ("sample_rate", "n_fft", "win_length", "hop_length", "n_mels", "n_mfcc")
_REAL = ("fmin", "fmax", "top_db")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Base of the configs: plain values for JSON and back."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain numbers and strings, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Self:
        """Return the config of `to_dict`; unknown and missing keys raise ParameterError."""
        known, given = {field.name for field in dataclasses.fields(cls)}, set(values)
        if given != known:
            raise ParameterError(
                "parameter.keys",
                unknown=", ".join(sorted(map(str, given - known))) or "none",
                missing=", ".join(sorted(known - given)) or "none",
            )
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class SpectrogramConfig(Config):
    """Parameters of STFTs, mel spectrograms and MFCCs.

    Raises
    ------
    ParameterError
        Names the field, its value and the legal range.
    """

    sample_rate: int  # Hz; sounds are resampled to it first
    n_fft: int  # samples of one Fourier transform: `n_fft / sample_rate` seconds, bins `sample_rate / n_fft` Hz apart
    win_length: int  # samples under the window, at most `n_fft`; the window is padded with zeros
    hop_length: int  # samples from one frame to the next
    window: str = "hann"  # one of `WINDOWS`, periodic as for spectral analysis
    n_mels: int  # number of mel bands between `fmin` and `fmax`
    fmin: float  # Hz
    fmax: float  # Hz, at most half of `sample_rate`
    mel_scale: str = "slaney"  # as by default in librosa, linear below 1 kHz; or "htk", logarithmic throughout
    db_ref: float | str = (
        1.0  # the power at 0 dB; or "max", the spectrogram's own maximum, or "full_scale", that of a full-scale sine
    )
    top_db: float = 80.0  # dynamic range below the maximum; lower levels are raised to that floor
    n_mfcc: int = 20  # number of cepstral coefficients, at most `n_mels`

    def __post_init__(self) -> None:
        for field in _WHOLE + _REAL:
            object.__setattr__(self, field, _number(field, getattr(self, field), whole=field in _WHOLE))
        if not (isinstance(self.db_ref, str) and self.db_ref in DB_REFS):
            object.__setattr__(self, "db_ref", _number("db_ref", self.db_ref, whole=False))
        check_choice("window", self.window, WINDOWS)
        check_choice("mel_scale", self.mel_scale, MEL_SCALES)
        if self.win_length > self.n_fft:
            raise ParameterError("parameter.window", value=self.win_length, n_fft=self.n_fft)
        if self.fmin >= self.fmax:
            raise ParameterError("parameter.band", fmin=self.fmin, fmax=self.fmax)
        if self.fmax > self.sample_rate / 2:
            raise ParameterError("parameter.nyquist", value=self.fmax, sample_rate=self.sample_rate, nyquist=self.sample_rate / 2)
        if self.n_mfcc > self.n_mels:
            raise ParameterError("parameter.mfcc", value=self.n_mfcc, n_mels=self.n_mels)

    @property
    def n_freqs(self) -> int:
        """Number of STFT bins, `1 + n_fft // 2`."""
        return 1 + self.n_fft // 2

    def n_frames(self, n_samples: int) -> int:
        """Return the number of centred frames of `n_samples` samples at this config's rate.

        `1 + n_samples // hop_length`; as in librosa, an odd `n_fft` counts one sample less.
        """
        return 1 + (n_samples - self.n_fft % 2) // self.hop_length

    @property
    def resolution_hz(self) -> float:
        """Frequency resolution in Hz: the -6 dB width of the window's main lobe.

        Widths are in bins of the window's own length, measured on its finely sampled transform; see Harris (1978), "On
        the Use of Windows for Harmonic Analysis".
        """
        return _LOBE_BINS[self.window] * self.sample_rate / self.win_length

    @property
    def resolution_s(self) -> float:
        """Time resolution in seconds: the -6 dB width of the window itself.

        The magnitude of a click over the frames has the shape of the window, as that of a tone over the bins has the
        shape of its transform. For a Hann window it is half its length, and `resolution_s * resolution_hz` is 1.
        """
        return _HALF_WIDTHS[self.window] * self.win_length / self.sample_rate

    def replace(self, **changes: Any) -> SpectrogramConfig:
        """Return a copy with some fields changed, validated again."""
        return dataclasses.replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class InputConfig(Config):
    """Parameters of the network's input: clip length and level scaling.

    Scalings: "clip" standardises each spectrogram by its own mean and deviation; "dataset" by `mean_db` and `std_db`, those
    of the training folds; "notebook" standardises by the clip, scales to 0..255 and truncates to whole numbers.
    """

    clip_seconds: float = 5.0  # longer sounds are cut, shorter ones padded
    scaling: str = "clip"
    mean_db: float = 0.0
    std_db: float = 1.0

    def __post_init__(self) -> None:
        check_choice("scaling", self.scaling, SCALINGS)
        for field, low, high in (("clip_seconds", 0.1, 60.0), ("mean_db", -400.0, 400.0), ("std_db", 1e-3, 400.0)):
            check_range(field, getattr(self, field), low, high)


def _number(field: str, value: Any, whole: bool) -> int | float:
    """Return `value` as a plain int or float within the field's limits."""
    wanted = "whole number" if whole else f"number, {' or '.join(DB_REFS)}" if field == "db_ref" else "number"
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        raise ParameterError("parameter.type", field=field, value=value, wanted=wanted)
    try:
        number = float(value)
    except (OverflowError, TypeError, ValueError):
        number = float("nan")
    low, high = LIMITS[field]
    if not low <= number <= high:  # also catches NaN
        raise ParameterError("parameter.range", field=field, value=value, low=low, high=high)
    if whole and number != int(number):
        raise ParameterError("parameter.type", field=field, value=value, wanted=wanted)
    return int(number) if whole else number


NOTEBOOK = SpectrogramConfig(
    sample_rate=44_100, n_fft=16_384, win_length=3_969, hop_length=308, n_mels=256, fmin=20.0, fmax=17_000.0
)
LIBROSA = SpectrogramConfig(
    sample_rate=22_050, n_fft=2_048, win_length=2_048, hop_length=512, n_mels=128, fmin=0.0, fmax=11_025.0
)
SPEECH = SpectrogramConfig(  # 25 ms windows every 10 ms, the frequency range of speech
    sample_rate=16_000, n_fft=512, win_length=400, hop_length=160, n_mels=80, fmin=50.0, fmax=8_000.0, n_mfcc=13
)
BIRDSONG = SpectrogramConfig(  # short windows for fast whistles; below 500 Hz there is only wind
    sample_rate=44_100, n_fft=1_024, win_length=1_024, hop_length=256, n_mels=128, fmin=500.0, fmax=16_000.0,
    mel_scale="htk",
)  # fmt: skip
BATS = SpectrogramConfig(  # calls of some milliseconds from 10 to 120 kHz, as detectors record them, over noise
    sample_rate=384_000, n_fft=1_024, win_length=1_024, hop_length=256, n_mels=128, fmin=10_000.0, fmax=120_000.0,
    mel_scale="htk", top_db=60.0,
)  # fmt: skip
CLICKS = SpectrogramConfig(  # 3 ms windows: time resolution rather than pitch
    sample_rate=44_100, n_fft=512, win_length=128, hop_length=64, n_mels=48, fmin=0.0, fmax=22_050.0, n_mfcc=13
)
ESC50 = SpectrogramConfig(  # of the shipped checkpoint, see training/recipes.py
    sample_rate=44_100, n_fft=2_048, win_length=2_048, hop_length=512, n_mels=128, fmin=20.0, fmax=20_000.0
)
PRESETS = MappingProxyType(
    {
        "librosa": LIBROSA,
        "notebook": NOTEBOOK,
        "esc50": ESC50,
        "speech": SPEECH,
        "birdsong": BIRDSONG,
        "bats": BATS,
        "clicks": CLICKS,
    }
)
