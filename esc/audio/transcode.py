"""Decoding in a worker process, safe from hostile and broken files.

    python -m esc.audio.transcode SOURCE TARGET.f32 [--playable COPY.flac] [--channel left] [--name NAME] ...

writes a channel, by default the mean of all, as raw float32 at the file's own rate and prints the fields of `Decoded` as
`esc.audio.sandbox` says: `decode` and `main` run in the worker, `decode_in_worker` is what the server calls. With --slowed
it writes only a copy for browsers, see `write_slowed`.
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

from esc.audio.channels import MEAN, is_mean
from esc.audio.decoded_files import LOWEST_RATE, ChannelFile, DiskBudget, PlayableCopy, copy_rate
from esc.audio.facts import AS_IT_IS, AudioFacts, Reading
from esc.audio.io import MAX_SECONDS, open_blocks
from esc.audio.sandbox import (
    add_reading_options,
    detect_full_disk,
    given_reading,
    reading_options,
    reply,
    run_in_worker,
    run_job,
)
from esc.errors import AudioError

PLAYABLE = MappingProxyType(  # container: (codecs, suffixes with the right media type)
    {
        "wav": (("pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le"), (".wav", ".wave")),
        "flac": (("flac",), (".flac",)),
        "mp3": (("mp3float", "mp3"), (".mp3",)),
        "mov": (("aac",), (".m4a", ".mp4")),
    }
)
SLOWDOWN = 10  # as of bat detectors
MAX_SLOWED_BYTES = 500 * 10**6  # before compression
_CONTAINERS = MappingProxyType({"mov": "MP4", "matroska": "Matroska"})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decoded:
    """Properties of a decoded file; the final fields of `AudioFacts`.

    Attributes
    ----------
    sample_rate : int
        Hz, of the decoded samples: the file's, times `time_expansion`.
    channels : int
    container, codec : str
        As the decoder names them.
    n_samples : int
        Samples of the mono waveform.
    channel, full_scale, time_expansion
        As of `AudioFacts`; the channel is the waveform's.
    peak, rms : float
        Of `AudioFacts`: largest absolute sample, root mean square of the mono waveform; 1.0 is full scale.
    channel_rms : tuple of float
        Root mean square of each channel.
    notes : tuple of str
        As of `AudioFacts`.
    tracks, default_track : int
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
    channel: str = MEAN
    full_scale: float = 1.0
    time_expansion: float = 1.0
    peak: float
    rms: float
    channel_rms: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    tracks: int = 1
    default_track: int = 1
    silent: bool
    metadata: dict[str, str] = dataclasses.field(default_factory=dict)
    copied: bool

    @property
    def reading(self) -> Reading:
        """Options by which the file was read."""
        return Reading(self.channel, self.full_scale, self.time_expansion)

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
    playable = facts.time_expansion == 1.0 and copy_rate(facts.sample_rate) == facts.sample_rate
    return playable and facts.steady and facts.codec in codecs and Path(path).suffix.lower() in suffixes


def decode(
    source: str | os.PathLike,
    target: str | os.PathLike,
    playable: str | os.PathLike | None = None,
    name: str | None = None,
    max_bytes: int | None = None,
    how: Reading = AS_IT_IS,
) -> Decoded:
    """Write a file's mono waveform to `target` as raw float32 and return its properties.

    With the mean of several channels they are written, too, as raw float16 `(n_samples, channels)` to `channels_path(target)`,
    unless that exceeds `max_bytes`.

    Works block by block: memory does not grow with the sound. An error may leave unfinished files behind.

    Parameters
    ----------
    source : path
        Any file for `esc.audio.open_audio`.
    target : path
        Overwritten.
    playable : path, optional
        Path of the copy for browsers (FLAC, 16 bit; more than two channels are averaged), if needed: also for a single channel.
    name : str, optional
        The file's name in messages.
    max_bytes : int, optional
        Space for the files.
    how : Reading

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does; "audio.disk_full" with `needed_bytes` beyond `max_bytes`; `known` if they are not a guess.
    OSError
        The disk is full.
    """
    facts, blocks = open_blocks(source, name, *how)
    whole = is_mean(how.channel)
    copied = playable is not None and not (whole and how.full_scale == 1.0 and plays_in_browsers(source, facts))
    _write(facts, blocks, target, playable if copied else None, DiskBudget(name, max_bytes))
    if playable is not None and not copied and not plays_in_browsers(source, facts):
        copied = True
        again, blocks = open_blocks(source, name, *how)
        _write(again, blocks, None, playable, DiskBudget(name, max_bytes, 4 * facts.n_samples))
    counted = [field.name for field in dataclasses.fields(Decoded) if field.name != "copied"]
    return Decoded(**{name: getattr(facts, name) for name in counted}, copied=copied)


def channels_path(target: str | os.PathLike) -> Path:
    """Return where the samples of the channels lie that go with a mono waveform."""
    return Path(f"{os.fspath(target)}-channels")


