"""Distortions of real recordings: sample rates, noise, reverberation, clipping, gain, codecs, background sounds.

Every function takes and returns a mono float32 waveform `(n_samples,)` of the same length. All randomness comes from the
generator passed in.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import soundfile
from scipy.fft import irfft, next_fast_len, rfft

from esc.audio.resampling import resample

CODECS = ("mp3", "vorbis", "opus")
_FORMATS = {"mp3": ("MP3", "MPEG_LAYER_III"), "vorbis": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS")}
_OPUS_RATE = 48_000
_MOST_MP3 = 0.999  # 32 kbit/s; libsndfile rejects 1.0
_DECAY = np.log(1e6) / 2.0  # of the amplitude over RT60, a decay of 60 dB
_TINY = 1e-12


def lower_sample_rate(waveform: np.ndarray, sample_rate: int, lower_rate: int) -> np.ndarray:
    """Return a waveform resampled to a lower rate and back.

    Parameters
    ----------
    waveform : float32 array, shape (n_samples,)
    sample_rate, lower_rate : int
        Hz; 16,000 is wideband speech, 8,000 a telephone.
    """
    return _fit_length(resample(resample(waveform, sample_rate, lower_rate), lower_rate, sample_rate), len(waveform))


def band_pass(waveform: np.ndarray, sample_rate: int, low_hz: float, high_hz: float, db_per_octave: float) -> np.ndarray:
    """Return a waveform through a zero-phase band-pass with slopes of `db_per_octave` outside `low_hz` to `high_hz`."""
    freqs_hz = np.maximum(np.fft.rfftfreq(len(waveform), 1 / sample_rate), 1.0).astype(np.float32)
    octaves = np.maximum(0.0, np.log2(low_hz / freqs_hz)) + np.maximum(0.0, np.log2(freqs_hz / high_hz))
    return irfft(rfft(waveform) * 10 ** (-db_per_octave * octaves / 20), len(waveform)).astype(np.float32)


def colored_noise(n_samples: int, sample_rate: int, exponent: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise of mean power 1 and power density 1 / f ** exponent.

    0 is white, 1 pink, 2 brown.

    Below 20 Hz the density is constant.
    """
    noise = rng.standard_normal(n_samples, dtype=np.float32)
    if exponent:
        freqs_hz = np.maximum(np.fft.rfftfreq(n_samples, 1 / sample_rate), 20.0).astype(np.float32)
        noise = irfft(rfft(noise) * freqs_hz ** (-exponent / 2), n_samples)
    return noise / np.sqrt(mean_power(noise) + _TINY)


def add_noise(waveform: np.ndarray, sample_rate: int, snr_db: float, exponent: float, rng: np.random.Generator) -> np.ndarray:
    """Return a waveform with `colored_noise` at a signal-to-noise ratio, in dB over the whole waveform."""
    return mix_at_snr(waveform, colored_noise(len(waveform), sample_rate, exponent, rng), snr_db)


def mix_at_snr(waveform: np.ndarray, background: np.ndarray, snr_db: float) -> np.ndarray:
    """Return a waveform plus a background of the same length, scaled to `snr_db` below it.

    A silent waveform or background leaves the waveform unchanged.
    """
    signal, noise = mean_power(waveform), mean_power(background)
    if signal < _TINY or noise < _TINY:
        return waveform
    return (waveform + np.sqrt(signal / noise) * 10 ** (-snr_db / 20) * background).astype(np.float32)


def room_impulse_response(sample_rate: int, rt60_s: float, direct_db: float | None, rng: np.random.Generator) -> np.ndarray:
    """Return exponentially decaying noise of energy 1, a diffuse room's impulse response (Polack, 1988).

    Parameters
    ----------
    sample_rate : int
        Hz.
    rt60_s : float
        Reverberation time in seconds: a decay of 60 dB.
    direct_db : float, optional
        Direct-to-reverberant energy ratio in dB; None has no direct sound.
    rng : Generator

    Returns
    -------
    float32 array, shape (round(rt60_s * sample_rate),)
    """
    times_s = np.arange(round(rt60_s * sample_rate), dtype=np.float32) / sample_rate
    response = rng.standard_normal(len(times_s), dtype=np.float32) * np.exp(-_DECAY * times_s / rt60_s)
    response /= np.sqrt((response**2).sum())
    if direct_db is None:
        return response
    response[0] = 10 ** (direct_db / 20)
    return response / np.sqrt((response**2).sum())


