"""All benchmarks in turn as one table, also written to benchmarks/RESULTS.md.

    python -m benchmarks

A benchmark that fails counts as a row that misses its goal; the exit code is 1 if any row does.
"""

from __future__ import annotations

import importlib
import sys
import time
import traceback
from datetime import UTC, datetime

from benchmarks.harness import ROOT, Row, machine, table

BENCHMARKS = {  # fast ones first; arguments that keep all of them within a quarter of an hour
    "spectrograms": ["--seconds", "1", "--rounds", "2"],
    "prediction": [],
    "detector_cost": [],
    "start": [],
    "visitors": [],
    "repaint": [],
    "play_in_3d": [],
    "timeline_speed": [],
    "training_step": ["--rounds", "3", "--steps", "2"],
    "hour_zoom": ["--zooms", "10"],
}
RESULTS = ROOT / "benchmarks" / "RESULTS.md"


def main() -> None:
    """Run all benchmarks, print their table and write it."""
    found, before, begun = [], machine(), time.monotonic()
    for number, (name, arguments) in enumerate(BENCHMARKS.items(), 1):
        print(f"[{number}/{len(BENCHMARKS)}] {name}", file=sys.stderr, flush=True)
        try:
            found += importlib.import_module(f"benchmarks.{name}").main(arguments)
        except Exception:
            traceback.print_exc()
            found.append(Row(name, "-", None, 0.0))
    minutes, date = (time.monotonic() - begun) / 60, datetime.now(UTC).date()
    facts = "\n".join(f"- {name.replace('_', ' ')}: {value}" for name, value in before.items())
    met = sum(row.met for row in found)
    text = f"""# Benchmarks, {date}

`python -m benchmarks`, {minutes:.0f} minutes; {met} of {len(found)} goals met.

{facts}

{table(found)}
"""
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    sys.exit(met < len(found))


if __name__ == "__main__":
    main()
