"""Work on files that nobody vouches for, in a process of its own with limits on time and memory.

A module that does such work ends with `sys.exit(main())`, where `main` gives its work to `reply`; the server calls it
by `run_in_worker`. Between them goes one line of JSON: what the work returned, or `{"error": key, "values": {...}}`
with exit code `EXIT_FILE_ERROR` where the file is at fault. A full disk is not the file's fault and ends with `EXIT_DISK_FULL`.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import soundfile

from esc.errors import AudioError, EscError
from esc.paths import ROOT

MEMORY_LIMIT = 4 * 2**30  # bytes of address space; the libraries map about 1 GiB, a block of sound takes some MB
EXIT_FILE_ERROR = 3  # the file is at fault, and the JSON line says why
EXIT_DISK_FULL = 4  # the disk is full, and standard error says where
_FULL = (errno.ENOSPC, errno.EDQUOT)
_PROBE_BYTES = 2**21  # more than libsndfile writes of one block
_log = logging.getLogger(__name__)


def run_in_worker(module: str, arguments: list[str], name: str, timeout_s: float) -> dict:
    """Run `python -m module arguments...` and return what it replied.

    Raises
    ------
    AudioError
        What the worker says of the file that messages call `name`; "audio.timeout" after `timeout_s` seconds;
        "audio.disk_full" where it had no room, "audio.crashed" for any other end: its standard error goes to the log.
    """
    house = str(ROOT)
    search = os.pathsep.join(filter(None, (house, os.environ.get("PYTHONPATH"))))
    # one thread: NumPy's would each reserve address space, which the limit counts
    environment = os.environ | {"PYTHONPATH": search, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", module, *arguments]
    try:
        ended = subprocess.run(
            command, cwd=house, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s
        )
    except subprocess.TimeoutExpired as error:
        raise AudioError("audio.timeout", name=name, seconds=timeout_s) from error
    return _answer(ended, name)


def reply(work: Callable[[], dict]) -> int:
    """Print what `work` returns, or why the file is refused, as one line of JSON; return the exit code."""
    try:
        answer = work()
    except EscError as error:
        print(json.dumps({"error": error.key, "values": error.values}, default=str))
        return EXIT_FILE_ERROR
    except OSError as error:
        if error.errno not in _FULL:
            raise
        print(error, file=sys.stderr)
        return EXIT_DISK_FULL
    print(json.dumps(answer))
    return 0


@contextmanager
def detect_full_disk(path: str | os.PathLike) -> Iterator[None]:
    """Raise the system's own error where libsndfile, writing `path`, met a full disk: its own doesn't tell it from others."""
    try:
        yield
    except soundfile.LibsndfileError:
        with open(path, "ab") as file:
            file.write(bytes(_PROBE_BYTES))
        raise


def limit_memory() -> None:
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


def _answer(ended: subprocess.CompletedProcess, name: str) -> dict:
    """Read what the worker printed."""
    lines = ended.stdout.splitlines()
    if lines and ended.returncode == 0:
        return json.loads(lines[-1])
    if lines and ended.returncode == EXIT_FILE_ERROR:
        refused = json.loads(lines[-1])
        raise AudioError(refused["error"], **refused["values"])
    _log.error("reading %s ended with %d:\n%s", name, ended.returncode, ended.stderr.decode(errors="replace"))
    if ended.returncode == EXIT_DISK_FULL:
        raise AudioError("audio.disk_full", name=name)
    cause = f"exit code {ended.returncode}" if ended.returncode >= 0 else f"signal {-ended.returncode}"
    raise AudioError("audio.crashed", name=name, reason=cause)
