"""Excerpts of sound files as WAV, sample by sample.

    python -m esc.audio.excerpt SOURCE TARGET.wav FIRST STOP [--channel left] [--name NAME] ...

works as `esc.audio.transcode` does: `write_excerpt` and `main` run in the worker, which the server starts by
`write_excerpt_in_worker`.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from pathlib import Path
from types import MappingProxyType

import numpy as np
import soundfile

from esc.audio.channels import is_mean, split_track
from esc.audio.facts import AS_IT_IS, Reading
from esc.audio.io import open_blocks
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

MAX_EXCERPT_BYTES = 500 * 10**6
_INTEGER = MappingProxyType({8: "PCM_U8", 16: "PCM_16", 24: "PCM_24"})  # bits: subtype of the WAV


@dataclasses.dataclass(frozen=True)
class Excerpt:
    """Samples per channel, channels and sample format ("PCM_16", "FLOAT", ...) of a written excerpt."""

    n_samples: int
    channels: int
    subtype: str


def write_excerpt(
    source: str | os.PathLike,
    target: str | os.PathLike,
    first: int,
    stop: int,
    name: str | None = None,
    how: Reading = AS_IT_IS,
) -> Excerpt:
    """Write samples `first` to `stop` of a file to a WAV of the same rate.

    With a time expansion the rate is that of the original sound. All channels are written, or one other than their mean.
    Files of 8, 16 and 24 bits keep their integers; others, mid and side become 32-bit floats. Works block by block up to `stop`.

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does; "audio.excerpt_too_big" past `MAX_EXCERPT_BYTES`.
    OSError
        The disk is full.
    """
    facts, blocks = open_blocks(source, name, *how)
    channel = how.channel
    subtype, bits = wav_format(None if split_track(channel)[1] in ("mid", "side") else facts.bits)
    n_channels = facts.channels if is_mean(channel) else 1
    megabytes = (stop - first) * n_channels * bits / 8e6
    if megabytes > MAX_EXCERPT_BYTES / 1e6:
        raise AudioError("audio.excerpt_too_big", megabytes=megabytes, limit_mb=MAX_EXCERPT_BYTES / 1e6)
    written = position = 0
    made = facts.sample_rate, n_channels, subtype
    with detect_full_disk(target), soundfile.SoundFile(str(target), "w", *made, format="WAV") as wav:
        for channels, mono in blocks:
            samples = channels if is_mean(channel) else mono[None]
            kept = samples[:, max(0, first - position) : max(0, stop - position)]
            position += samples.shape[1]
            wav.write(stored(kept.T, bits))
            written += kept.shape[1]
            if position >= stop:
                break
    return Excerpt(written, n_channels, subtype)


def write_excerpt_in_worker(
    source: Path, target: Path, first: int, stop: int, name: str, timeout_s: float, how: Reading = AS_IT_IS
) -> Excerpt:
    """Return the result of `write_excerpt` in a worker process; raises as `run_in_worker` does."""
    files = str(source.absolute()), str(target.absolute())
    arguments = [f"--name={name}", *reading_options(how), "--", *files, str(first), str(stop)]
    return Excerpt(**run_in_worker("esc.audio.excerpt", arguments, name, timeout_s))


def main(arguments: list[str] | None = None) -> int:
    """Command line: write an excerpt, print one line of JSON, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m esc.audio.excerpt", description="Write an excerpt of a sound to a WAV.")
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("target", metavar="TARGET.wav")
    parser.add_argument("first", metavar="FIRST", type=int, help="the first sample")
    parser.add_argument("stop", metavar="STOP", type=int, help="the one after the last")
    parser.add_argument("--name", help="what messages call the file")
    add_reading_options(parser)
    given = parser.parse_args(arguments)
    chosen = given.source, given.target, given.first, given.stop, given.name, given_reading(given)
    return reply(lambda: dataclasses.asdict(write_excerpt(*chosen)))


def wav_format(bits: int | None) -> tuple[str, int]:
    """Return the format and bits of a WAV that keeps samples of `bits`."""
    return (_INTEGER[bits], bits) if bits is not None and bits in _INTEGER else ("FLOAT", 32)


def stored(samples: np.ndarray, bits: int) -> np.ndarray:
    """Return samples as a WAV of `wav_format` stores them.

    Integers are in the upper bits of int32, since libsndfile scales asymmetrically.
    """
    if bits == 32:
        return samples
    return (np.rint(samples.astype(np.float64) * 2 ** (bits - 1)) * 2 ** (32 - bits)).astype(np.int32)


if __name__ == "__main__":
    sys.exit(run_job(main))
