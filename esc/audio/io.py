"""Decoding of sound files to float32 waveforms."""

from __future__ import annotations

import os
from collections.abc import Iterator
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from esc.audio.channels import MEAN, check_channel, check_in_file, check_track, select_channel, split_track
from esc.audio.facts import AudioFacts, integer_scale
from esc.audio.resampling import ResampledBlocks
from esc.audio.waveform import MIN_SAMPLES
from esc.config import SAMPLE_RATES
from esc.errors import AudioError, check_range
from esc.paths import display_path

if TYPE_CHECKING:
    from esc.audio.decoders.ffmpeg import JoinedTracks, SndfileTrack, Track

MAX_BYTES = 500 * 10**6
MAX_SECONDS = 2 * 3600.0
ACCEPTED = "WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, AAC, WebM, MP4, MKA"
MAX_PEAK = 1e6  # times full scale: beyond it samples are no sound
FULL_SCALES = (1.0, 2.0**31)  # of integers up to 32 bits, stored as floats
TIME_EXPANSIONS = (1.0, 100.0)
MAX_WAVEFORM_BYTES = 2**31  # of an array: two hours at 74 kHz


def load_audio(
    path: str | os.PathLike,
    sample_rate: int | None = None,
    channel: str | int = MEAN,
    full_scale: float = 1.0,
    time_expansion: float = 1.0,
) -> tuple[np.ndarray, int]:
    """Return a file's sound as a mono waveform, and its sample rate.

    By default channels are averaged; the result is resampled by soxr's high quality, both as `librosa.load` does.

    Parameters
    ----------
    path : str or path
        WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, AAC, WebM, MP4, MKA and what else FFmpeg's libraries and libsndfile read.
    sample_rate : int, optional
        Hz to resample to; the file's own rate where it is left out.
    channel : str or int
        As for `esc.audio.channels.check_channel`: "mean", "left", "right", "mid", "side", or a number from 1; of the second
        sound track "2:mean" and so on.
    full_scale : float
        Sample value that becomes 1: 32768 where integers of 16 bits were stored as floats.
    time_expansion : float
        Factor from 1 to 100 by which a recorder slowed the sound down, as bat detectors do: times are divided and frequencies
        multiplied by it.

    Returns
    -------
    waveform : float32 array, shape (n_samples,)
        Nominally in [-1, 1]; single samples that are not finite become 0.
    sample_rate : int
        Hz.

    Raises
    ------
    AudioError
        The file is missing, empty, unreadable, too large, too long, at an unusual rate, lacks the track or channel, holds no
        finite sample, or the waveform would take more than `MAX_WAVEFORM_BYTES`.
    ParameterError
        `sample_rate` is no whole number from 1,000 to 768,000, `channel` names none, `full_scale` is below 1, or
        `time_expansion` is not from 1 to 100.
    """
    if sample_rate is not None:
        check_range("sample_rate", sample_rate, *SAMPLE_RATES, Integral)
    facts, blocks = open_audio(path, None, channel, full_scale, time_expansion)
    rate = sample_rate or facts.sample_rate
    name = Path(path).name
    if facts.codec.startswith("pcm"):
        check_memory(name, int(4 * facts.announced_s / time_expansion * rate), rate)
    waveform = bytearray()  # grows without a second copy
    try:
        for block in ResampledBlocks(blocks, facts.sample_rate, rate):
            waveform += block.data
            check_memory(name, len(waveform), rate)
    except MemoryError:
        waveform.clear()
        check_memory(name, MAX_WAVEFORM_BYTES + 1, rate)
    return np.frombuffer(waveform, np.float32), rate


def open_audio(
    path: str | os.PathLike,
    name: str | None = None,
    channel: str | int = MEAN,
    full_scale: float = 1.0,
    time_expansion: float = 1.0,
) -> tuple[AudioFacts, Iterator[np.ndarray]]:
    """Return a file's facts, updated during reading, and a channel's float32 blocks.

    Errors of the container are raised at once, those of the content while the blocks are read. Messages call the file
    `name`.
    """
    facts, blocks = open_blocks(path, name, channel, full_scale, time_expansion)
    return facts, (mono for _, mono in blocks)


