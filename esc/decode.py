"""Decoding in a process of its own, so that a hostile or broken file can cost neither the server's memory nor its life.

    python -m esc.decode SOURCE TARGET.f32 [--playable COPY.flac] [--name NAME]

writes the mono waveform as raw float32 at the file's own rate and prints one line of JSON: the fields of `Decoded`,
or `{"error": key, "values": {...}}` with exit code 3 where the file is at fault. Both ends of this conversation are
here: `decode` and `main` run in the worker, `decode_in_worker` is what the server calls.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

import soundfile

from esc.audio import AudioFacts, open_blocks
from esc.errors import AudioError, EscError

MEMORY_LIMIT = 4 * 2**30  # bytes of address space; the libraries map about 1 GiB, a block of sound takes some MB
EXIT_REFUSED = 3  # the file is at fault, and the JSON line says why
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
_log = logging.getLogger(__name__)


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

    Raises
    ------
    AudioError
        As `esc.audio.open_audio` does.
    """
    facts, blocks = open_blocks(source, name)
    copied = playable is not None and not plays_in_browsers(source, facts)
    with ExitStack() as stack:
        samples = stack.enter_context(open(target, "wb"))
        copy = None
        for channels, mono in blocks:
            mono.tofile(samples)
            if not copied:
                continue
            heard = channels if len(channels) <= 2 else mono[None]
            if copy is None:
                copy = stack.enter_context(_flac(playable, facts.sample_rate, len(heard)))
            copy.write(heard.T)
    counted = [field.name for field in dataclasses.fields(Decoded) if field.name != "copied"]
    return Decoded(**{name: getattr(facts, name) for name in counted}, copied=copied)


def decode_in_worker(source: Path, target: Path, playable: Path, name: str, timeout_s: float) -> Decoded:
    """Run `decode` in a worker process with limits on time and memory and return what it found.

    Raises
    ------
    AudioError
        What the worker says of the file; "audio.timeout" after `timeout_s` seconds; "audio.crashed" for any other end,
        whose standard error goes to the log.
    """
    command = [sys.executable, "-m", "esc.decode", f"--playable={playable.absolute()}", f"--name={name}"]
    command += ["--", str(source.absolute()), str(target.absolute())]
    house = str(Path(__file__).resolve().parents[1])
    search = os.pathsep.join(filter(None, (house, os.environ.get("PYTHONPATH"))))
    # one thread: NumPy's would each reserve address space, which the limit counts
    environment = os.environ | {"PYTHONPATH": search, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        ended = subprocess.run(
            command, cwd=house, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s
        )
    except subprocess.TimeoutExpired as error:
        raise AudioError("audio.timeout", name=name, seconds=timeout_s) from error
    return _answer(ended, name)


def main(arguments: list[str] | None = None) -> int:
    """Decode as the command line says, print one line of JSON and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m esc.decode", description="Decode a sound to raw float32.")
    parser.add_argument("source", metavar="SOURCE")
    parser.add_argument("target", metavar="TARGET.f32")
    parser.add_argument("--playable", metavar="COPY.flac", help="where a copy goes if browsers can't play SOURCE")
    parser.add_argument("--name", help="what messages call the file")
    given = parser.parse_args(arguments)
    try:
        decoded = decode(given.source, given.target, given.playable, given.name)
    except EscError as error:
        print(json.dumps({"error": error.key, "values": error.values}, default=str))
        return EXIT_REFUSED
    print(json.dumps(dataclasses.asdict(decoded)))
    return 0


def _answer(ended: subprocess.CompletedProcess, name: str) -> Decoded:
    """Read what the worker printed."""
    lines = ended.stdout.splitlines()
    if lines and ended.returncode == 0:
        return Decoded(**json.loads(lines[-1]))
    if lines and ended.returncode == EXIT_REFUSED:
        refused = json.loads(lines[-1])
        raise AudioError(refused["error"], **refused["values"])
    _log.error("decoding %s ended with %d:\n%s", name, ended.returncode, ended.stderr.decode(errors="replace"))
    cause = f"exit code {ended.returncode}" if ended.returncode >= 0 else f"signal {-ended.returncode}"
    raise AudioError("audio.crashed", name=name, reason=cause)


def _flac(path: str | os.PathLike, sample_rate: int, channels: int) -> soundfile.SoundFile:
    # rounding such a rate to tens is off by less than 0.01 %, which nobody hears
    named_rate = sample_rate if sample_rate < _FLAC_ANY_RATE else round(sample_rate, -1)
    return soundfile.SoundFile(str(path), "w", named_rate, channels, "PCM_16", format="FLAC")


def _limit_memory() -> None:
    """Cap this process's address space, where the system knows such a limit."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    known = [limit for limit in (soft, hard, MEMORY_LIMIT) if limit != resource.RLIM_INFINITY]
    try:
        resource.setrlimit(resource.RLIMIT_AS, (min(known), hard))
    except (ValueError, OSError) as error:  # macOS has the name but not always the limit
        _log.warning("no limit on memory here: %s", error)


if __name__ == "__main__":
    _limit_memory()
    sys.exit(main())