def reverberate(
    waveform: np.ndarray, sample_rate: int, rt60_s: float, direct_db: float | None, rng: np.random.Generator
) -> np.ndarray:
    """Return a waveform convolved with a `room_impulse_response`, cut to its length."""
    response = room_impulse_response(sample_rate, rt60_s, direct_db, rng)
    size = next_fast_len(len(waveform) + len(response) - 1, real=True)
    return irfft(rfft(waveform, size) * rfft(response, size), size)[: len(waveform)].astype(np.float32)


def clip_peaks(waveform: np.ndarray, over_db: float) -> np.ndarray:
    """Return a waveform clipped `over_db` below its peak."""
    limit = np.abs(waveform).max(initial=0.0) * 10 ** (-over_db / 20)
    return np.clip(waveform, -limit, limit)


def amplify(waveform: np.ndarray, gain_db: float, bits: int | None = None) -> np.ndarray:
    """Return a waveform with a gain in dB, quantized to `bits` bits if given."""
    amplified = waveform * np.float32(10 ** (gain_db / 20))
    if bits is None:
        return amplified
    steps = np.float32(2 ** (bits - 1))
    return np.clip(np.round(amplified * steps), -steps, steps - 1) / steps


def encode(waveform: np.ndarray, sample_rate: int, codec: str, compression: float) -> np.ndarray:
    """Return a waveform after encoding and decoding.

    Parameters
    ----------
    waveform : float32 array, shape (n_samples,)
    sample_rate : int
        Hz.
    codec : str
        One of `CODECS`.
    compression : float
        0 (highest bit rate) to 1 (lowest): at 44.1 kHz about 32 kbit/s of MP3, 6 of Opus, 57 of Vorbis for white noise.
    """
    rate = _OPUS_RATE if codec == "opus" else sample_rate
    scale = max(1.0, float(np.abs(waveform).max(initial=0.0)))  # codecs clip at full scale
    file_format, subtype = _FORMATS[codec]
    settings: dict[str, Any] = {"compression_level": compression}
    if codec == "mp3":
        settings = {"compression_level": min(compression, _MOST_MP3), "bitrate_mode": "CONSTANT"}
    encoded = io.BytesIO()
    soundfile.write(encoded, resample(waveform / scale, sample_rate, rate), rate, format=file_format, subtype=subtype, **settings)
    encoded.seek(0)
    decoded, _ = soundfile.read(encoded, dtype="float32")
    return _fit_length(scale * resample(decoded, rate, sample_rate), len(waveform))


def delay(waveform: np.ndarray, n_samples: int) -> np.ndarray:
    """Return a waveform after `n_samples` samples of silence, cut to its length."""
    return np.concatenate([np.zeros(n_samples, np.float32), waveform])[: len(waveform)]


def loudest_excerpt(waveform: np.ndarray, n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n_samples` samples around the loudest 1/200 of a waveform, with a random onset."""
    block = max(1, len(waveform) // 200)
    blocks = waveform[: len(waveform) // block * block].reshape(-1, block)
    loudest = block * int((blocks**2).sum(axis=1).argmax()) + block // 2
    low, high = max(0, loudest - n_samples + block), min(len(waveform) - n_samples, max(0, loudest - block))
    start = int(rng.integers(min(low, high), max(low, high) + 1))
    return waveform[start : start + n_samples]


def mean_power(waveform: np.ndarray) -> float:
    """Return the mean square of a waveform."""
    return float(np.mean(np.square(waveform), dtype=np.float64))


def _fit_length(waveform: np.ndarray, n_samples: int) -> np.ndarray:
    return np.pad(waveform, (0, max(0, n_samples - len(waveform))))[:n_samples].astype(np.float32, copy=False)