def open_blocks(
    path: str | os.PathLike,
    name: str | None = None,
    channel: str | int = MEAN,
    full_scale: float = 1.0,
    time_expansion: float = 1.0,
) -> tuple[AudioFacts, Iterator[tuple[np.ndarray, np.ndarray]]]:
    """Return facts and blocks as `open_audio`, each as `(channels, n)` and as mono."""
    path, channel = Path(path), check_channel(channel)
    check_range("full_scale", full_scale, *FULL_SCALES, Real)
    check_range("time_expansion", time_expansion, *TIME_EXPANSIONS, Real)
    name = name or path.name
    if not path.is_file():
        raise AudioError("audio.missing", name=name)
    if (size := path.stat().st_size) == 0:
        raise AudioError("audio.empty", name=name)
    if size > MAX_BYTES:
        raise AudioError("audio.too_big", name=name, megabytes=size / 1e6, limit_mb=MAX_BYTES / 1e6)
    source = _open(path, name, channel)
    facts = source.facts
    facts.full_scale, facts.time_expansion = float(full_scale), float(time_expansion)
    facts.channel = _check_limits(source, name, channel)
    return facts, _checked(source.blocks(), facts, name)


def _open(path: Path, name: str, channel: str) -> Track | JoinedTracks | SndfileTrack:
    import av  # takes its time to load

    from esc.audio.decoders.ffmpeg import open_track

    try:
        return open_track(path, split_track(channel)[0])
    except LookupError as error:
        raise AudioError("audio.no_track", name=name, accepted=ACCEPTED) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _unreadable(name, error) from error


def _check_limits(source: Track | JoinedTracks | SndfileTrack, name: str, channel: str) -> str:
    """Return the channel as `check_track` does; close what is refused."""
    facts, (low, high) = source.facts, SAMPLE_RATES
    # of compressed sounds the announced length may be wrong by hours: they are counted
    seconds = facts.announced_s if facts.codec.startswith("pcm") else 0.0
    if seconds <= MAX_SECONDS and low <= facts.sample_rate <= high:
        try:
            channel = check_track(channel, facts.tracks, facts.default_track, name)
            check_in_file(channel, facts.channels, facts.tracks, facts.default_track, name)
            return channel
        except AudioError:
            source.close()
            raise
    source.close()
    if seconds > MAX_SECONDS:
        raise _too_long(name, seconds)
    rates = {"rate": facts.file_rate, "low": low, "high": high}
    if facts.time_expansion == 1.0:
        raise AudioError("audio.rate", name=name, **rates)
    factor = f"{facts.time_expansion:g}"
    raise AudioError("audio.expanded_rate", name=name, factor=factor, expanded=facts.sample_rate, **rates)


def _checked(blocks: Iterator[np.ndarray], facts: AudioFacts, name: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield finite `(channels, n)` blocks and mono ones; count samples and check the limits."""
    limit = int(MAX_SECONDS * facts.file_rate)
    for block in blocks:
        block = block if facts.full_scale == 1.0 else block / np.float32(facts.full_scale)
        good = np.isfinite(block)
        finite = int(np.count_nonzero(good))
        if finite < block.size:
            block = np.where(good, block, np.float32(0.0))
        mono = select_channel(block, facts.channel)
        facts.count(block, mono, finite)
        if facts.peak > MAX_PEAK:
            integers = facts.full_scale == 1.0 and integer_scale(facts.peak)
            raise AudioError("audio.integers" if integers else "audio.scale", name=name, peak=f"{facts.peak:.1e}")
        if facts.n_samples > limit:
            raise _too_long(name, facts.n_samples / facts.file_rate)
        yield block, mono
    if facts.n_samples == 0:
        raise AudioError("audio.no_samples", name=name)
    if facts.finite == 0:
        raise AudioError("audio.not_finite", name=name, seconds=facts.seconds * facts.time_expansion)
    if facts.n_samples < MIN_SAMPLES:
        raise AudioError("audio.too_short", name=name, samples=facts.n_samples, least=MIN_SAMPLES)


def _unreadable(name: str, error: Exception) -> AudioError:
    reason = getattr(error, "strerror", None) or str(error)
    return AudioError("audio.unreadable", name=name, reason=reason.rstrip("."), accepted=ACCEPTED)


def check_memory(name: str, n_bytes: int, rate: int) -> None:
    """Raise AudioError if a waveform takes more than `MAX_WAVEFORM_BYTES`."""
    if n_bytes > MAX_WAVEFORM_BYTES:
        raise AudioError("audio.memory", name=name, rate=rate, limit_mb=MAX_WAVEFORM_BYTES / 1e6)


def _too_long(name: str, seconds: float) -> AudioError:
    return AudioError("audio.too_long", name=name, minutes=seconds / 60, limit_minutes=MAX_SECONDS / 60)


def load_start(path: Path, seconds: float) -> tuple[np.ndarray, int]:
    """Return at least the first `seconds` of a file and its sample rate."""
    try:
        facts, blocks = open_audio(path, display_path(path))
        kept, missing = [], int(seconds * facts.sample_rate) + 1
        for block in blocks:
            kept.append(block)
            missing -= len(block)
            if missing <= 0:
                break
    except OSError as error:
        raise _unreadable(display_path(path), error) from error
    return np.concatenate(kept), facts.sample_rate
