"""ESC-50's public archive: resumable download, checks and atomic unpacking.

pooch does not fit: it restarts a broken download from its first byte and keeps nothing of it.
"""

from __future__ import annotations

import http.client
import logging
import os
import shutil
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from esc.errors import DataError
from esc.paths import sha256_of
from training.data.esc50 import read_clips
from training.runs.disk import check_free_space, disk_full_error
from training.runs.progress import download_bar

log = logging.getLogger(__name__)
URL = "https://github.com/karoldvl/ESC-50/archive/master.zip"
LICENCE = (
    "ESC-50: Dataset for Environmental Sound Classification, K. J. Piczak, 2015, doi:10.1145/2733373.2806390.\n"
    "Licence CC BY-NC 3.0: free for non-commercial use with attribution; its subset ESC-10 is CC BY 3.0.\n"
    "The recordists of the clips are named in the archive's file LICENSE."
)
_BLOCK_SIZE = 1 << 18
_TIMEOUT_S = 30.0
_MAX_FAILURES = 5  # in a row without a byte
_CLIPS, _CLASSES, _FOLDS = 2_000, 50, 5


def download(folder: Path, url: str = URL, sha256: str | None = None, pause_s: float = 2.0) -> Path:
    """Download ESC-50 into a folder and return it; a complete copy is left alone.

    The archive is `<folder>.zip.part` until it is complete, and a later call resumes it. Every file is checked against the
    archive's CRC, and the table against ESC-50's shape. `sha256` of the archive is optional, since GitHub generates the
    official one on demand.

    Raises
    ------
    DataError
        The server can't be reached or sends something else, `folder` holds something else, or the disk is full.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        return _check_existing(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    archive = folder.with_name(folder.name + ".zip")
    if not archive.is_file():
        fetch(url, archive, pause_s)
    try:
        if sha256 is not None and sha256_of(archive) != sha256.lower():
            raise _NotEsc50("its SHA-256 is another one")
        unpack(archive, folder)
    except (_NotEsc50, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        archive.unlink()
        raise DataError("download.archive", url=url, reason=str(error).rstrip(".")) from error
    archive.unlink()
    return folder


def fetch(url: str, target: Path, pause_s: float = 2.0) -> None:
    """Fetch a file over HTTP, resuming `<target>.part`."""
    if not url.startswith(("http://", "https://")):
        raise DataError("download.failed", url=url, reason="only http and https are possible")
    part = target.with_name(target.name + ".part")
    failures = 0
    with download_bar() as bar:
        task = bar.add_task(target.name, total=None)
        while True:
            before = part.stat().st_size if part.is_file() else 0
            try:
                if _fetch_rest(url, part, lambda done, total: bar.update(task, completed=done, total=total)):
                    break
                reason = "the connection broke off"
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
                if isinstance(error, urllib.error.HTTPError) and error.code < 500:
                    raise DataError("download.failed", url=url, reason=f"HTTP status {error.code}") from error
                reason = str(getattr(error, "reason", error)) or type(error).__name__
            progressed = part.is_file() and part.stat().st_size > before
            failures = 0 if progressed else failures + 1
            if failures == _MAX_FAILURES:
                raise DataError("download.failed", url=url, reason=reason)
            log.info("%s; retrying", reason)
            time.sleep(pause_s)
    os.replace(part, target)
    _etag_file(part).unlink(missing_ok=True)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack ESC-50 without its outermost folder; `folder` appears when everything is checked."""
    unfinished = folder.with_name(folder.name + ".unpacking")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            check_free_space(unfinished, sum(member.file_size for member in members))
            for member in members:
                _extract(opened, member, unfinished)
        _check_esc50(unfinished)
        if folder.is_dir():
            folder.rmdir()  # an empty one
        os.replace(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


class _NotEsc50(Exception):
    """An archive or folder that is not ESC-50."""


def _check_existing(folder: Path) -> Path:
    try:
        _check_esc50(folder)
    except (_NotEsc50, NotADirectoryError) as error:
        raise DataError("download.exists", path=folder) from error
    log.info("%s already holds ESC-50", folder)
    return folder


def _fetch_rest(url: str, part: Path, on_progress: Callable[[int, int | None], None]) -> bool:
    """Append the missing bytes to `part`; return whether it is complete."""
    size = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "esc-sound"})
    if size:
        request.add_header("Range", f"bytes={size}-")
        if _etag_file(part).is_file():
            request.add_header("If-Range", _etag_file(part).read_text())  # a changed file is sent from its beginning
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        if error.headers.get("Content-Range") == f"bytes */{size}":
            return True
        part.unlink()  # longer than the file: the beginning of another one
        return False
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            size = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {size}-"):
            part.unlink()
            return False
        length = response.headers.get("Content-Length")
        total = size + int(length) if length else None
        if total:
            check_free_space(part, total - size)
        with disk_full_error(part), part.open("ab" if size else "wb") as file:
            if response.headers.get("ETag", "").startswith('"'):  # weak tags do not identify bytes
                _etag_file(part).write_text(response.headers["ETag"])
            while block := response.read(_BLOCK_SIZE):
                file.write(block)
                size += len(block)
                on_progress(size, total)
    return total is None or size == total


def _etag_file(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """Write one member, checked by its CRC; its path may not leave the folder."""
    name = PurePosixPath(member.filename)
    if len(name.parts) == 1:
        return  # a loose file next to the outermost folder
    if name.is_absolute() or any(part == ".." or set(part) & set("\\:") for part in name.parts):
        raise _NotEsc50(f"it holds a file {member.filename!r}")
    path = folder.joinpath(*name.parts[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    with disk_full_error(path), opened.open(member) as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file, _BLOCK_SIZE)


def _check_esc50(folder: Path) -> None:
    """Raise unless the table has ESC-50's numbers of clips, classes and folds."""
    if not folder.is_dir():
        raise _NotEsc50("it is empty")
    try:
        clips = read_clips(folder)
    except DataError as error:
        reason = {"data.missing": "it has no table or no sounds", "data.columns": "its table has other columns"}
        raise _NotEsc50(reason.get(error.key, "its table and its sounds don't fit")) from error
    classes, folds = Counter(clip.target for clip in clips), Counter(clip.fold for clip in clips)
    shape = (len(clips), len(classes), set(classes.values()), len(folds), set(folds.values()))
    if shape != (_CLIPS, _CLASSES, {_CLIPS // _CLASSES}, _FOLDS, {_CLIPS // _FOLDS}):
        raise _NotEsc50(f"it has {len(clips)} clips of {len(classes)} classes in {len(folds)} folds")
