"""ESC-50's public archive: fetched with what a broken connection left taken up again, checked, and unpacked as one step."""

from __future__ import annotations

import hashlib
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
from training.data.esc50 import read_clips
from training.runs.disk import check_room, full_disk_named
from training.runs.progress import download_bar

log = logging.getLogger(__name__)
URL = "https://github.com/karoldvl/ESC-50/archive/master.zip"
LICENCE = (
    "ESC-50: Dataset for Environmental Sound Classification, K. J. Piczak, 2015, doi:10.1145/2733373.2806390.\n"
    "Licence CC BY-NC 3.0: free for non-commercial use with the author named; its subset ESC-10 is CC BY 3.0.\n"
    "Who recorded each clip stands in the file LICENSE of the archive."
)
_CHUNK = 1 << 18
_TIMEOUT_S = 30.0
_TRIES = 5  # in a row without a byte
_CLIPS, _CLASSES, _FOLDS = 2_000, 50, 5


def download(to: Path, url: str = URL, sha256: str | None = None, pause_s: float = 2.0) -> Path:
    """Bring ESC-50 into the folder `to` and return it; a folder that holds it whole is left as it is.

    The archive lies beside it as `<to>.zip.part` while it comes, and a later call goes on where an earlier one ended.
    Every file is checked against the checksum that the archive holds of it, and the table against ESC-50's shape.

    Parameters
    ----------
    to : path
    url : str
        http or https.
    sha256 : str, optional
        Of the archive; GitHub makes it anew now and then, so the official one has none that lasts.
    pause_s : float
        Seconds to wait before a broken connection is tried again.

    Raises
    ------
    DataError
        The server can't be reached, what it sends is something else, `to` holds something else, or the disk is full.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        return _whole_already(to)
    to.parent.mkdir(parents=True, exist_ok=True)
    archive = to.with_name(to.name + ".zip")
    if not archive.is_file():
        fetch(url, archive, pause_s)
    try:
        if sha256 is not None and _sha256(archive) != sha256.lower():
            raise DataError("download.archive", url=url, reason="its SHA-256 is another one")
        unpack(archive, to, url)
    except DataError as error:
        if error.key == "download.archive":
            archive.unlink()
        raise
    archive.unlink()
    return to


def fetch(url: str, target: Path, pause_s: float = 2.0) -> None:
    """Fetch a file over HTTP; what is there of `<target>.part` is kept and only the rest is asked for."""
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
                    raise DataError("download.failed", url=url, reason=f"the server says {error.code}") from error
                reason = str(getattr(error, "reason", error)) or type(error).__name__
            got_more = part.is_file() and part.stat().st_size > before
            failures = 0 if got_more else failures + 1
            if failures == _TRIES:
                raise DataError("download.failed", url=url, reason=reason)
            log.info("%s; trying again", reason)
            time.sleep(pause_s)
    os.replace(part, target)
    _tag(part).unlink(missing_ok=True)


def unpack(archive: Path, to: Path, url: str) -> None:
    """Unpack ESC-50's archive into `to`, without its outermost folder; `to` appears when all is there and checked."""
    unfinished = to.with_name(to.name + ".unpacking")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            check_room(unfinished, sum(member.file_size for member in members))
            for member in members:
                _extract(opened, member, unfinished)
        _check_esc50(unfinished)
        if to.is_dir():
            to.rmdir()  # an empty one
        os.replace(unfinished, to)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError("download.archive", url=url, reason=str(error).rstrip(".")) from error
    except _NotEsc50 as error:
        raise DataError("download.archive", url=url, reason=str(error)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


class _NotEsc50(Exception):
    """What was unpacked has another shape."""


def _whole_already(folder: Path) -> Path:
    try:
        _check_esc50(folder)
    except (_NotEsc50, NotADirectoryError) as error:
        raise DataError("download.exists", path=folder) from error
    log.info("%s holds ESC-50 already", folder)
    return folder


def _fetch_rest(url: str, part: Path, show: Callable[[int, int | None], None]) -> bool:
    """Append what is missing to `part`; return whether it is whole then."""
    have = part.stat().st_size if part.is_file() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "esc-sound"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        if _tag(part).is_file():
            request.add_header("If-Range", _tag(part).read_text())  # another version is sent from its beginning
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        if error.headers.get("Content-Range") == f"bytes */{have}":
            return True
        part.unlink()  # longer than what is there now: another file's beginning
        return False
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.unlink()
            return False
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        if total:
            check_room(part, total - have)
        with full_disk_named(part), part.open("ab" if have else "wb") as file:
            if response.headers.get("ETag", "").startswith('"'):  # a weak one can't vouch for single bytes
                _tag(part).write_text(response.headers["ETag"])
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                show(have, total)
    return total is None or have == total


def _tag(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _extract(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """Write one member, checked by its CRC; its path may not lead out of the folder."""
    named = PurePosixPath(member.filename)
    if len(named.parts) == 1:
        return  # a loose file beside the outermost folder
    if named.is_absolute() or any(part == ".." or set(part) & set("\\:") for part in named.parts):
        raise _NotEsc50(f"it holds a file {member.filename!r}")
    path = folder.joinpath(*named.parts[1:])
    path.parent.mkdir(parents=True, exist_ok=True)
    with full_disk_named(path), opened.open(member) as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file, _CHUNK)


def _check_esc50(folder: Path) -> None:
    """Raise where the table does not name 2,000 clips, 40 of each of 50 classes and 400 in each of five folds."""
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
