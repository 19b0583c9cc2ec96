"""Where the commands read and write unless they are told otherwise, relative to the folder they run in."""

from __future__ import annotations

from pathlib import Path

DATA = Path("data/ESC-50")
CACHE = Path("data/prepared")
LOOKS = Path("data/look")
RUNS = Path("runs")
READINGS = RUNS / "readings.csv"
RESULTS = Path("training/results")
EXAMPLES = Path("assets/examples")
