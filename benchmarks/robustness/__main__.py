"""Altered files and impossible parameters: what is read, refused with a message, or goes wrong."""

from __future__ import annotations

import argparse
import json

from benchmarks.robustness.cases import run_cases


def main() -> None:
    """Try the cases and print the outcomes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.robustness", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="number of the first case (default 0)")
    parser.add_argument("--cases", type=int, default=7_000, help="number of cases, each fourth of parameters (default 7000)")
    given = parser.parse_args()
    print(json.dumps(vars(run_cases(given.first, given.first + given.cases)), indent=1))


if __name__ == "__main__":
    main()
