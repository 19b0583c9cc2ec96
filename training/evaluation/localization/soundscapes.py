"""Seeded soundscapes of clips with known events, over silence or pink noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.data.esc50 import Clip
from training.data.preprocessing import load_clip

SECONDS = 30.0
EVENT_SECONDS = (1.0, 8.0)
OVERLAP_SHARE = 0.3  # of the events begin before the previous one ends
BACKGROUND_DB = -10.0  # of the noise, relative to an event, in every second soundscape
_SEED = 15
_LEVEL_DB = -26.0  # RMS of an event, dBFS
_TRIM_DB = -40.0  # below a clip's loudest frame, is its silence
_FRAME_S, _FADE_S = 0.01, 0.01
_PAUSE_S = (0.5, 3.0)
_CLIP_S = 5.0


@dataclass(frozen=True)
class Event:
    """Interval in which a class sounds."""

    label: str
    start_s: float
    end_s: float


@dataclass(frozen=True, eq=False)
class Soundscape:
    """Waveform with its events by start."""

    waveform: np.ndarray  # float32 (n_samples,)
    events: tuple[Event, ...]


def soundscape(clips: Sequence[Clip], number: int, sample_rate: int) -> Soundscape:
    """Return the soundscape of a number: equal clips and numbers give equal ones.

    An event is a clip from where it begins to sound to where it ends, cut to or repeated for a random time. No class occurs
    twice. Odd soundscapes have pink noise `BACKGROUND_DB` below the events, even ones silence between them.

    Parameters
    ----------
    clips : sequence of Clip
        To draw from.
    number : int
        0 or more.
    sample_rate : int
        Hz.
    """
    rng = np.random.default_rng([_SEED, number])
    waveform = np.zeros(round(SECONDS * sample_rate), np.float32)
    events: list[Event] = []
    end_s = 0.0
    left = list(clips)
    while left:
        seconds = rng.uniform(*EVENT_SECONDS)
        if events and rng.random() < OVERLAP_SHARE:
            last = events[-1]
            start_s = last.end_s - rng.uniform(0.3, 0.7) * min(seconds, last.end_s - last.start_s)
        else:
            start_s = end_s + rng.uniform(*_PAUSE_S)
        clip = left[rng.integers(len(left))]
        left = [other for other in left if other.category != clip.category]
        sound = sounding_part(load_clip(clip.path, sample_rate, _CLIP_S), sample_rate, seconds)
        first = round(start_s * sample_rate)
        if first + len(sound) > len(waveform):
            break
        waveform[first : first + len(sound)] += sound
        events.append(Event(clip.category, first / sample_rate, (first + len(sound)) / sample_rate))
        end_s = max(end_s, events[-1].end_s)
    if number % 2:
        waveform += 10 ** ((_LEVEL_DB + BACKGROUND_DB) / 20) * pink_noise(len(waveform), rng)
    return Soundscape(waveform, tuple(sorted(events, key=lambda event: event.start_s)))


def sounding_part(clip: np.ndarray, sample_rate: int, seconds: float) -> np.ndarray:
    """Return a clip's sounding part of a given length, faded, at a fixed RMS.

    It is a little shorter than `seconds` where the clip pauses there.
    """
    sound = _trimmed(clip, sample_rate)
    n_samples = round(seconds * sample_rate)
    sound = _trimmed(np.resize(sound, n_samples), sample_rate)
    fade = np.minimum(1.0, (np.arange(len(sound)) + 1) / (_FADE_S * sample_rate))
    sound = sound * np.minimum(fade, fade[::-1])
    return (10 ** (_LEVEL_DB / 20) * sound / max(1e-9, np.sqrt(np.mean(sound**2)))).astype(np.float32)


def pink_noise(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return pink noise: equal power in every octave from 20 Hz, RMS 1."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), n_samples / 2_205)), n_samples)
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)


def _trimmed(sound: np.ndarray, sample_rate: int) -> np.ndarray:
    frame = round(_FRAME_S * sample_rate)
    padded = np.pad(sound, (0, -len(sound) % frame))
    power = np.square(padded, dtype=np.float64).reshape(-1, frame).mean(axis=1)
    loud = np.flatnonzero(power >= power.max() * 10 ** (_TRIM_DB / 10))
    return sound[loud[0] * frame : (loud[-1] + 1) * frame]
