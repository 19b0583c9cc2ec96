"""Work for the process that computes layers: one task at a time, with progress, and an end at once when it is cancelled."""

from __future__ import annotations

import logging
import os
import pickle
import secrets
import subprocess
import sys
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from esc.errors import EscError, PageError
from esc.features.worker import FeatureTask
from esc.paths import ROOT

WAITING = 8  # tasks in the queue of all pages together
KEPT_JOBS = 32  # finished ones, until they are asked for
ABANDONED_S = 30.0  # nobody asks how it is going: the page is closed
IDLE_S = 600.0  # without work the process, some 0.3 GB, is not kept
_WATCH_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """A task under way.

    Attributes
    ----------
    id : str
        Not guessable.
    owner : str
        Whose it is; nobody else learns of it.
    slot : str
        What it is for: a newer job of the same owner for the same takes its place.
    feature : str
        Which layer it is.
    progress : float
        0 to 1.
    state : str
        "waiting", "running", "done", "cancelled" or "failed".
    result : dict or None
        What `esc.features.worker.compute` returned.
    error : EscError or None
    """

    owner: str
    slot: str
    task: FeatureTask | None = field(repr=False)
    feature: str = field(init=False)
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    progress: float = 0.0
    state: str = "waiting"
    result: dict | None = field(default=None, repr=False)
    error: EscError | None = None
    asked_at: float = field(default_factory=time.monotonic, repr=False)

    def __post_init__(self) -> None:
        self.feature = self.task.feature

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("done", "cancelled", "failed")


class JobQueue:
    """All jobs of one app. The worker process is started with the first one and ends with the app, or with this."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: deque[Job] = deque()
        self._lock = threading.Condition()
        self._process: subprocess.Popen | None = None
        self._running: Job | None = None
        self._threads: list[threading.Thread] = []

    def start(self, owner: str, slot: str, task: FeatureTask) -> Job:
        """Queue a task and return its job; an earlier one of the same owner and slot ends.

        Raises
        ------
        PageError
            "page.busy" where too many wait.
        """
        with self._lock:
            for earlier in self._jobs.values():
                if (earlier.owner, earlier.slot) == (owner, slot):
                    self._end(earlier)
            if len(self._waiting) >= WAITING:
                raise PageError("page.busy")
            job = Job(owner, slot, task)
            self._jobs[job.id] = job
            for old in [one for one in self._jobs.values() if one.over][:-KEPT_JOBS]:
                del self._jobs[old.id]
            self._waiting.append(job)
            if not self._threads:
                for run in (self._work, self._watch):
                    self._threads.append(threading.Thread(target=run, daemon=True, name=f"layers{run.__name__}"))
                    self._threads[-1].start()
            self._lock.notify_all()
        return job

    def ask(self, owner: str, job_id: object) -> Job:
        """Return an owner's job, which it is still interested in; anything else raises PageError("page.request")."""
        with self._lock:
            job = self._jobs.get(job_id) if isinstance(job_id, str) else None
            if job is None or job.owner != owner:
                raise PageError("page.request", reason="job")
            job.asked_at = time.monotonic()
            return job

    def cancel(self, owner: str, job_id: object) -> Job:
        """End an owner's job now: its process is killed if it is at work."""
        job = self.ask(owner, job_id)
        with self._lock:
            self._end(job)
        return job

    def _end(self, job: Job) -> None:
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
                    self._rest()
                    continue
                job = self._running = self._waiting.popleft()
                job.state, task = "running", job.task
                try:
                    process = self._ready()
                except OSError as error:  # no memory or no processes left
                    _log.error("no process for layers: %s", error)
                    job.error, job.state = PageError("page.failed"), "failed"
                    continue
            try:
                self._follow(job, task, process)
            except (EOFError, OSError, pickle.UnpicklingError):  # it was killed, by us or for its memory
                self._lost(job, process)
            with self._lock:
                self._running, job.task = None, None

    def _follow(self, job: Job, task: FeatureTask, process: subprocess.Popen) -> None:
        pickle.dump(task, process.stdin)
        process.stdin.flush()
        while True:
            kind, *said = pickle.load(process.stdout)
            with self._lock:
                if kind == "progress":
                    job.progress = said[0]
                    continue
                if job.over:
                    return
                if kind == "done":
                    job.result, job.state, job.progress = said[0], "done", 1.0
                elif kind == "refused":
                    job.error, job.state = EscError(said[0], **said[1]), "failed"
                else:
                    _log.error("layer %s failed:\n%s", task.feature, said[0])
                    job.error, job.state = PageError("page.failed"), "failed"
                return

    def _lost(self, job: Job, process: subprocess.Popen) -> None:
        process.kill()
        code = process.wait()
        with self._lock:
            self._process = None
            if not job.over:
                _log.error("the layers' process ended with %d", code)
                job.error, job.state = PageError("page.failed"), "failed"

    def _rest(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _watch(self) -> None:
        """End what nobody asks for any more."""
        while True:
            time.sleep(_WATCH_S)
            with self._lock:
                for job in [job for job in self._jobs.values() if not job.over]:
                    if time.monotonic() - job.asked_at > ABANDONED_S:
                        self._end(job)

    def _ready(self) -> subprocess.Popen:
        if self._process is None or self._process.poll() is not None:
            house = ROOT
            search = os.pathsep.join(filter(None, (str(house), os.environ.get("PYTHONPATH"))))
            environment = os.environ | {"PYTHONPATH": search, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            command = [sys.executable, "-m", "esc.features.worker"]
            self._process = subprocess.Popen(command, cwd=house, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self._process
