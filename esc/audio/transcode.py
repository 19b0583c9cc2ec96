"""Decoding in a worker process, safe from hostile and broken files.

    python -m esc.audio.transcode SOURCE TARGET.f32 [--playable COPY.flac] [--name NAME]

writes the mono waveform as raw float32 at the file's own rate and prints the fields of `Decoded` as `esc.audio.sandbox` says:
`decode` and `main` run in the worker, `decode_in_worker` is what the server calls.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile
import soxr

from esc.audio.facts import AudioFacts
from esc.audio.io import MAX_SECONDS, open_blocks
from esc.audio.sandbox import detect_full_disk, limit_memory, reply, run_in_worker
from esc.errors import AudioError

PLAYABLE = MappingProxyType(  # container: (codecs, suffixes with the right media type)
    {
        "wav": (("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"), (".wav", ".wave")),
        "flac": (("flac",), (".flac",)),
        "mp3": (("mp3float", "mp3"), (".mp3",)),
        "mov": (("aac",), (".m4a", ".mp4")),
    }
)
_CONTAINERS = MappingProxyType({"mov": "MP4", "matroska": "Matroska"})
_BROWSER_RATES = 8_000, 192_000
_LOW_COPY_RATE = 48_000
_FLAC_ANY_RATE = 65_536  # Hz; from here on FLAC can store only multiples of ten


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decoded:
    """Properties of a decoded file; the final fields of `AudioFacts`.

    Attributes
    ----------
    sample_rate : int
        Hz, as in the file and in the decoded samples.
    channels : int
    container, codec : str
        As the decoder names them.
    n_samples : int
        Samples of the mono waveform.
    peak, rms : float
        Largest absolute sample of all channels, root mean square of the mono waveform; 1.0 is full scale.
    notes : tuple of str
        As of `AudioFacts`.
    silent : bool
        As `esc.audio.is_silent` of the mono waveform.
    metadata : dict
        As of `AudioFacts`.
    copied : bool
        A copy was written, since some browsers may not play or seek the original.
    """

    sample_rate: int
    channels: int
    container: str
    codec: str
    n_samples: int
    peak: float
    rms: float
    notes: tuple[str, ...] = ()
    silent: bool
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    copied: bool

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    @property
    def format(self) -> str:
        """Container and codec by common names, such as "WAV PCM 16 bit"."""
        container, codec = _CONTAINERS.get(self.container, self.container.upper()), self.codec
        if pcm := re.match(r"pcm_([suf])(\d+)", codec):
            return f"{container} PCM {pcm[2]} bit{' float' if pcm[1] == 'f' else ''}"
        codec = codec.removesuffix("float").replace("_", " ")  # FFmpeg's decoder of MP3 is "mp3float"
        return container if codec.upper() == container else f"{container} {codec}"


def plays_in_browsers(path: str | os.PathLike, facts: AudioFacts) -> bool:
    """Return whether every current browser plays and seeks the file under its suffix.

    Whether the file is `steady` may be known only when it is decoded.
    """
    codecs, suffixes = PLAYABLE.get(facts.container, ((), ()))
    return (
        _copy_rate(facts) == facts.sample_rate
        and facts.steady
        and facts.codec in codecs
        and Path(path).suffix.lower() in suffixes
    )


def decode(
    source: str | os.PathLike,
    target: str | os.PathLike,
    playable: str | os.PathLike | None = None,
    name: str | None = None,
    max_bytes: int | None = None,
) -> Decoded:
    """Write a file's mono waveform to `target` as raw float32 and return its properties.

    Works block by block: memory does not grow with the sound. An error may leave unfinished files behind.

    Parameters
    ----------
    source : path
        Any file for `esc.audio.open_audio`.
    target : path
        Overwritten.
    playable : path, optional
        Path of the copy for browsers (FLAC, 16 bit; more than two channels are averaged), if needed.
    name : str, optional
        The file's name in messages.
    max_bytes : int, optional
        Space for both files.

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does; "audio.disk_full" with `needed_bytes` beyond `max_bytes`; `known` if they are not a guess.
    OSError
        The disk is full.
    """
    facts, blocks = open_blocks(source, name)
    copied = playable is not None and not plays_in_browsers(source, facts)
    _write(facts, blocks, target, playable if copied else None, _DiskBudget(name, max_bytes))
    if playable is not None and not copied and not plays_in_browsers(source, facts):
        copied = True
        again, blocks = open_blocks(source, name)
        _write(again, blocks, None, playable, _DiskBudget(name, max_bytes, 4 * facts.n_samples))
    counted = [field.name for field in dataclasses.fields(Decoded) if field.name != "copied"]
    return Decoded(**{name: getattr(facts, name) for name in counted}, copied=copied)


@dataclasses.dataclass(frozen=True)
class _DiskBudget:
    """Space for the files of a sound."""

    name: str | None
    max_bytes: int | None
    taken: int = 0

    def check(self, n_bytes: int, ahead: int = 1) -> None:
        """Raise AudioError if another `n_bytes` are too many."""
        needed = self.taken + n_bytes
        if self.max_bytes is not None and needed > self.max_bytes:
            raise AudioError("audio.disk_full", name=self.name, needed_bytes=ahead * needed, known=ahead == 1)


def _write(
    facts: AudioFacts,
    blocks: Iterator[tuple[np.ndarray, np.ndarray]],
    target: str | os.PathLike | None,
    copy_path: str | os.PathLike | None,
    budget: _DiskBudget,
) -> None:
    """Write blocks as raw float32 to `target` and as FLAC to `copy_path`, where given."""
    sample_bytes = (4 if target else 0) + (2 * min(facts.channels, 2) if copy_path else 0)
    budget.check(int(min(facts.announced_s, MAX_SECONDS) * facts.sample_rate) * sample_bytes)
    with ExitStack() as stack:
        samples = stack.enter_context(open(target, "wb")) if target else None
        if copy_path:
            stack.enter_context(detect_full_disk(copy_path))
        copy = None
        for channels, mono in blocks:
            budget.check(facts.n_samples * sample_bytes, ahead=2)
            if samples:
                samples.write(mono.tobytes())  # `tofile` would hide the system's error
            if copy_path:
                audible = channels if len(channels) <= 2 else mono[None]
                copy = copy or stack.enter_context(_Copy(copy_path, facts, len(audible)))
                copy.write(audible.T)


def decode_in_worker(
    source: Path, target: Path, playable: Path, name: str, timeout_s: float, max_bytes: int | None = None
) -> Decoded:
    """Return the result of `decode` in a worker process; raises as `run_in_worker` does."""
    options = [f"--playable={playable.absolute()}", f"--name={name}"]
    options += [] if max_bytes is None else [f"--max-bytes={max_bytes}"]
    arguments = [*options, "--", str(source.absolute()), str(target.absolute())]
    result = run_in_worker("esc.audio.transcode", arguments, name, timeout_s)
    return Decoded(**result | {"notes": tuple(result["notes"])})


def main(arguments: list[str] | None = None) -> int:
    """Command line: decode a file, print one line of JSON, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m esc.audio.transcode", description="Decode a sound to raw float32.")
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("target", metavar="TARGET.f32")
    parser.add_argument("--playable", metavar="COPY.flac", help="path of a copy, if browsers can't play SOURCE")
    parser.add_argument("--name", help="the file's name in messages")
    parser.add_argument("--max-bytes", type=int, help="space for both files")
    given = parser.parse_args(arguments)
    return reply(lambda: dataclasses.asdict(decode(given.source, given.target, given.playable, given.name, given.max_bytes)))


