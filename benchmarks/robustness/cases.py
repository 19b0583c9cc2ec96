"""Mutated files and parameters, tried one by one in a process of their own.

`python -m benchmarks.robustness.cases FIRST STOP` prints a line of JSON before and after each case; the number of a case
decides all about it, so that one that ends the process can be repeated. `run_cases` starts that process anew after a crash.
"""

from __future__ import annotations

import faulthandler
import json
import math
import os
import queue
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.harness import START_SECONDS
from esc.audio.io import load_audio
from esc.config import PRESETS, SpectrogramConfig
from esc.dsp.mfcc import CepstrumConfig, mfcc, shaped
from esc.dsp.spectrogram import mel_db, stft_db
from esc.dsp.tiles import Tile
from esc.errors import EscError
from esc.paths import ASSETS, ROOT
from esc.views.spectrogram_view import mel_view

HANG_S = 60.0
PARAMETERS_EVERY = 4  # each fourth case is one of parameters
_ENDINGS = (".wav", ".mp3", ".flac", ".ogg", ".opus", ".m4a", ".aac", ".bin", ".raw", ".mkv")
_SIZES = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_WEIRD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 3, 0.5, -0.0, 1e-300, 1e300, math.nan, math.inf, -math.inf, 2**31, 2**63, 10**400, "", "hann",
    "slaney", "\ud800", "\0", "1024", [], [1], {}, {"a": 1}, b"x", 1 + 2j, (), "x" * 10_000, 22_050, 44_100.0, 128, 513, 768_001,
)  # fmt: skip


@dataclass
class Outcomes:
    """What became of cases."""

    tried: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    untyped: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    worst_s: float = 0.0
    peak_mb: float = 0.0


def run_cases(first: int, stop: int) -> Outcomes:
    """Return the outcomes of cases, tried in processes of their own."""
    found = Outcomes()
    while first < stop:
        first = _run_from(first, stop, found)
    return found


def _run_from(first: int, stop: int, found: Outcomes) -> int:
    """Run cases until the process ends, and return the next one's number."""
    command = [sys.executable, "-m", "benchmarks.robustness.cases", str(first), str(stop)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines: queue.Queue[str] = queue.Queue()
    errors: list[str] = []
    readers = [
        threading.Thread(target=lambda: ([lines.put(line) for line in process.stdout] and None) or lines.put(""), daemon=True),
        threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True),
    ]
    for reader in readers:
        reader.start()
    at = first
    try:
        line = lines.get(timeout=START_SECONDS)  # the imports of a busy machine are no hang
        while line:
            said = json.loads(line)
            at = said["case"]
            if "outcome" in said:
                found.tried += 1
                found.counts[said["outcome"]] += 1
                found.worst_s, found.peak_mb = max(found.worst_s, said["seconds"]), max(found.peak_mb, said["peak_mb"])
                if said["outcome"] == "untyped":
                    found.untyped.append(f"{at}: {said['error']}")
                at += 1
            line = lines.get(timeout=HANG_S)
    except queue.Empty:
        process.kill()
        found.tried += 1
        found.hangs.append(str(at))
        return at + 1
    if process.wait() == 0:
        return stop
    readers[1].join()
    found.tried += 1
    found.crashes.append(f"{at}: {process.returncode} {''.join(errors)[-300:]}")
    return at + 1


def bases() -> list[Path]:
    """Return the files that are altered: one of each container and codec that the tests keep, and two examples."""
    kept = sorted(path for path in (ROOT / "tests" / "files").iterdir() if path.suffix not in (".csv", ".md"))
    return [*kept, ASSETS / "examples" / "crow.flac", ASSETS / "examples" / "siren.flac"]


