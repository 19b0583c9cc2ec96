"""Reading audio files and resampling."""

from esc.audio.io import load_audio, open_audio
from esc.audio.resampling import resample
from esc.audio.waveform import fit_clip

__all__ = ["fit_clip", "load_audio", "open_audio", "resample"]
