"""Default paths of the commands, relative to the working directory."""

from __future__ import annotations

from pathlib import Path

DATA = Path("data/ESC-50")
CACHE = Path("data/prepared")
PLOTS = Path("data/plots")
RUNS = Path("runs")
EVALUATION_LOG = RUNS / "evaluations.csv"
RESULTS = Path("training/results")
EXAMPLES = Path("assets/examples")
