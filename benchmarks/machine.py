"""On what, and beside what else, a benchmark ran."""

from __future__ import annotations

import os


def machine() -> dict:
    """Return the number of cores and the load averages, to be asked for before the start."""
    return {"cores": os.cpu_count(), "load_average_before": list(os.getloadavg())}


def show_machine(result: dict) -> None:
    """Print what `machine` returned, which is in `result`, as a line."""
    load = result["load_average_before"]
    others = "nothing else to speak of ran" if load[0] < 0.5 else "other work ran or had just run, so all of it is slowed"
    print(f"{result['cores']} cores; load average before the start: {', '.join(f'{value:.2f}' for value in load)}: {others}")
