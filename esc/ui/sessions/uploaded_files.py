"""Files of the batch tab: bounded in number and size, deleted with their session."""

from __future__ import annotations

import secrets
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path

from esc.errors import PageError
from esc.ui.sessions.sound import Session, link_or_copy

MAX_FILES = 200
MAX_PAGE_BYTES = 2 * 10**9
MAX_BYTES_OF_ALL = 6 * 10**9


@dataclass(frozen=True)
class UploadedFile:
    """One file: its id, the user's name for it, its path and size."""

    id: str
    name: str
    path: Path
    bytes: int


@dataclass(frozen=True)
class _SessionFiles:
    prefix: str = field(default_factory=lambda: f"uploaded-{secrets.token_hex(8)}-")
    by_id: dict[str, UploadedFile] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.by_id.values())


class UploadedFiles:
    """The batch files of all pages of one app.

    Parameters
    ----------
    folder : Path
        Created if necessary, for these files alone; never served.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._sessions: weakref.WeakKeyDictionary[Session, _SessionFiles] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def add(self, session: Session, path: Path, name: str) -> UploadedFile:
        """Keep a file until the session ends, also if `path` is deleted.

        The caller has checked that the session may read it.

        Raises
        ------
        PageError
            "files.many" or "files.large" if the page has too much already, "page.busy" if all pages together have.
        """
        size = path.stat().st_size
        with self._lock:
            own = self._of(session)
            if len(own.by_id) >= MAX_FILES:
                raise PageError("files.many", name=name, limit=MAX_FILES)
            if own.bytes + size > MAX_PAGE_BYTES:
                raise PageError("files.large", name=name, limit_gb=MAX_PAGE_BYTES / 1e9)
            if sum(files.bytes for files in self._sessions.values()) + size > MAX_BYTES_OF_ALL:
                raise PageError("page.busy")
            file_id = secrets.token_hex(16)
            file = UploadedFile(file_id, name, self._folder / f"{own.prefix}{file_id}{path.suffix.lower()}", size)
            link_or_copy(path, file.path)
            own.by_id[file_id] = file
        return file

    def get(self, session: Session, file_id: object) -> UploadedFile:
        """Return a file of the session; another session's, or none, raises PageError("page.gone")."""
        found = self.find(session, file_id)
        if found is None:
            raise PageError("page.gone")
        return found

    def find(self, session: Session, file_id: object) -> UploadedFile | None:
        """Return a file of the session, or None."""
        with self._lock:
            return self._of(session).by_id.get(file_id) if isinstance(file_id, str) else None

    def remove(self, session: Session, file_id: str) -> None:
        """Delete a file of the session, if it is there."""
        with self._lock:
            if found := self._of(session).by_id.pop(file_id, None):
                found.path.unlink(missing_ok=True)

    def clear(self, session: Session) -> None:
        """Delete all files of a session."""
        with self._lock:
            own = self._of(session)
            own.by_id.clear()
            _delete(self._folder, own.prefix)

    def _of(self, session: Session) -> _SessionFiles:
        if session not in self._sessions:
            own = self._sessions[session] = _SessionFiles()
            weakref.finalize(session, _delete, self._folder, own.prefix)  # touches no shared state: any thread may run it
        return self._sessions[session]


def _delete(folder: Path, prefix: str) -> None:
    for path in folder.glob(f"{prefix}*"):
        path.unlink(missing_ok=True)
