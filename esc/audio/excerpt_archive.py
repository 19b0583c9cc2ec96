"""Excerpts of one sound file as WAVs in a ZIP, in a single pass.

    python -m esc.audio.excerpt_archive SOURCE TARGET.zip EXCERPTS.json [--channel 2:mean] [--name NAME] ...

works as `esc.audio.excerpt` does; EXCERPTS is a list of [name in the archive, first sample, the one after the last].
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile

from esc.audio.excerpt import MAX_EXCERPT_BYTES, stored, wav_format
from esc.audio.facts import AS_IT_IS, Reading
from esc.audio.io import open_blocks
from esc.audio.sandbox import (
    add_reading_options,
    given_reading,
    reading_options,
    reply,
    run_in_worker,
    run_job,
)
from esc.errors import AudioError

_IN_MEMORY_BYTES = 4 * 10**6  # of each excerpt
Excerpt = tuple[str, int, int]  # name, first sample, the one after the last


def write_excerpts(
    source: str | os.PathLike,
    target: str | os.PathLike,
    excerpts: Sequence[Excerpt],
    name: str | None = None,
    how: Reading = AS_IT_IS,
) -> int:
    """Write excerpts of a file, overlapping or not, to a ZIP of WAVs.

    Returns their number. All channels of a sound track are written: the channel of `how` is "mean" or "2:mean". Rate and
    samples are as in `esc.audio.excerpt.write_excerpt`.

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does; "audio.excerpt_too_big" past `MAX_EXCERPT_BYTES` in all.
    OSError
        The disk is full.
    """
    facts, blocks = open_blocks(source, name, *how)
    subtype, bits = wav_format(facts.bits)
    n_bytes = sum(stop - first for _, first, stop in excerpts) * facts.channels * bits / 8
    if n_bytes > MAX_EXCERPT_BYTES:
        raise AudioError("audio.excerpt_too_big", megabytes=n_bytes / 1e6, limit_mb=MAX_EXCERPT_BYTES / 1e6)
    waiting = sorted(excerpts, key=lambda excerpt: excerpt[1], reverse=True)  # the next one is the last
    opened: list[tuple[Excerpt, _Wav]] = []
    position, written = 0, 0
    made = Path(target).parent, facts.sample_rate, facts.channels, subtype
    with zipfile.ZipFile(target, "w") as archive:
        for channels, _ in blocks:
            end = position + channels.shape[1]
            while waiting and waiting[-1][1] < end:
                opened.append((waiting.pop(), _Wav(*made)))
            still = []
            for (entry, first, stop), wav in opened:
                wav.write(stored(channels[:, max(0, first - position) : max(0, stop - position)].T, bits))
                if stop <= end:
                    wav.close_into(archive, entry)
                    written += 1
                else:
                    still.append(((entry, first, stop), wav))
            opened, position = still, end
            if not waiting and not opened:
                break
        for (entry, _, _), wav in opened:  # the file is shorter than announced
            wav.close_into(archive, entry)
            written += 1
    return written


class _Wav:
    """A WAV that grows, on the disk once it is large."""  # an hour would not fit into a worker's memory several times

    def __init__(self, folder: Path, sample_rate: int, channels: int, subtype: str) -> None:
        self._output = _Output(folder)
        with self._output.errors():
            self._samples = soundfile.SoundFile(self._output, "w", sample_rate, channels, subtype, format="WAV")

    def write(self, samples: np.ndarray) -> None:
        """Write samples of `esc.audio.excerpt.stored`."""
        with self._output.errors():
            self._samples.write(samples)

    def close_into(self, archive: zipfile.ZipFile, entry: str) -> None:
        """Add it to an archive."""
        with self._output.errors():
            self._samples.close()
        with self._output.file as file, archive.open(zipfile.ZipInfo(entry, time.localtime()[:6]), "w") as target:
            file.seek(0)
            shutil.copyfileobj(file, target)


class _Output:
    """A temporary file for libsndfile that keeps the system's error, which libsndfile hides."""

    def __init__(self, folder: Path) -> None:
        self.file = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=str(folder))  # noqa: SIM115, closed by `close_into`
        self._error: tuple[object, ...] = ()  # its arguments: itself, it would keep this file
        self.tell = self.file.tell

    def write(self, data: bytes) -> int:
        """Write bytes; 0 of them after an error."""
        with self._kept():
            return self.file.write(data)
        return 0

    def seek(self, offset: int, whence: int = 0) -> None:
        """Change the position, which may write what is buffered."""
        with self._kept():
            self.file.seek(offset, whence)

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise the system's error in place of soundfile's."""
        try:
            yield
        finally:
            if self._error:
                raise OSError(*self._error)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._error = self._error or error.args


def write_excerpts_in_worker(
    source: Path, target: Path, excerpts: Sequence[Excerpt], name: str, timeout_s: float, how: Reading = AS_IT_IS
) -> int:
    """Return the result of `write_excerpts` in a worker process; raises as `run_in_worker` does."""
    listed = target.with_suffix(".json")
    try:
        listed.write_text(json.dumps(excerpts), encoding="utf-8")
        arguments = [
            f"--name={name}",
            *reading_options(how),
            "--",
            str(source.absolute()),
            str(target.absolute()),
            str(listed.absolute()),
        ]
        return run_in_worker("esc.audio.excerpt_archive", arguments, name, timeout_s)["written"]
    finally:
        listed.unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """Command line: write an archive, print one line of JSON, return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m esc.audio.excerpt_archive", description="Write excerpts of a sound to a ZIP."
    )
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("target", metavar="TARGET.zip")
    parser.add_argument("excerpts", metavar="EXCERPTS.json", type=Path, help="a list of [name, first sample, the one after]")
    parser.add_argument("--name", help="what messages call the file")
    add_reading_options(parser)
    given = parser.parse_args(arguments)
    excerpts = [(str(entry), int(first), int(stop)) for entry, first, stop in json.loads(given.excerpts.read_text("utf-8"))]
    chosen = given.source, given.target, excerpts, given.name, given_reading(given)
    return reply(lambda: {"written": write_excerpts(*chosen)})


if __name__ == "__main__":
    sys.exit(run_job(main))
