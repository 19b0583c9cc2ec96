"""Decoding of sound files to float32 waveforms."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from esc.audio.waveform import MIN_SAMPLES, SILENCE_PEAK, resample
from esc.config import SAMPLE_RATES
from esc.errors import AudioError
from esc.paths import display_path

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

MAX_BYTES = 500 * 10**6
MAX_SECONDS = 2 * 3600.0
ACCEPTED = "WAV, FLAC, OGG, Opus, MP3, AIFF, M4A, AAC, WebM, MP4, MKA"
_DEMUXERS = "aac,ac3,aiff,amr,asf,avi,caf,flac,flv,matroska,mov,mp3,mpegts,ogg,wav"  # no playlists: these open other files
_TOLERANCE_S, _PRIMING = 0.3, 4096  # s and samples that a codec's delay may take from the header's length
_BLOCK = 1 << 18  # samples per channel decoded at a time: 6 s at 44.1 kHz


@dataclass
class AudioFacts:
    """Facts about a file, completed while it is decoded.

    Attributes
    ----------
    sample_rate : int
        Hz, as in the file.
    channels : int
    container, codec : str
        As the decoder names them, for example "WAV" and "PCM_16".
    n_samples : int
    peak : float
        Largest absolute sample over all channels; 1.0 is full scale.
    cut_off : bool
        The file announces more sound than it holds.
    announced_s : float
        Length in the header, 0 if it names none.
    """

    sample_rate: int
    channels: int
    container: str
    codec: str
    n_samples: int = 0
    peak: float = 0.0
    cut_off: bool = False
    announced_s: float = field(default=0.0, repr=False)
    _low: float = field(default=np.inf, repr=False)
    _high: float = field(default=-np.inf, repr=False)
    _sum: float = field(default=0.0, repr=False)
    _squares: float = field(default=0.0, repr=False)
    _finite: int = field(default=0, repr=False)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    @property
    def rms(self) -> float:
        """Root mean square of the mono waveform."""
        return float(np.sqrt(self._squares / max(1, self.n_samples)))

    @property
    def silent(self) -> bool:
        """Whether no sample rises above -80 dBFS around the mean."""
        mean = self._sum / max(1, self.n_samples)
        return max(self._high - mean, mean - self._low) < SILENCE_PEAK

    def _count(self, block: np.ndarray, mono: np.ndarray, finite: int) -> None:
        self.n_samples += len(mono)
        self.peak = max(self.peak, float(np.abs(block).max(initial=0.0)))
        self._low = min(self._low, float(mono.min(initial=np.inf)))
        self._high = max(self._high, float(mono.max(initial=-np.inf)))
        self._sum += float(mono.sum(dtype=np.float64))
        self._squares += float(np.dot(mono, mono.astype(np.float64)))
        self._finite += finite


def load_audio(path: str | os.PathLike, sample_rate: int | None = None) -> tuple[np.ndarray, int]:
    """Return a file's sound as a mono waveform, and its sample rate.

    Channels are averaged and the result is resampled by soxr's high quality, both as `librosa.load` does.

    Parameters
    ----------
    path : str or path
        WAV, FLAC, OGG, Opus, MP3, AIFF (by libsndfile), M4A, AAC, WebM, MP4, MKA (by FFmpeg's libraries).
    sample_rate : int, optional
        Hz to resample to; the file's own rate where it is left out.

    Returns
    -------
    waveform : float32 array, shape (n_samples,)
        Nominally in [-1, 1]; single samples that are not finite become 0.
    sample_rate : int
        Hz.

    Raises
    ------
    AudioError
        The file is missing, empty, unreadable, too large, too long, at an unusual rate, or holds no finite sample.
    """
    facts, blocks = open_audio(path)
    waveform = np.concatenate([np.zeros(0, np.float32), *blocks])
    if sample_rate is None or sample_rate == facts.sample_rate:
        return waveform, facts.sample_rate
    return resample(waveform, facts.sample_rate, sample_rate), sample_rate


def open_audio(path: str | os.PathLike, name: str | None = None) -> tuple[AudioFacts, Iterator[np.ndarray]]:
    """Return a file's facts, updated while it is read, and its mono float32 blocks.

    Errors of the container are raised at once, those of the content while the blocks are read. Messages call the file
    `name`.
    """
    facts, blocks = open_blocks(path, name)
    return facts, (mono for _, mono in blocks)


def open_blocks(path: str | os.PathLike, name: str | None = None) -> tuple[AudioFacts, Iterator[tuple[np.ndarray, np.ndarray]]]:
    """Return facts and blocks as `open_audio`, each as `(channels, n)` and as mono."""
    path = Path(path)
    name = name or path.name
    if not path.is_file():
        raise AudioError("audio.missing", name=name)
    if (size := path.stat().st_size) == 0:
        raise AudioError("audio.empty", name=name)
    if size > MAX_BYTES:
        raise AudioError("audio.too_big", name=name, megabytes=size / 1e6, limit_mb=MAX_BYTES / 1e6)
    try:
        source = soundfile.SoundFile(str(path))
    except (soundfile.LibsndfileError, TypeError):  # a TypeError for names that end in .raw
        facts, blocks = _open_av(path, name)
    else:
        if source.format == "OGG" and source.frames == 0:  # its last page is missing, which FFmpeg does not mind
            source.close()
            facts, blocks = _open_av(path, name)
            facts.cut_off = True
        else:
            facts, blocks = _open_soundfile(source, name)
            facts.cut_off |= source.format == "OGG" and not _ogg_ends(path)
    return facts, _checked(blocks, facts, name)


def _check_limits(source: soundfile.SoundFile | InputContainer, name: str, rate: int, seconds: float) -> None:
    """Close a file of a rate or length beyond the limits and raise AudioError."""
    low, high = SAMPLE_RATES
    if seconds <= MAX_SECONDS and low <= rate <= high:
        return
    source.close()
    raise (
        _too_long(name, seconds) if seconds > MAX_SECONDS else AudioError("audio.rate", name=name, rate=rate, low=low, high=high)
    )


def _checked(blocks: Iterator[np.ndarray], facts: AudioFacts, name: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield finite `(channels, n)` blocks, each with its downmix; count samples and check the limits."""
    limit = int(MAX_SECONDS * facts.sample_rate)
    for block in blocks:
        good = np.isfinite(block)
        finite = int(good.sum())
        if finite < block.size:
            block = np.where(good, block, np.float32(0.0))
        mono = block[0] if len(block) == 1 else block.mean(axis=0, dtype=np.float64).astype(np.float32)
        facts._count(block, mono, finite)
        if facts.n_samples > limit:
            raise _too_long(name, facts.seconds)
        yield block, mono
    facts.cut_off |= facts.announced_s - facts.seconds > _TOLERANCE_S + _PRIMING / facts.sample_rate
    if facts.n_samples == 0:
        raise AudioError("audio.no_samples", name=name)
    if facts._finite == 0:
        raise AudioError("audio.not_finite", name=name)
    if facts.n_samples < MIN_SAMPLES:
        raise AudioError("audio.too_short", name=name, samples=facts.n_samples, least=MIN_SAMPLES)


def _open_soundfile(source: soundfile.SoundFile, name: str) -> tuple[AudioFacts, Iterator[np.ndarray]]:
    facts = AudioFacts(source.samplerate, source.channels, source.format, source.subtype)
    facts.announced_s = source.frames / source.samplerate if source.frames < 2**62 else 0.0  # 2**63 - 1: length unknown
    _check_limits(source, name, source.samplerate, facts.announced_s)
    # libsndfile trims a WAV's length to what the file holds and says so only in its log
    log = source.extra_info.splitlines()
    facts.cut_off = any(line.strip().startswith(("data", "SSND")) and "(should be" in line for line in log)

    def blocks() -> Iterator[np.ndarray]:
        damaged = False
        with source:
            while not damaged:
                buffer = np.zeros((_BLOCK, source.channels), np.float32)
                try:
                    block = source.read(out=buffer)
                except soundfile.LibsndfileError as error:
                    block = buffer[: max(0, source.tell() - facts.n_samples)]  # keep what precedes the damage
                    if facts.n_samples + len(block) == 0:
                        raise _unreadable(name, error) from error
                    facts.cut_off = damaged = True
                if len(block) == 0:
                    return
                yield np.ascontiguousarray(block.T)

    return facts, blocks()


def _open_av(path: Path, name: str) -> tuple[AudioFacts, Iterator[np.ndarray]]:
    import av  # only where libsndfile can't: FFmpeg's libraries take their time to load

    try:
        container = av.open(str(path), options={"format_whitelist": _DEMUXERS, "protocol_whitelist": "file"})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise _unreadable(name, error) from error
    if not container.streams.audio:
        container.close()
        raise AudioError("audio.no_track", name=name, accepted=ACCEPTED)
    stream = container.streams.audio[0]
    codec = stream.codec_context  # None for a codec that FFmpeg does not know
    rate, channels = (codec.sample_rate, codec.channels) if codec else (0, 0)
    if not rate or not channels:
        container.close()
        raise _unreadable(name, ValueError("no sample rate"))
    seconds = (container.duration or 0) / av.time_base
    _check_limits(container, name, rate, seconds)
    facts = AudioFacts(rate, channels, container.format.name.split(",")[0], codec.name)
    if facts.container != "aac":  # a bare stream has no header: its length is a guess
        facts.announced_s = seconds

    def blocks() -> Iterator[np.ndarray]:
        to_float = av.AudioResampler(format="flt")  # interleaved: PyAV reads past the end of a frame of 8 planes
        with container:
            try:
                for frame in container.decode(stream):
                    yield from map(_deinterleaved, to_float.resample(frame))
                yield from map(_deinterleaved, to_float.resample(None))
            except (av.FFmpegError, ValueError) as error:
                if facts.n_samples == 0:
                    raise _unreadable(name, error) from error
                facts.cut_off = True

    return facts, _gathered(blocks(), _BLOCK)


def _ogg_ends(path: Path) -> bool:
    """Return whether an Ogg stream ends with a page marked as the last (RFC 3533)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65_307))  # the largest page
        tail = file.read()
    page = tail.rfind(b"OggS")
    return page >= 0 and len(tail) > page + 5 and bool(tail[page + 5] & 4)


def _deinterleaved(frame: av.AudioFrame) -> np.ndarray:
    return np.ascontiguousarray(frame.to_ndarray().reshape(-1, frame.layout.nb_channels).T)


def _gathered(blocks: Iterator[np.ndarray], least: int) -> Iterator[np.ndarray]:
    """Join a codec's small frames into blocks of at least `least` samples."""
    waiting: list[np.ndarray] = []
    for block in blocks:
        waiting.append(block)
        if sum(part.shape[1] for part in waiting) >= least:
            yield np.concatenate(waiting, axis=1)
            waiting = []
    if waiting:
        yield np.concatenate(waiting, axis=1)


def _unreadable(name: str, error: Exception) -> AudioError:
    reason = getattr(error, "strerror", None) or str(error)
    return AudioError("audio.unreadable", name=name, reason=reason.rstrip("."), accepted=ACCEPTED)


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
