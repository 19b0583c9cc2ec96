"""Jobs of the feature worker: one at a time, with progress and immediate cancellation."""

from __future__ import annotations

import logging
import pickle
import secrets
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from esc.audio.sandbox import worker_command
from esc.errors import EscError, PageError
from esc.features.worker import FeatureTask

WAITING = 8  # tasks in the queue, of all pages together
KEPT_JOBS = 32  # finished jobs kept for requests
ABANDONED_S = 30.0  # without a request: the page is closed
IDLE_S = 600.0  # without work, until the process, some 0.3 GB, ends
_WATCH_S = 1.0
_FAULTS = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGABRT", "SIGFPE")
_CRASHES = {-getattr(signal, name) for name in _FAULTS if hasattr(signal, name)} | {0xC0000005}  # Windows' access violation
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """A task in the queue, running or finished."""

    owner: str  # session that may request the job
    slot: str  # a newer job of the same owner and slot replaces it
    task: FeatureTask | None = field(repr=False)
    id: str = field(default_factory=lambda: secrets.token_hex(16))  # not guessable
    progress: float = 0.0  # 0 to 1
    state: str = "waiting"  # or "running", "done", "cancelled", "failed"
    result: dict | None = field(default=None, repr=False)  # of `esc.features.worker.compute`
    error: EscError | None = None
    asked_at: float = field(default_factory=time.monotonic, repr=False)

    @property
    def over(self) -> bool:
        """Whether the state is final."""
        return self.state in ("done", "cancelled", "failed")


class JobQueue:
    """The jobs of all pages and their worker process, which ends when idle.

    Parameters
    ----------
    new_folder : callable
        Makes a folder for compiled code, in place of Numba's cache if the worker crashes with that.
    """

    def __init__(self, new_folder: Callable[[], str | Path]) -> None:
        self._new_folder = new_folder
        self._compiled: str | None = None  # the folder, once it is needed
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[Job] = deque()
        self._lock = threading.Condition()
        self._process: subprocess.Popen | None = None
        self._running: Job | None = None
        self._threads: list[threading.Thread] = []

    def start(self, owner: str, slot: str, task: FeatureTask) -> Job:
        """Return the job of a queued task.

        The owner's earlier job of the same slot is cancelled.

        Raises
        ------
        PageError
            "page.busy" if too many are waiting.
        """
        with self._lock:
            for earlier in self._jobs.values():
                if (earlier.owner, earlier.slot) == (owner, slot):
                    self._cancel(earlier)
            if len(self._waiting) >= WAITING:
                raise PageError("page.busy")
            job = Job(owner, slot, task)
            self._jobs[job.id] = job
            for old in [one for one in self._jobs.values() if one.over][:-KEPT_JOBS]:
                del self._jobs[old.id]
            self._waiting.append(job)
            if not self._threads:
                for run in (self._work, self._watch):
                    self._threads.append(threading.Thread(target=run, daemon=True, name=f"features{run.__name__}"))
                    self._threads[-1].start()
            self._lock.notify_all()
        return job

    def ask(self, owner: str, job_id: object) -> Job:
        """Return an owner's job and note that it is still wanted; anything else raises PageError("page.request")."""
        with self._lock:
            job = self._jobs.get(job_id) if isinstance(job_id, str) else None
            if job is None or job.owner != owner:
                raise PageError("page.request", reason="job")
            job.asked_at = time.monotonic()
            return job

    def cancel(self, owner: str, job_id: object) -> Job:
        """Cancel an owner's job; its process is killed if it is running."""
        job = self.ask(owner, job_id)
        with self._lock:
            self._cancel(job)
        return job

    def _cancel(self, job: Job) -> None:
        if job.over:
            return
        job.state, job.task = "cancelled", None
        if job in self._waiting:
            self._waiting.remove(job)
        if job is self._running and self._process is not None:
            self._process.kill()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._lock.wait_for(lambda: self._waiting, IDLE_S):
                    self._stop_process()
                    continue
                job = self._running = self._waiting.popleft()
                job.state, task = "running", job.task
            try:
                try:
                    self._compute(job, task)
                except EOFError:  # the worker ended
                    if job.over or not self._replace_cache():
                        raise
                    self._compute(job, task)
            except Exception as error:  # killed by us or for its memory, or not started; this thread has to go on
                if self._settle(job, "failed", error=PageError("page.failed")):
                    _log.error("the worker of features ended: %r", error)
                self._stop_process()
            with self._lock:
                self._running, job.task = None, None
            if job.state == "cancelled":  # killed, perhaps after it replied: no other task may be sent to it
                self._stop_process()

    def _compute(self, job: Job, task: FeatureTask | None) -> None:
        if self._process is None or self._process.poll() is not None:
            command = worker_command("esc.features.worker")
            command["env"] |= {"NUMBA_CACHE_DIR": self._compiled} if self._compiled else {}
            self._process = subprocess.Popen(**command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process = self._process
        if job.over:  # cancelled before there was a process to kill
            return
        tasks, replies = process.stdin, process.stdout
        assert tasks is not None and replies is not None
        pickle.dump(task, tasks)
        tasks.flush()
        kind, *reply = pickle.load(replies)
        while kind == "progress":
            job.progress = reply[0]
            kind, *reply = pickle.load(replies)
        result, error = reply
        self._settle(job, "failed" if error else "done", result, error)

    def _replace_cache(self) -> bool:
        """Replace Numba's cache if the worker crashed; return whether it was replaced."""
        assert self._process is not None
        code = self._process.wait()
        if self._compiled or code not in _CRASHES:
            return False
        self._compiled = str(self._new_folder())
        _log.warning(
            "the worker of features crashed (%d); it begins again without Numba's cache, its *.nbi and *.nbc files", code
        )
        return True

    def _settle(self, job: Job, state: str, result: dict | None = None, error: EscError | None = None) -> bool:
        """Set the outcome of a job unless it is over; return whether it was set."""
        with self._lock:
            if job.over:
                return False
            job.state, job.result, job.error = state, result, error
            job.progress = 1.0 if state == "done" else job.progress
            return True

    def _stop_process(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _watch(self) -> None:
        """Cancel abandoned jobs."""
        while True:
            time.sleep(_WATCH_S)
            with self._lock:
                for job in self._jobs.values():
                    if time.monotonic() - job.asked_at > ABANDONED_S:
                        self._cancel(job)
