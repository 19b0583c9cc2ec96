"""Memory, processes and files of a running server."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from benchmarks.harness import App


def processes_of(parent: int) -> list[int]:
    """Return the ids of a process and all that it started."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [parent]
    for process in found:
        found += children.get(process, [])
    return found


def memory_mb(app: App) -> float:
    """Return the memory of a server and its workers, shared pages counted once."""
    total, own = 0, ""
    for process in processes_of(app.process.pid):
        try:
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:  # ended meanwhile
            continue
        addresses = text.partition(" ")[0]
        if addresses == own:  # a worker that is just being started still has the server's memory
            continue
        own = own or addresses
        total += int(next(iter(re.findall(r"^Pss:\s+(\d+)", text, re.MULTILINE)), 0))
    return total / 1024


def files_mb(folder: Path) -> float:
    """Return the size of all files in a folder, of which some may be deleted meanwhile."""
    total = 0
    for parent, _, names in os.walk(folder):  # unlike rglob, it passes over folders that are gone
        for name in names:
            with suppress(OSError):
                total += (Path(parent) / name).lstat().st_size
    return total / 1e6


def files_left(folder: Path) -> int:
    """Return how many files a folder holds."""
    return sum(path.is_file() for path in folder.rglob("*"))
