"""Audio features by librosa: contours over a spectrogram, and spectrograms in its stead.

Each is computed in chunks with as much context as it needs, so that memory stays bounded for an hour of sound and the
values are those of the whole. `constant_q`, `reassigned`, `pcen`, `harmonic`, `percussive`, `centroid` and `loudness`
use the spectrogram's parameters; `pitch` and `onsets` those of librosa's examples.
"""

from __future__ import annotations

from esc.config import LIBROSA

SPECTROGRAMS = ("constant_q", "reassigned", "pcen", "harmonic", "percussive")
CONTOURS = ("centroid", "loudness", "pitch", "onsets")
SOUND_ONLY = ("pitch", "onsets")  # independent of the spectrogram's parameters
SLOW = ("pitch", "harmonic", "percussive")  # take seconds for a minute of sound
FEATURES = (*SPECTROGRAMS, *CONTOURS)


def feature_sample_rate(feature: str, sample_rate: int) -> int:
    """Return the sample rate at which a feature is computed over a spectrogram of `sample_rate`."""
    return LIBROSA.sample_rate if feature in SOUND_ONLY else sample_rate
