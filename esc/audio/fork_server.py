"""Workers as forks of one process that has the decoders loaded (Linux).

A worker's imports take longer than most files do. Each job still has a process of its own, in which no other file was read.

The server sends the name of a worker's module with four file descriptors: the job's standard streams, and a pipe on which
the fork server reports the job's process number and, at its end, its exit code, as integers of `_INT` bytes.
"""

from __future__ import annotations

import ctypes
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from contextlib import ExitStack, suppress
from importlib import import_module
from typing import Any

MODULES = ("esc.audio.transcode", "esc.audio.excerpt", "esc.audio.excerpt_archive")
SUPPORTED = sys.platform == "linux" and hasattr(os, "memfd_create") and hasattr(os, "pidfd_open")
_INT = 4
_PR_SET_PDEATHSIG = 1  # of prctl(2)
_LONGEST_NAME = 256
_STREAMS = ("stdin", "stdout", "stderr")
_ATTEMPTS = 2  # of a job whose fork server is killed, with all its jobs


class ForkServer:
    """A fork server, started by `start` and again if the system has killed it.

    Parameters
    ----------
    command : dict
        Arguments of `subprocess.Popen` that start it, without its file descriptor.
    """

    def __init__(self, command: dict[str, Any]) -> None:
        self._command = command
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start the process; raises OSError if the system refuses, or lacks what jobs need."""
        for descriptor in (os.pidfd_open(os.getpid()), os.memfd_create(_STREAMS[0])):  # containers may forbid either
            os.close(descriptor)
        with self._lock:
            self._connection()

    def run(self, module: str, line: bytes, timeout_s: float) -> subprocess.CompletedProcess:
        """Return a job after its end, with its exit code and output.

        Parameters
        ----------
        module : str
            One of `MODULES`; its `main` is called by `run_job`.
        line : bytes
            The job's standard input.
        timeout_s : float

        Raises
        ------
        TimeoutExpired
            The job was killed after `timeout_s`.
        """
        for _ in range(_ATTEMPTS):
            with ExitStack() as stack:
                streams = [stack.enter_context(open(os.memfd_create(name), "w+b")) for name in _STREAMS]
                streams[0].write(line)
                streams[0].seek(0)
                code = self._exit_code(module, [stream.fileno() for stream in streams], timeout_s)
                if code is not None:
                    for stream in streams:
                        stream.seek(0)
                    return subprocess.CompletedProcess([module], code, streams[1].read(), streams[2].read())
        return subprocess.CompletedProcess([module], -signal.SIGKILL, b"", b"")

    def _exit_code(self, module: str, streams: list[int], timeout_s: float) -> int | None:
        """Return the exit code of a job; None if the fork server ended before it."""
        reports, report = os.pipe()
        process = None
        try:
            try:
                with self._lock, suppress(BrokenPipeError, ConnectionResetError):
                    connection, process = self._connection(), self._process
                    socket.send_fds(connection, [module.encode()], [*streams, report])
            finally:
                os.close(report)
            code = _awaited(module, reports, timeout_s)
        finally:
            os.close(reports)
        with self._lock:
            if code is None and process is self._process:
                self._stop()
        return code

    def _connection(self) -> socket.socket:
        if self._process is not None and self._process.poll() is not None:
            self._stop()
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                command = self._command | {"args": [*self._command["args"], str(theirs.fileno())], "pass_fds": [theirs.fileno()]}
                errors = None if sys.stderr else subprocess.DEVNULL  # the numbers of closed streams would be used again
                self._process = subprocess.Popen(**command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)
        return self._control

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None


def _awaited(module: str, reports: int, timeout_s: float) -> int | None:
    """Return a job's exit code; None if the fork server ended before it.

    A job without an exit code is killed.
    """
    end_s = time.monotonic() + timeout_s
    job = code = None
    try:
        number = _report(reports, end_s)
        if number is not None:
            with suppress(ProcessLookupError):  # it has ended, and its exit code is on its way
                job = os.pidfd_open(number)
            code = _report(reports, end_s)
        return code
    except TimeoutError:
        raise subprocess.TimeoutExpired(module, timeout_s) from None
    finally:
        if job is not None:
            if code is None:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(job, signal.SIGKILL)
            os.close(job)


def _report(reports: int, end_s: float) -> int | None:
    """Return the next report; None if the fork server has ended. Raises TimeoutError at `end_s`."""
    poll = select.poll()
    poll.register(reports, select.POLLIN)
    if not poll.poll(max(0.0, 1e3 * (end_s - time.monotonic()))):
        raise TimeoutError
    received = os.read(reports, _INT)
    return int.from_bytes(received, "little", signed=True) if received else None


def main() -> None:
    """Fork for each message on the server's socket until it closes."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server ends this process
    for module in (*MODULES, "esc.audio.decoders.ffmpeg"):
        import_module(module)
    gc.freeze()  # a collection in a fork would copy the memory that it shares
    ended, ends = os.pipe()
    for end in (ended, ends):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(ends)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, int] = {}  # report pipes by process
    while True:
        ready, _, _ = select.select([control.fileno(), ended], [], [])
        if ended in ready:
            os.read(ended, 4096)
            _report_ended(running)
        if control.fileno() in ready:
            name, descriptors, _, _ = socket.recv_fds(control, _LONGEST_NAME, len(_STREAMS) + 1)
            if not name:
                return
            _fork(name.decode(), descriptors, running, (control.fileno(), ended, ends))


def _fork(module: str, descriptors: list[int], running: dict[int, int], own: tuple[int, ...]) -> None:
    *streams, report = descriptors
    poll = select.poll()
    poll.register(report, 0)
    process, server = None, os.getpid()
    if not poll.poll(0):  # else the server no longer waits: the time for the job is over
        try:
            process = os.fork()
        except OSError as error:  # too many processes
            print(f"no process for {module}: {error}", file=sys.stderr, flush=True)
    if process is None:
        for descriptor in descriptors:
            os.close(descriptor)
        return
    if process == 0:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # its number may not be reported yet when the server is killed
        if os.getppid() != server:
            os._exit(1)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
        for descriptor in (*descriptors, *running.values(), *own):
            os.close(descriptor)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w", errors="backslashreplace")
        _run(module)
    for stream in streams:
        os.close(stream)
    running[process] = report
    _write(report, process)


def _run(module: str) -> None:
    """Do a job in its fork, which ends with it."""
    code = 1
    try:
        sys.argv = [module, "-"]
        worker = import_module(module)
        code = worker.run_job(worker.main)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _report_ended(running: dict[int, int]) -> None:
    while running:
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            return
        report = running.pop(process)
        _write(report, os.waitstatus_to_exitcode(status))
        os.close(report)


def _write(report: int, value: int) -> None:
    with suppress(BrokenPipeError):  # the server no longer waits for it
        os.write(report, value.to_bytes(_INT, "little", signed=True))


if __name__ == "__main__":
    main()
