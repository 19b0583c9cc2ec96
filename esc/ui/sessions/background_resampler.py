"""Resampling of long sounds in the background."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future

from esc.errors import EscError
from esc.ui.sessions.sound import Sound

MAX_WAITING = 8
_log = logging.getLogger(__name__)


class BackgroundResampler:
    """A bounded queue of sounds, and a daemon thread that resamples them.

    Parameters
    ----------
    resample : callable
        Called with a sound and a sample rate.
    """

    def __init__(self, resample: Callable[[Sound, int], object]) -> None:
        self._resample = resample
        self._waiting: OrderedDict[tuple[Sound, int], Future[None]] = OrderedDict()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, sound: Sound, sample_rate: int) -> Future[None]:
        """Queue a sound; the oldest of more than `MAX_WAITING` is cancelled."""
        with self._lock:
            future = self._waiting.setdefault((sound, sample_rate), Future())
            if len(self._waiting) > MAX_WAITING:
                self._waiting.popitem(last=False)[1].cancel()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="resample")
                self._thread.start()
        return future

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                (sound, sample_rate), future = self._waiting.popitem(last=False)
            if not future.set_running_or_notify_cancel():
                continue
            try:
                if not sound.dropped:
                    self._resample(sound, sample_rate)
            except (EscError, OSError) as error:  # such as a full disk: the present waveform stays in use
                _log.info("a sound is not resampled: %s", type(error).__name__)
            except Exception:
                _log.exception("resampling failed")
            future.set_result(None)