def _write(
    facts: AudioFacts,
    blocks: Iterator[tuple[np.ndarray, np.ndarray]],
    target: str | os.PathLike | None,
    copy_path: str | os.PathLike | None,
    budget: DiskBudget,
) -> None:
    """Write blocks and their channels to `target`, and as FLAC to `copy_path`, where given."""
    audible = min(facts.channels, 2) if is_mean(facts.channel) else 1
    sample_bytes = (4 if target else 0) + (2 * audible if copy_path else 0)
    announced = int(min(facts.announced_s, MAX_SECONDS) * facts.file_rate)
    budget.check(announced * sample_bytes)
    with ExitStack() as stack:
        samples = stack.enter_context(open(target, "wb")) if target else None
        drawn = None
        if target and is_mean(facts.channel) and facts.channels > 1:
            drawn = stack.enter_context(ChannelFile(channels_path(target), facts, sample_bytes, budget, announced))
        if copy_path:
            stack.enter_context(detect_full_disk(copy_path))
        copy = None
        for channels, mono in blocks:
            budget.check(facts.n_samples * sample_bytes, ahead=2)
            if samples:
                samples.write(mono.tobytes())  # `tofile` would hide the system's error
            if drawn:
                drawn.write(channels)
            if copy_path:
                playable = _audible(facts, channels, mono)
                opened = copy_path, facts.sample_rate, copy_rate(facts.sample_rate), len(playable)
                copy = copy or stack.enter_context(PlayableCopy(*opened))
                copy.write(playable.T)


def _audible(facts: AudioFacts, channels: np.ndarray, mono: np.ndarray) -> np.ndarray:
    """Return the channels of a block that browsers play: at most two."""
    return channels if is_mean(facts.channel) and len(channels) <= 2 else mono[None]


def write_slowed(source: str | os.PathLike, target: str | os.PathLike, name: str | None = None, how: Reading = AS_IT_IS) -> None:
    """Write a copy for browsers that is `SLOWDOWN` times slower.

    It holds the sound's samples at a lower rate, so that frequencies fall as well; only rates below those of browsers are
    resampled.

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does; "audio.slowed_too_long" past `MAX_SLOWED_BYTES`.
    OSError
        The disk is full.
    """
    facts, blocks = open_blocks(source, name, *how)
    slow_rate = facts.sample_rate / SLOWDOWN
    rate = copy_rate(slow_rate, low_rate=LOWEST_RATE)
    with ExitStack() as stack:
        stack.enter_context(detect_full_disk(target))
        copy = None
        for channels, mono in blocks:
            playable = _audible(facts, channels, mono)
            limit_s = MAX_SLOWED_BYTES / (2 * len(playable) * rate)
            if facts.n_samples > limit_s * slow_rate:
                raise AudioError("audio.slowed_too_long", name=name or Path(source).name, minutes=limit_s / SLOWDOWN / 60)
            copy = copy or stack.enter_context(PlayableCopy(target, slow_rate, rate, len(playable)))
            copy.write(playable.T)


def write_slowed_in_worker(source: Path, target: Path, name: str, timeout_s: float, how: Reading) -> None:
    """Call `write_slowed` in a worker process; raises as `run_in_worker` does."""
    files = str(source.absolute()), str(target.absolute())
    arguments = ["--slowed", f"--name={name}", *reading_options(how), "--", *files]
    run_in_worker("esc.audio.transcode", arguments, name, timeout_s)


def decode_in_worker(
    source: Path, target: Path, playable: Path, name: str, timeout_s: float, max_bytes: int | None = None, how: Reading = AS_IT_IS
) -> Decoded:
    """Return the result of `decode` in a worker process; raises as `run_in_worker` does."""
    options = [f"--playable={playable.absolute()}", f"--name={name}", *reading_options(how)]
    options += [] if max_bytes is None else [f"--max-bytes={max_bytes}"]
    arguments = [*options, "--", str(source.absolute()), str(target.absolute())]
    result = run_in_worker("esc.audio.transcode", arguments, name, timeout_s)
    lists = {field: tuple(result[field]) for field in ("notes", "channel_rms")}
    return Decoded(**result | lists)


def main(arguments: list[str] | None = None) -> int:
    """Command line: decode a file, print one line of JSON, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m esc.audio.transcode", description="Decode a sound to raw float32.")
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("target", metavar="TARGET.f32")
    parser.add_argument("--slowed", action="store_true", help="write a slowed copy for browsers to TARGET, a FLAC file")
    parser.add_argument("--playable", metavar="COPY.flac", help="path of a copy, if browsers can't play SOURCE")
    parser.add_argument("--name", help="the file's name in messages")
    parser.add_argument("--max-bytes", type=int, help="space for the files")
    add_reading_options(parser)
    given = parser.parse_args(arguments)
    how = given_reading(given)
    if given.slowed:
        return reply(lambda: _slowed(given, how))
    chosen = given.source, given.target, given.playable, given.name, given.max_bytes, how
    return reply(lambda: dataclasses.asdict(decode(*chosen)))


def _slowed(given: argparse.Namespace, how: Reading) -> dict:
    write_slowed(given.source, given.target, given.name, how)
    return {}


if __name__ == "__main__":
    sys.exit(run_job(main))
