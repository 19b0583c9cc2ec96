"""Subprocesses for untrusted files, limited in time and memory.

The server calls `run_in_worker(module, ...)`; the module's `main` gets its arguments by `run_job`, passes its work
to `reply` and exits with the code returned. The reply is one line of JSON: the result, or `{"error": key, "values": {...}}`
with `EXIT_FILE_ERROR` for an error in the file. A full disk gives `EXIT_DISK_FULL`. Each process does one job; after
`start_fork_server` it is a fork, see `esc.audio.fork_server`.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import soundfile

from esc.audio.channels import MEAN, check_channel
from esc.audio.facts import Reading
from esc.audio.fork_server import SUPPORTED, ForkServer
from esc.errors import AudioError, EscError
from esc.paths import ROOT

MEMORY_LIMIT = 4 * 2**30  # bytes of address space, of which libraries map about 1 GiB
EXIT_FILE_ERROR, EXIT_DISK_FULL = 3, 4
_FULL = (errno.ENOSPC, errno.EDQUOT)
_PROBE_BYTES = 2**21  # more than libsndfile writes of one block
FROM_STDIN = "-"  # as the only argument: the arguments follow as a line of JSON
_log = logging.getLogger(__name__)
_fork_server: ForkServer | None = None


def worker_command(module: str, *arguments: str) -> dict[str, Any]:
    """Return the arguments of `subprocess` for `python -m module arguments...` from any folder."""
    search = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    # one thread: the address space that NumPy's threads reserve would count against the limit
    environment = os.environ | {"PYTHONPATH": search, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return {"args": [sys.executable, "-m", module, *arguments], "cwd": str(ROOT), "env": environment}


def reading_options(how: Reading) -> list[str]:
    """Return a worker's options for how a file is read, see `add_reading_options`."""
    channel = f"--channel={check_channel(how.channel)}"
    return [channel, f"--full-scale={how.full_scale}", f"--time-expansion={how.time_expansion}"]


def add_reading_options(parser: ArgumentParser) -> None:
    """Add the options of `Reading` to a worker's command line."""
    parser.add_argument("--channel", default=MEAN, help="mean, left, right, mid, side or a number from 1; 2:mean: of track 2")
    parser.add_argument("--full-scale", type=float, default=1.0, help="sample value that becomes 1")
    parser.add_argument("--time-expansion", type=float, default=1.0, help="factor by which a recorder slowed the sound down")


def given_reading(given: Namespace) -> Reading:
    """Return the options of `add_reading_options` that were given."""
    return Reading(given.channel, given.full_scale, given.time_expansion)


def run_in_worker(module: str, arguments: list[str], name: str, timeout_s: float) -> dict:
    """Run `python -m module arguments...` and return its reply.

    Raises
    ------
    AudioError
        The worker's error about the file, which messages call `name`; "audio.timeout" after `timeout_s` seconds;
        "audio.disk_full"; or "audio.crashed" with its standard error, without paths, in the log.
    """
    line = json.dumps(arguments).encode() + b"\n"
    try:
        if _fork_server is not None:
            ended = _fork_server.run(module, line, timeout_s)
        else:
            command = worker_command(module, FROM_STDIN)
            ended = subprocess.run(**command, input=line, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise AudioError("audio.timeout", name=name, seconds=timeout_s) from error
    return _result(ended, module, arguments, name)


def start_fork_server() -> None:
    """Run further jobs in forks, where the system supports it."""
    global _fork_server
    if SUPPORTED and _fork_server is None:
        try:
            _fork_server = ForkServer(worker_command("esc.audio.fork_server"))
            _fork_server.start()
        except OSError as error:
            _fork_server = None
            _log.warning("each worker loads the decoders itself: %s", error)


def run_job(main: Callable[[list[str]], int]) -> int:
    """Return the exit code of a worker's `main`, called with limited memory."""
    limit_memory()
    return main(_given_arguments())


def _given_arguments() -> list[str]:
    """Return the arguments of this worker: of its command, or from standard input."""
    given = sys.argv[1:]
    if given != [FROM_STDIN]:
        return given
    line = sys.stdin.readline()  # none if the server has ended
    return json.loads(line) if line else sys.exit(0)


def reply(work: Callable[[], dict]) -> int:
    """Print the result or error of `work` as JSON; return the exit code."""
    try:
        result = work()
    except EscError as error:
        print(json.dumps({"error": error.key, "values": error.values}, default=str))
        return EXIT_FILE_ERROR
    except OSError as error:
        if not is_disk_full(error):
            raise
        print(error, file=sys.stderr)
        return EXIT_DISK_FULL
    print(json.dumps(result))
    return 0


def is_disk_full(error: Exception) -> bool:
    """Return whether an error says that a disk or quota is full."""
    return isinstance(error, OSError) and error.errno in _FULL


@contextmanager
def detect_full_disk(path: str | os.PathLike) -> Iterator[None]:
    """Raise the OSError of a full disk in place of libsndfile's unspecific error."""
    try:
        yield
    except soundfile.LibsndfileError:
        with open(path, "ab") as file:
            file.write(bytes(_PROBE_BYTES))
        raise


def limit_memory() -> None:
    """Limit this process's address space to `MEMORY_LIMIT`, if the system supports it."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    known = [limit for limit in (soft, hard, MEMORY_LIMIT) if limit != resource.RLIM_INFINITY]
    try:
        resource.setrlimit(resource.RLIMIT_AS, (min(known), hard))
    except (ValueError, OSError) as error:  # not always supported on macOS
        _log.warning("no limit on memory here: %s", error)


def _result(ended: subprocess.CompletedProcess, module: str, arguments: list[str], name: str) -> dict:
    lines = ended.stdout.splitlines()
    if lines and ended.returncode == 0:
        return json.loads(lines[-1])
    if lines and ended.returncode == EXIT_FILE_ERROR:
        reply = json.loads(lines[-1])
        raise AudioError(reply["error"], **reply["values"])
    log = ended.stderr.decode(errors="replace")
    for private in sorted({name, *arguments}, key=len, reverse=True):
        log = log.replace(private, "…") if len(private) > 2 else log
    _log.error("%s ended with %d:\n%s", module, ended.returncode, log)
    if ended.returncode == EXIT_DISK_FULL:
        raise AudioError("audio.disk_full", name=name)
    cause = f"exit code {ended.returncode}" if ended.returncode >= 0 else f"signal {-ended.returncode}"
    raise AudioError("audio.crashed", name=name, reason=cause)
