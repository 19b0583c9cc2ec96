"""The files that a page wants to hear together: its own, bounded in number and size, deleted when its session ends."""

from __future__ import annotations

import secrets
import threading
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from esc.errors import PageError
from esc.ui.sessions.sound import Session, link_or_copy

MAX_FILES = 200
MAX_PAGE_BYTES = 2 * 10**9
MAX_BYTES_OF_ALL = 6 * 10**9
_PREFIX = "uploaded-"


@dataclass(frozen=True)
class UploadedFile:
    """One file: its id, what the user calls it, where it lies and how large it is."""

    id: str
    name: str
    path: Path
    bytes: int


class UploadedFiles:
    """The files of all pages of one app.

    Parameters
    ----------
    folder : Path
        Made if need be, and for these files alone; no web server may serve it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._files: weakref.WeakKeyDictionary[Session, dict[str, UploadedFile]] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()  # a session may end in the middle of anything

    def add(self, session: Session, path: Path, name: str) -> UploadedFile:
        """Keep a file for as long as the session lasts, whatever becomes of `path`; the caller vouches for that.

        Raises
        ------
        PageError
            "files.many" or "files.large" where the page has too much already, "page.busy" where all pages together have.
        """
        size = path.stat().st_size
        with self._lock:
            own = self._of(session)
            if len(own) >= MAX_FILES:
                raise PageError("files.many", name=name, limit=MAX_FILES)
            if _bytes(own.values()) + size > MAX_PAGE_BYTES:
                raise PageError("files.large", name=name, limit_gb=MAX_PAGE_BYTES / 1e9)
            if sum(_bytes(files.values()) for files in self._files.values()) + size > MAX_BYTES_OF_ALL:
                raise PageError("page.busy")
            file_id = secrets.token_hex(16)
            uploaded = UploadedFile(file_id, name, self._folder / f"{_PREFIX}{file_id}{path.suffix.lower()}", size)
            link_or_copy(path, uploaded.path)
            own[file_id] = uploaded
        return uploaded

    def get(self, session: Session, file_id: object) -> UploadedFile:
        """Return a file of the session; another's, or none, raises PageError("page.gone")."""
        with self._lock:
            own = self._of(session)
            if not isinstance(file_id, str) or file_id not in own:
                raise PageError("page.gone")
            return own[file_id]

    def clear(self, session: Session) -> None:
        """Delete all files of a session."""
        with self._lock:
            _delete(self._of(session))

    def _of(self, session: Session) -> dict[str, UploadedFile]:
        if session not in self._files:
            self._files[session] = {}
            weakref.finalize(session, _delete, self._files[session])
        return self._files[session]


def _bytes(files: Iterable[UploadedFile]) -> int:
    return sum(one.bytes for one in files)


def _delete(files: dict[str, UploadedFile]) -> None:
    while files:
        _, one = files.popitem()
        one.path.unlink(missing_ok=True)