def _copy_rate(facts: AudioFacts) -> int:
    """Return the rate at which all browsers play a sound."""
    low, high = _BROWSER_RATES  # the highest one keeps ultrasound for slow playback
    return min(facts.sample_rate, high) if facts.sample_rate >= low else _LOW_COPY_RATE


class _Copy:
    """A FLAC file for browsers."""

    def __init__(self, path: str | os.PathLike, facts: AudioFacts, channels: int) -> None:
        rate = _copy_rate(facts)
        self._resampler = None
        if rate != facts.sample_rate:
            self._resampler = soxr.ResampleStream(facts.sample_rate, rate, channels, dtype="float32", quality="HQ")
        # rounding such a rate to tens changes it by less than 0.01 %, inaudibly
        named_rate = rate if rate < _FLAC_ANY_RATE else round(rate, -1)
        self._channels = channels
        self._file = soundfile.SoundFile(str(path), "w", named_rate, channels, "PCM_16", format="FLAC")

    def __enter__(self) -> _Copy:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        with self._file:
            if self._resampler and kind is None:
                self._file.write(self._resampler.resample_chunk(np.zeros((0, self._channels), np.float32), last=True))

    def write(self, samples: np.ndarray) -> None:
        """Write samples `(n, channels)`."""
        self._file.write(self._resampler.resample_chunk(np.ascontiguousarray(samples)) if self._resampler else samples)


if __name__ == "__main__":
    limit_memory()
    sys.exit(main())
