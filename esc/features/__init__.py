"""Layers: what librosa makes of a sound beside the spectrogram, drawn on top of it or in its place.

Each is computed stretch by stretch, with as much sound around as it needs, so that memory stays bounded for an hour and
what is shown is the whole sound's. Those of a spectrogram (`constant_q`, `reassigned`, `pcen`, `harmonic`,
`percussive`, `centroid`, `loudness`) take its parameters; `pitch` and `onsets` have librosa's own.

    lines.py      centroid and bandwidth, loudness, pitch: values over time; onsets: times
    pictures.py   constant-Q, reassigned, PCEN, harmonic and percussive parts: levels in place of the spectrogram's
    chunks.py    stretches with their surroundings, and frames gathered into columns
    worker.py     the process that computes them (`python -m esc.features.worker`); librosa is loaded there alone
    jobs.py       work given to that process: its progress, its end, its cancellation
"""

from __future__ import annotations

from types import MappingProxyType

OWN_RATE = 22_050  # Hz at which pitch and onsets are found, librosa's default
# which take a picture's place, which are drawn over it, and at which rate: None is the config's
SPECTROGRAMS = ("constant_q", "reassigned", "pcen", "harmonic", "percussive")
CONTOURS = MappingProxyType({"centroid": None, "loudness": None, "pitch": OWN_RATE, "onsets": OWN_RATE})
SLOW = ("pitch", "harmonic", "percussive")  # a minute of sound takes seconds, not a blink
FEATURES = (*SPECTROGRAMS, *CONTOURS)


def feature_sample_rate(layer: str, sample_rate: int) -> int:
    """Return the sample rate at which a layer wants its sound, where the picture's is `sample_rate`."""
    return CONTOURS.get(layer) or sample_rate
