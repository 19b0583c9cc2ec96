"""Table of all speed goals, also written to benchmarks/RESULTS.md.

Each benchmark runs in a process of its own that ends after its limit, all of them within a quarter of an hour. A row that was
not measured counts as missed; the exit code is 1 if any row is.

    python -m benchmarks [--only start visitors] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.causes import CAUSES
from benchmarks.harness import ROOT, Row, machine, table

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
TOTAL_S, ENDING_S = 15 * 60, 15


@dataclass(frozen=True)
class Benchmark:
    """One module of the table: its limit, its arguments, and those of a trial that measures nothing well."""

    limit_s: int
    rows: tuple[str, ...]  # what is missing if it fails
    arguments: str = ""
    quick: str = ""


BENCHMARKS = {  # the shortest first
    "prediction": Benchmark(90, ("forward pass of the app", "a clip, file -> label", "200 files"), "", "--rounds 3 --files 8"),
    "spectrograms": Benchmark(
        180,
        ("mel, STFT and MFCC against librosa", "alternating with librosa", "mel against bare FFTs", "largest difference"),
        "--seconds 0.8 --rounds 2",
        "--seconds 0.1 --rounds 1",
    ),
    "growth": Benchmark(
        150,
        ("growth of a spectrogram with work", "growth of a timeline with work", "growth of decoding with work"),
        "",
        "--minutes 5",
    ),
    "start": Benchmark(
        150,
        ("start", "page load: bytes, requests, time", "5 s file dropped", "memory at rest", "/classify, /mel by the API"),
        "--rounds 2",
        "--rounds 1",
    ),
    "interaction": Benchmark(
        100,
        ("release -> repaint with network delay", "requests behind a dragged slider", "display changes: script, requests"),
        "",
        "--releases 2 --changes 5",
    ),
    "repaint": Benchmark(180, ("release of a parameter -> repaint, all views",), "--releases 8", "--releases 1"),
    "timeline_speed": Benchmark(
        120, ("an hour -> timeline, against real time", "the same against the bare network"), "", "--minutes 2"
    ),
    "visitors": Benchmark(
        280,
        ("20 visitors: throughput, refusals, p95, turns", "memory after 2,000 requests", "memory after 2,000 more"),
        "--rounds 3",
        "--visitors 4 --rounds 1 --times 2 --requests 40",
    ),
    "teaching": Benchmark(90, ("200 examples -> own classes",), "", "--classes 2 --clips 3"),
    "training_step": Benchmark(
        150, ("training step from spectrograms", "training step from sounds"), "--rounds 2 --steps 2", "--rounds 1 --steps 1"
    ),
}


def rows_of(name: str, quick: bool, limit_s: float) -> list[Row]:
    """Run a benchmark and return its rows; those that are missing have no figure."""
    benchmark = BENCHMARKS[name]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        arguments = (benchmark.quick if quick else benchmark.arguments).split()
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments, "--rows", str(file)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr, start_new_session=True)
        try:
            status: int | str = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            status = f"not done after {limit_s:.0f} s"
        finally:
            _end(process)
        if file.is_file():
            return [Row(**row) for row in json.loads(file.read_text(encoding="utf-8"))]
    return [Row(row, "-", None, 0.0, detail=f"benchmarks.{name}: {status}") for row in benchmark.rows]


def _end(process: subprocess.Popen) -> None:
    """End what is left of a benchmark's process group, servers and browsers included."""
    for number, wait_s in ((signal.SIGTERM, ENDING_S), (signal.SIGKILL, 1)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            process.poll()
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)


def causes_of(rows: list[Row]) -> str:
    """Return why rows miss their goals, as a list."""
    lines = []
    for row in rows:
        if not row.met:
            known = [text for name, text in CAUSES.items() if f"{row.what}, {row.against}".startswith(name)]
            lines.append(f"- **{row.what}** ({row.against}): {' '.join(known) or row.detail or 'no cause is known.'}")
    return "\n".join(lines) or "All goals are met."


def main() -> None:
    """Run all benchmarks, print their table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS), help="some of the benchmarks")
    parser.add_argument("--quick", action="store_true", help="smallest sizes; nothing is written")
    chosen = parser.parse_args()
    found: list[Row] = []
    before, begun = machine(), time.monotonic()
    for number, name in enumerate(chosen.only, 1):
        left_s = TOTAL_S - ENDING_S - (time.monotonic() - begun)
        print(f"[{number}/{len(chosen.only)}] {name}, {left_s:.0f} s left", file=sys.stderr, flush=True)
        found += rows_of(name, chosen.quick, max(1.0, min(BENCHMARKS[name].limit_s, left_s)))
    minutes, date = (time.monotonic() - begun) / 60, datetime.now(UTC).date()
    facts = "\n".join(f"- {name.replace('_', ' ')}: {value}" for name, value in before.items())
    met = sum(row.met for row in found)
    text = f"""# Benchmarks, {date}

`python -m benchmarks`, {minutes:.0f} minutes; {met} of {len(found)} goals met.

{facts}

{table(found)}

## Where the time goes
{causes_of(found)}
"""
    if not chosen.quick and chosen.only == list(BENCHMARKS):
        RESULTS.write_text(text, encoding="utf-8")
    print(text)
    sys.exit(met < len(found))


if __name__ == "__main__":
    main()
