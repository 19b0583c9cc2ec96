"""Sounds with known properties, and writers that put them into every container the library claims to read."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
from scipy.signal import chirp


def tone(freq_hz: float = 440.0, seconds: float = 1.0, sample_rate: int = 44_100, amplitude: float = 0.5) -> np.ndarray:
    """Return a sine, float32 (n_samples,)."""
    times_s = np.arange(round(seconds * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * freq_hz * times_s)).astype(np.float32)


def sweep(seconds: float = 1.0, sample_rate: int = 44_100, amplitude: float = 0.5) -> np.ndarray:
    """Return a logarithmic sweep from 40 Hz to just below the highest frequency there is, float32 (n_samples,)."""
    times_s = np.arange(round(seconds * sample_rate)) / sample_rate
    return (amplitude * chirp(times_s, 40.0, seconds, 0.48 * sample_rate, method="logarithmic")).astype(np.float32)


def busy(seconds: float = 1.0, sample_rate: int = 44_100, seed: int = 0) -> np.ndarray:
    """Return noise that fades by 90 dB, over it three tones, a sweep and a click, and then silence: 80 dB and more are filled."""
    rng = np.random.default_rng(seed)
    n_samples = round(seconds * sample_rate)
    waveform = 0.1 * rng.standard_normal(n_samples) * np.logspace(0, -4.5, n_samples)
    quarter = n_samples // 4
    for freq_hz, amplitude in ((220.0, 0.3), (1_000.0, 0.1), (3_000.0, 0.03)):
        waveform[:quarter] += tone(freq_hz, seconds, sample_rate, amplitude)[:quarter]
    waveform[quarter : 2 * quarter] += sweep(seconds, sample_rate, 0.2)[:quarter]
    waveform[n_samples // 2] += 0.9
    waveform[-n_samples // 8 :] = 0.0
    return waveform.astype(np.float32)


def in_channels(waveform: np.ndarray, channels: int) -> np.ndarray:
    """Return `(n_samples, channels)`: the waveform in each channel, a little quieter from one to the next."""
    gains = np.linspace(1.0, 0.5, channels)
    return (waveform[:, None] * gains).astype(np.float32)


def write(path: Path, samples: np.ndarray, sample_rate: int, subtype: str | None = None) -> Path:
    """Write by libsndfile; the container follows the path's ending."""
    soundfile.write(str(path), samples, sample_rate, subtype=subtype, format="OGG" if path.suffix == ".opus" else None)
    return path


def write_slowed(path: Path, samples: np.ndarray, sample_rate: int) -> Path:
    """Write the WAV of a detector that slows sounds down ten times and says so."""
    guano = b"GUANO|Version: 1.0\nTE: 10\n\n"
    write(path, samples, sample_rate, "PCM_16")
    path.write_bytes(path.read_bytes() + b"guan" + len(guano).to_bytes(4, "little") + guano)
    return path


LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


def write_av(path: Path, samples: np.ndarray, sample_rate: int, codec: str, bit_rate: int = 192_000, video: bool = False) -> Path:
    """Write by FFmpeg's libraries, `(n_samples,)` or `(n_samples, channels)`; with a black picture where `video` is set."""
    samples = samples.reshape(len(samples), -1)
    with av.open(str(path), "w") as container:
        picture = _add_picture(container) if video else None
        sound = container.add_stream(codec, rate=sample_rate, layout=LAYOUTS[samples.shape[1]])
        sound.bit_rate = bit_rate
        if picture:
            _encode_picture(container, picture, len(samples) / sample_rate)
        fifo = av.AudioFifo()
        interleaved = np.ascontiguousarray(samples, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=sound.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, 0, Fraction(1, sample_rate)
        to_codec = av.AudioResampler(format=sound.codec_context.format, layout=sound.layout, rate=sample_rate)
        for part in to_codec.resample(frame) + to_codec.resample(None):
            fifo.write(part)
        while part := fifo.read(sound.codec_context.frame_size or 1024, partial=True):
            container.mux(sound.encode(part))
        container.mux(sound.encode(None))
    return path


def write_tracks(path: Path, tracks: list[np.ndarray], sample_rate: int) -> Path:
    """Write an MP4 with a sound track for each `(n_samples,)` or `(n_samples, channels)`; the first one is the default."""
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("aac", rate=sample_rate, layout=LAYOUTS[samples[0].size]) for samples in tracks]
        for position in range(0, len(tracks[0]), 1024):
            for stream, samples in zip(streams, tracks, strict=True):
                part = np.ascontiguousarray(samples[position : position + 1024].reshape(-1, samples[0].size).T, np.float32)
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=stream.layout.name)
                frame.sample_rate, frame.time_base, frame.pts = sample_rate, Fraction(1, sample_rate), position
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


def write_silent_film(path: Path, seconds: float = 0.5) -> Path:
    """Write a video without an audio track."""
    with av.open(str(path), "w") as container:
        _encode_picture(container, _add_picture(container), seconds)
    return path


def _add_picture(container):
    webm = container.format.name in ("webm", "matroska,webm")
    stream = container.add_stream("libvpx" if webm else "mpeg4", rate=10)
    stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
    return stream


def _encode_picture(container, stream, seconds: float) -> None:
    for index in range(max(1, round(10 * seconds))):
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        frame.pts, frame.time_base = index, Fraction(1, 10)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
