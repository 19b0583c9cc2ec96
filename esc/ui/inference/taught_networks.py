"""Networks that sessions have taught or loaded: a folder each, deleted with its session."""

from __future__ import annotations

import secrets
import shutil
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from esc.classification.teaching.archive import pack
from esc.errors import PageError
from esc.ui.sessions.sound import Session

MAX_NETWORKS = 100  # of all sessions, of some 22 MB each
Choice = Literal["app", "own", "both"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass
class _Own:
    folder: Path
    choice: Choice


class TaughtNetworks:
    """The session's own networks of one app, at most one each.

    Parameters
    ----------
    folder : Path
        Contains a folder for these networks alone; never served.
    public : Path
        A served folder, for ZIP files under unguessable names.
    """

    def __init__(self, folder: Path, public: Path) -> None:
        self._folder, self._public = folder / "taught", public
        self._own: weakref.WeakKeyDictionary[Session, _Own] = weakref.WeakKeyDictionary()
        self._archives: weakref.WeakKeyDictionary[Session, tuple[Path, ...]] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def new_folder(self, session: Session) -> Path:
        """Return a new folder to write a session's network to.

        Raises
        ------
        PageError
            "page.busy" if the other sessions have too many.
        """
        self.check_space(session)
        folder = self._folder / secrets.token_hex(8)
        folder.mkdir(parents=True)
        return folder

    def check_space(self, session: Session) -> None:
        """Raise PageError("page.busy") if the other sessions have too many networks for another one."""
        with self._lock:
            if len(self._own) - (session in self._own) >= MAX_NETWORKS:
                raise PageError("page.busy")

    def keep(self, session: Session, folder: Path) -> None:
        """Use a folder as the session's network; its earlier one is deleted."""
        with self._lock:
            before = self._own.get(session)
            self._own[session] = _Own(folder, "own")
            weakref.finalize(session, shutil.rmtree, folder, ignore_errors=True)
        if before:
            shutil.rmtree(before.folder, ignore_errors=True)

    @staticmethod
    def delete(folder: Path) -> None:
        """Delete a new folder that is not kept."""
        shutil.rmtree(folder, ignore_errors=True)

    def use(self, session: Session, choice: Choice) -> None:
        """Choose the networks in use; PageError("page.gone") without an own one."""
        with self._lock:
            own = self._own.get(session)
            if own is None:
                raise PageError("page.gone")
            own.choice = choice

    def checkpoints(self, session: Session, app: Path) -> tuple[Path, ...]:
        """Return the networks in use; of both the own one is the first."""
        with self._lock:
            own = self._own.get(session)
            if own is None or own.choice == "app":
                return (app,)
            return (own.folder,) if own.choice == "own" else (own.folder, app)

    def archive(self, session: Session) -> Path:
        """Return a served ZIP of the session's own network; PageError("page.gone") without one."""
        folder = self.own(session)
        if folder is None:
            raise PageError("page.gone")
        path = self._public / f"taught-{secrets.token_hex(16)}.zip"
        weakref.finalize(session, path.unlink, missing_ok=True)
        with self._lock:  # a press follows another: one file at a time
            for old in self._archives.get(session, ()):
                old.unlink(missing_ok=True)
            self._archives[session] = (path,)
        pack(folder, path)
        return path

    def own(self, session: Session) -> Path | None:
        """Return the session's own network, in use or not."""
        with self._lock:
            own = self._own.get(session)
            return own.folder if own else None