def mutated(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """Return altered content of a file."""
    data = bytearray(content)
    kind = rng.choice(("bits", "header", "cut", "removed", "repeated", "zeros", "noise", "spliced", "sizes", "front"))
    start = rng.randrange(len(data))
    length = rng.choice((1, 4, 16, 256, 4096, len(data) // 3))
    if kind == "bits":
        for _ in range(rng.choice((1, 3, 30, 300))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "header":
        for _ in range(rng.choice((1, 2, 8))):
            data[rng.randrange(min(256, len(data)))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    elif kind == "cut":
        del data[start:]
    elif kind == "removed":
        del data[start : start + length]
    elif kind == "repeated":
        data[start:start] = data[start : start + length] * rng.choice((1, 2, 50))
    elif kind == "zeros":
        data[start : start + length] = bytes(len(data[start : start + length]))
    elif kind == "noise":
        data[start : start + length] = rng.randbytes(len(data[start : start + length]))
    elif kind == "spliced":
        data[start:] = other[rng.randrange(len(other)) :]
    elif kind == "sizes":  # four bytes that may be a size, a rate or a count
        data[start : start + 4] = rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)).to_bytes(
            4, rng.choice(("little", "big"))
        )
    else:
        data[:0] = rng.choice((rng.randbytes(100), b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", b"RIFF", b"OggS", other[:64]))
    return bytes(data)


def try_file(number: int, folder: Path) -> None:
    """Read an altered file."""
    rng, known = random.Random(number), bases()
    base = rng.choice(known)
    path = folder / f"case{rng.choice((base.suffix, rng.choice(_ENDINGS)))}"
    path.write_bytes(mutated(base.read_bytes(), rng.choice(known).read_bytes(), rng))
    try:
        waveform, rate = load_audio(path, rng.choice((None, None, 22_050, 8_000)))
        assert waveform.dtype == np.float32 and waveform.ndim == 1 and len(waveform) > 1 and rate > 0
        assert np.isfinite(waveform).all()
    finally:
        path.unlink()


def try_parameters(number: int, folder: Path) -> None:
    """Compute spectrograms with impossible parameters, or read with them."""
    rng = random.Random(number)
    noise = np.random.default_rng(number).normal(0, 0.1, rng.choice((1, 2, 100, 5_000, 30_000))).astype(np.float32)
    values = rng.choice(list(PRESETS.values())).to_dict()
    for name in rng.sample(list(values), rng.choice((1, 1, 2, 4))):
        values[name] = rng.choice((*_WEIRD, rng.randrange(1, 20_000)))
    if rng.random() < 0.1:
        load_audio(bases()[0], rng.choice(_WEIRD))
    config = SpectrogramConfig.from_dict(values)
    kind = rng.choice(("mel", "stft", "mfcc", "view"))
    if kind == "mfcc":
        cepstrum = CepstrumConfig.from_dict({"lifter": rng.choice(_WEIRD), "delta": rng.choice((0, 1, *_WEIRD))})
        shaped(mfcc(noise, config).numpy(), cepstrum)
    elif kind == "view":
        start_s = rng.uniform(0.0, 2.0)
        mel_view(noise, config, Tile(start_s, start_s + rng.uniform(0.0, 2.0), rng.randrange(1, 3_000)))
    else:
        (mel_db if kind == "mel" else stft_db)(noise, config)


def _cases(first: int, stop: int, folder: Path) -> Iterator[dict]:
    import resource

    for number in range(first, stop):
        yield {"case": number}
        began, said = time.monotonic(), {"outcome": "fine"}
        try:
            (try_parameters if number % PARAMETERS_EVERY == 0 else try_file)(number, folder)
        except EscError as error:
            said = {"outcome": "typed"} if str(error) else {"outcome": "untyped", "error": "no text"}
        except Exception as error:  # what nobody should see
            said = {"outcome": "untyped", "error": ascii(f"{type(error).__name__}: {error}")[:200]}
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield {"case": number, "seconds": time.monotonic() - began, "peak_mb": peak_mb} | said


def main() -> None:
    """Try the cases that the command line names."""
    os.nice(5)
    faulthandler.enable()
    with TemporaryDirectory() as folder:
        for said in _cases(int(sys.argv[1]), int(sys.argv[2]), Path(folder)):
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
