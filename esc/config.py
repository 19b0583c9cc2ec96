"""What a spectrogram is made with: the parameters, their legal values and the named presets. Numbers live here, once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType

from esc.errors import ParameterError

SAMPLE_RATES = (8_000, 192_000)  # Hz; what is read and what a config may ask for
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
        "fmin": (0.0, 96_000.0),
        "fmax": (1.0, 96_000.0),
        "top_db": (10.0, 160.0),
        "n_mfcc": (1, 128),
        "db_ref": (1e-8, 1e8),
    }
)
_WHOLE = ("sample_rate", "n_fft", "win_length", "hop_length", "n_mels", "n_mfcc")
_REAL = ("fmin", "fmax", "top_db", "db_ref")


@dataclass(frozen=True, kw_only=True)
class SpectrogramConfig:
    """Everything that turns a waveform into an STFT, a mel spectrogram or MFCCs, checked.

    Parameters
    ----------
    sample_rate : int
        Hz; a sound is resampled to it first.
    n_fft : int
        Samples in one Fourier transform: `n_fft / sample_rate` seconds, bins `sample_rate / n_fft` Hz apart.
    win_length : int
        Samples under the window, at most `n_fft`; the rest is zeros.
    hop_length : int
        Samples from one frame to the next.
    window : str
        One of `WINDOWS`, periodic as for spectral analysis.
    n_mels : int
        Number of mel bands between `fmin` and `fmax`.
    fmin, fmax : float
        Hz; `fmax` at most half of `sample_rate`.
    mel_scale : str
        "slaney" (librosa's default, linear below 1 kHz) or "htk" (logarithmic throughout).
    db_ref : float
        The power that reads as 0 dB.
    top_db : float
        dB kept below the loudest value; quieter ones are raised to that floor.
    n_mfcc : int
        Number of cepstral coefficients, at most `n_mels`.

    Raises
    ------
    ParameterError
        Names the field, the value and what is legal.
    """

    sample_rate: int
    n_fft: int
    win_length: int
    hop_length: int
    window: str = "hann"
    n_mels: int
    fmin: float
    fmax: float
    mel_scale: str = "slaney"
    db_ref: float = 1.0
    top_db: float = 80.0
    n_mfcc: int = 20

    def __post_init__(self) -> None:
        for field in _WHOLE + _REAL:
            object.__setattr__(self, field, _number(field, getattr(self, field), whole=field in _WHOLE))
        for field, choices in (("window", WINDOWS), ("mel_scale", MEL_SCALES)):
            if getattr(self, field) not in choices:
                raise ParameterError("parameter.choice", field=field, value=getattr(self, field), choices=", ".join(choices))
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
        """Number of centred frames of a waveform of `n_samples` samples at this config's rate.

        `1 + n_samples // hop_length`, where an odd `n_fft` counts one sample less, as it does in librosa.
        """
        return 1 + (n_samples - self.n_fft % 2) // self.hop_length

    @property
    def resolution_hz(self) -> float:
        """Distance in Hz at which two equal tones are told apart: the -6 dB width of the window's main lobe.

        Widths are in bins of a window's own length, measured on its finely sampled transform; Harris (1978), "On the
        Use of Windows for Harmonic Analysis", lists the same quantity.
        """
        return _LOBE_BINS[self.window] * self.sample_rate / self.win_length

    @property
    def resolution_s(self) -> float:
        """Distance in seconds at which two equal clicks are told apart: the -6 dB width of the window itself.

        A click's magnitude over the frames traces the window, as a tone's over the bins traces the window's transform,
        so this is the same measure as `resolution_hz`, of the other one of the pair. For a Hann window it is half of
        its length, for which `resolution_s * resolution_hz` is 1.
        """
        return _HALF_WIDTHS[self.window] * self.win_length / self.sample_rate

    def replace(self, **changes: object) -> SpectrogramConfig:
        """Return a copy with some fields changed, checked anew."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict:
        """Return the fields as plain numbers and strings, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> SpectrogramConfig:
        """Return the config that `to_dict` gave; unknown and missing keys raise ParameterError."""
        check_keys(cls, values)
        return cls(**values)


@dataclass(frozen=True, kw_only=True)
class InputConfig:
    """What turns dB into the network's input: the clip's length and the scaling of its levels.

    Parameters
    ----------
    clip_seconds : float
        Length of the clip that the network is given; longer sounds are cut, shorter ones padded.
    scaling : str
        "clip": each picture is standardised by its own mean and deviation; "dataset": by `mean_db` and `std_db`;
        "notebook": standardised by the clip, stretched to 0..255 and truncated to whole numbers.
    mean_db, std_db : float
        The training folds' own, in dB; used by "dataset" alone.
    """

    clip_seconds: float = 5.0
    scaling: str = "clip"
    mean_db: float = 0.0
    std_db: float = 1.0

    def __post_init__(self) -> None:
        if self.scaling not in ("clip", "dataset", "notebook"):
            raise ParameterError("parameter.choice", field="scaling", value=self.scaling, choices="clip, dataset, notebook")
        for field, low, high in (("clip_seconds", 0.1, 60.0), ("mean_db", -400.0, 400.0), ("std_db", 1e-3, 400.0)):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ParameterError("parameter.range", field=field, value=value, low=low, high=high)

    def to_dict(self) -> dict:
        """Return the fields as plain numbers and strings, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> InputConfig:
        """Return the config that `to_dict` gave; unknown and missing keys raise ParameterError."""
        check_keys(cls, values)
        return cls(**values)


def _number(field: str, value: object, whole: bool) -> int | float:
    """Return `value` as a plain int or float inside the field's limits, or say why that can't be."""
    if isinstance(value, bool) or not hasattr(value, "__float__") or isinstance(value, str):
        raise ParameterError("parameter.type", field=field, value=value, wanted="whole number" if whole else "number")
    low, high = LIMITS[field]
    try:
        number = float(value)
    except (OverflowError, TypeError, ValueError):
        number = float("nan")
    if not low <= number <= high:  # also catches NaN
        raise ParameterError("parameter.range", field=field, value=value, low=low, high=high)
    if whole and number != int(number):
        raise ParameterError("parameter.type", field=field, value=value, wanted="whole number")
    return int(number) if whole else number


def check_keys(cls: type, values: dict) -> None:
    """Raise ParameterError where `values` lacks a field of a dataclass or holds another."""
    known = {field.name for field in dataclasses.fields(cls)}
    given = set(values)
    if given != known:
        raise ParameterError(
            "parameter.keys",
            unknown=", ".join(sorted(map(str, given - known))) or "none",
            missing=", ".join(sorted(known - given)) or "none",
        )


NOTEBOOK = SpectrogramConfig(
    sample_rate=44_100, n_fft=16_384, win_length=3_969, hop_length=308, n_mels=256, fmin=20.0, fmax=17_000.0
)
LIBROSA = SpectrogramConfig(
    sample_rate=22_050, n_fft=2_048, win_length=2_048, hop_length=512, n_mels=128, fmin=0.0, fmax=11_025.0
)
SPEECH = SpectrogramConfig(  # 25 ms windows every 10 ms, the band of a voice
    sample_rate=16_000, n_fft=512, win_length=400, hop_length=160, n_mels=80, fmin=50.0, fmax=8_000.0, n_mfcc=13
)
BIRDSONG = SpectrogramConfig(  # short windows follow fast whistles; nothing below 500 Hz but wind
    sample_rate=44_100, n_fft=1_024, win_length=1_024, hop_length=256, n_mels=128, fmin=500.0, fmax=16_000.0,
    mel_scale="htk",
)  # fmt: skip
CLICKS = SpectrogramConfig(  # 3 ms windows: when, rather than which pitch
    sample_rate=44_100, n_fft=512, win_length=128, hop_length=64, n_mels=48, fmin=0.0, fmax=22_050.0, n_mfcc=13
)
ESC50 = SpectrogramConfig(  # what the shipped checkpoint is trained on, see training/recipes.py
    sample_rate=44_100, n_fft=2_048, win_length=2_048, hop_length=512, n_mels=128, fmin=20.0, fmax=20_000.0
)
PRESETS = MappingProxyType(
    {
        "librosa": LIBROSA,
        "notebook": NOTEBOOK,
        "esc50": ESC50,
        "speech": SPEECH,
        "birdsong": BIRDSONG,
        "clicks": CLICKS,
    }
)
