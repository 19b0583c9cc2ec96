"""Audio features by librosa: contours and spectrogram variants.

Each is computed in chunks with enough context for the values of the whole sound, so memory stays bounded. `constant_q`,
`reassigned`, `pcen`, `harmonic`, `percussive`, `centroid` and `loudness` use the spectrogram's parameters; `pitch` and
`onsets` those of librosa's examples.
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
