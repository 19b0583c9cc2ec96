"""Reading audio files and resampling."""

from esc.audio.io import load_audio, open_audio
from esc.audio.waveform import fit_clip, resample

__all__ = ["fit_clip", "load_audio", "open_audio", "resample"]
