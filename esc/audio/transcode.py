"""Decoding in a subprocess, so that a malformed file cannot exhaust memory or crash the server.

    python -m esc.audio.transcode SOURCE TARGET.f32 [--playable COPY.flac] [--name NAME]

writes the mono waveform as raw float32 at the file's own rate and prints the fields of `Decoded` as `esc.audio.sandbox` says:
`decode` and `main` run in the worker, `decode_in_worker` is what the server calls.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile

from esc.audio.io import MAX_SECONDS, AudioFacts, open_blocks
from esc.audio.sandbox import detect_full_disk, limit_memory, reply, run_in_worker
from esc.errors import AudioError

PLAYABLE = MappingProxyType(  # container: (codecs, endings by which a web server names the type rightly)
    {
        "WAV": (("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"), (".wav", ".wave")),
        "WAVEX": (("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"), (".wav", ".wave")),
        "FLAC": (("PCM_S8", "PCM_16", "PCM_24"), (".flac",)),
        "MP3": (("MPEG_LAYER_III",), (".mp3",)),
        "mov": (("aac",), (".m4a", ".mp4")),
    }
)
_FLAC_ANY_RATE = 65_536  # Hz; from here on a FLAC stream can name only multiples of ten


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decoded:
    """What the worker found out about a file; the fields of `AudioFacts`, finished.

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
    cut_off : bool
        The file announces more sound than it holds.
    silent : bool
        As `esc.audio.is_silent` of the mono waveform.
    copied : bool
        A copy was written, since browsers can't be trusted to play and seek the original.
    """

    sample_rate: int
    channels: int
    container: str
    codec: str
    n_samples: int
    peak: float
    rms: float
    cut_off: bool
    silent: bool
    copied: bool

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate


def plays_in_browsers(path: str | os.PathLike, facts: AudioFacts) -> bool:
    """Return whether every current browser plays and seeks the file, under the ending that it bears."""
    codecs, endings = PLAYABLE.get(facts.container, ((), ()))
    return facts.codec in codecs and Path(path).suffix.lower() in endings


def decode(
    source: str | os.PathLike,
    target: str | os.PathLike,
    playable: str | os.PathLike | None = None,
    name: str | None = None,
    max_bytes: int | None = None,
) -> Decoded:
    """Write a file's mono waveform to `target` as raw float32 and return the facts about it.

    Works block by block: memory does not grow with the sound. An error may leave unfinished files behind.

    Parameters
    ----------
    source : path
        What `esc.audio.open_audio` reads.
    target : path
        Overwritten.
    playable : path, optional
        Where a copy goes (FLAC, 16 bit, one or two channels; more are averaged to one) if browsers need one.
    name : str, optional
        What messages call the file.
    max_bytes : int, optional
        Room for what is written.

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does; "audio.disk_full" with `needed_bytes` if `max_bytes` are not enough.
    OSError
        There is no room for what is written.
    """
    facts, blocks = open_blocks(source, name)
    copied = playable is not None and not plays_in_browsers(source, facts)
    sample_bytes = 4 + (2 * min(facts.channels, 2) if copied else 0)
    _check_room(name, int(min(facts.announced_s, MAX_SECONDS) * facts.sample_rate) * sample_bytes, max_bytes)
    with ExitStack() as stack:
        samples = stack.enter_context(open(target, "wb"))
        if copied:
            stack.enter_context(detect_full_disk(playable))
        copy = None
        for channels, mono in blocks:
            _check_room(name, facts.n_samples * sample_bytes, max_bytes, ahead=2)
            samples.write(np.ascontiguousarray(mono))  # `tofile` would hide the system's error
            if not copied:
                continue
            audible = channels if len(channels) <= 2 else mono[None]
            if copy is None:
                copy = stack.enter_context(_flac(playable, facts.sample_rate, len(audible)))
            copy.write(audible.T)
    counted = [field.name for field in dataclasses.fields(Decoded) if field.name != "copied"]
    return Decoded(**{name: getattr(facts, name) for name in counted}, copied=copied)


def _check_room(name: str | None, n_bytes: int, max_bytes: int | None, ahead: int = 1) -> None:
    if max_bytes is not None and n_bytes > max_bytes:
        raise AudioError("audio.disk_full", name=name, needed_bytes=ahead * n_bytes)


def decode_in_worker(
    source: Path, target: Path, playable: Path, name: str, timeout_s: float, max_bytes: int | None = None
) -> Decoded:
    """Run `decode` in a worker process and return what it found; raises as `decode` and `run_in_worker` do."""
    options = [f"--playable={playable.absolute()}", f"--name={name}"]
    options += [] if max_bytes is None else [f"--max-bytes={max_bytes}"]
    arguments = [*options, "--", str(source.absolute()), str(target.absolute())]
    return Decoded(**run_in_worker("esc.audio.transcode", arguments, name, timeout_s))


def main(arguments: list[str] | None = None) -> int:
    """Decode as the command line says, print one line of JSON and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m esc.audio.transcode", description="Decode a sound to raw float32.")
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("target", metavar="TARGET.f32")
    parser.add_argument("--playable", metavar="COPY.flac", help="where a copy goes if browsers can't play SOURCE")
    parser.add_argument("--name", help="what messages call the file")
    parser.add_argument("--max-bytes", type=int, help="room for what is written")
    given = parser.parse_args(arguments)
    return reply(lambda: dataclasses.asdict(decode(given.source, given.target, given.playable, given.name, given.max_bytes)))


def _flac(path: str | os.PathLike, sample_rate: int, channels: int) -> soundfile.SoundFile:
    # rounding such a rate to tens is off by less than 0.01 %, which nobody hears
    named_rate = sample_rate if sample_rate < _FLAC_ANY_RATE else round(sample_rate, -1)
    return soundfile.SoundFile(str(path), "w", named_rate, channels, "PCM_16", format="FLAC")


if __name__ == "__main__":
    limit_memory()
    sys.exit(main())
