"""Download from a test server with ranges, broken connections, other contents and errors."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import resource
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from esc.errors import DataError
from training.data import download as module
from training.data.download import download
from training.data.esc50 import read_clips

CLIP = os.urandom(64)


def archive_of(clips: int = 2_000, change=None) -> bytes:
    """Return a zip laid out as GitHub's, with as many rows as asked for."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["filename", "fold", "target", "category", "esc10", "src_file", "take"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("ESC-50-master/LICENSE", "CC BY-NC")
        for number in range(clips):
            target, fold = number % 50, number // 50 % 5 + 1
            name = f"{fold}-{number}-A-{target}.wav"
            writer.writerow([name, fold, target, f"class {target}", False, number, "A"])
            archive.writestr(f"ESC-50-master/audio/{name}", CLIP)
        archive.writestr("ESC-50-master/meta/esc50.csv", table.getvalue())
        if change:
            change(archive)
    return packed.getvalue()


@pytest.fixture(scope="module")
def whole() -> bytes:
    return archive_of()


class Server(ThreadingHTTPServer):
    """Serves `body`; `break_after` holds, for each coming answer, after how many of its bytes it breaks off."""

    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.break_after, self.asked, self.ranges, self.status = body, [], [], True, None
        self.url = f"http://127.0.0.1:{self.server_port}/master.zip"

    @property
    def tag(self) -> str:
        return f'"{hashlib.md5(self.body).hexdigest()}"'


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append(wanted)
        if server.status:
            return self.send_error(server.status)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        if self.headers.get("If-Range", server.tag) != server.tag:
            start = 0
        if start and start >= len(server.body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.body)}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        part = server.body[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.body) - 1}/{len(server.body)}")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("ETag", server.tag)
        self.end_headers()
        self.wfile.write(part[: server.break_after.pop(0)] if server.break_after else part)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(whole):
    with Server(whole) as serving:
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def error_of(*arguments, **named) -> DataError:
    with pytest.raises(DataError) as caught:
        download(*arguments, pause_s=0.0, **named)
    return caught.value


def test_download_and_unpack(server, whole, tmp_path):
    folder = download(tmp_path / "data" / "ESC-50", server.url, hashlib.sha256(whole).hexdigest())
    assert len(read_clips(folder)) == 2_000
    assert (folder / "LICENSE").read_text() == "CC BY-NC"
    assert (folder / "audio" / "1-0-A-0.wav").read_bytes() == CLIP
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["ESC-50"]
    assert server.asked == [None]


@pytest.mark.slow
def test_resume_after_broken_connection(server, whole, tmp_path):
    server.break_after = [100_000, 50_000, 0, 0, 10]
    download(tmp_path / "ESC-50", server.url, hashlib.sha256(whole).hexdigest(), pause_s=0.0)
    starts = [None, *(f"bytes={start}-" for start in (100_000, 150_000, 150_000, 150_000, 150_010))]
    assert server.asked == starts


def test_resume_in_a_later_call(server, tmp_path):
    server.break_after = [70_000, 0, 0, 0, 0, 0]
    error = error_of(tmp_path / "ESC-50", server.url)
    assert (error.key, len(server.asked)) == ("download.failed", 6)
    assert (tmp_path / "ESC-50.zip.part").stat().st_size == 70_000
    assert not (tmp_path / "ESC-50").exists()
    download(tmp_path / "ESC-50", server.url)
    assert server.asked[-1] == "bytes=70000-"
    assert len(read_clips(tmp_path / "ESC-50")) == 2_000


def test_server_without_ranges(server, tmp_path):
    server.ranges, server.break_after = False, [70_000]
    download(tmp_path / "ESC-50", server.url, pause_s=0.0)
    assert len(read_clips(tmp_path / "ESC-50")) == 2_000


def test_resume_with_another_etag(server, tmp_path):
    server.break_after = [70_000, 0, 0, 0, 0, 0]
    error_of(tmp_path / "ESC-50", server.url)
    server.body = archive_of(change=lambda archive: archive.writestr("ESC-50-master/news.txt", "new" * 999))
    download(tmp_path / "ESC-50", server.url)
    assert (tmp_path / "ESC-50" / "news.txt").is_file()


@pytest.mark.slow
def test_resume_complete_or_too_long_part(server, whole, tmp_path):
    part = tmp_path / "ESC-50.zip.part"
    part.write_bytes(whole)
    download(tmp_path / "ESC-50", server.url, pause_s=0.0)
    part = tmp_path / "other.zip.part"
    part.write_bytes(whole + b"more")
    download(tmp_path / "other", server.url, pause_s=0.0)
    assert len(read_clips(tmp_path / "other")) == 2_000


def damaged() -> bytes:
    body = bytearray(archive_of())
    index = body.find(CLIP, 50_000)
    body[index] ^= 255
    return bytes(body)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: b"<html>Sign in</html>", "not a zip"),
        (damaged, "CRC"),
        (lambda: archive_of(1_999), "1999 clips of 50 classes in 5 folds"),
        (lambda: archive_of(change=lambda archive: archive.writestr("x/../../evil.txt", "!")), "evil"),
        (lambda: archive_of(0), "other columns"),
    ],
    ids=["page", "damaged", "short", "escaping", "empty"],
)
def test_other_archives_are_removed(server, tmp_path, make, reason):
    server.body = make()
    error = error_of(tmp_path / "a" / "ESC-50", server.url)
    assert error.key == "download.archive"
    assert reason in error.values["reason"]
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]


def test_wrong_checksum(server, tmp_path):
    assert error_of(tmp_path / "ESC-50", server.url, sha256="0" * 64).key == "download.archive"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("status", [404, 503])
def test_http_errors(server, tmp_path, status):
    server.status = status
    error = error_of(tmp_path / "ESC-50", server.url)
    assert error.key == "download.failed"
    assert len(server.asked) == (1 if status == 404 else 5)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://127.0.0.1:9/a.zip", "ftp://127.0.0.1/a.zip"])
def test_invalid_urls(tmp_path, url):
    assert error_of(tmp_path / "ESC-50", url).key == "download.failed"


@pytest.mark.slow
def test_existing_folder(server, tmp_path):
    folder = tmp_path / "ESC-50"
    folder.mkdir()
    download(folder, server.url)  # an empty one is filled
    server.asked.clear()
    assert download(folder, server.url) == folder
    assert server.asked == []
    (folder / "audio" / "1-0-A-0.wav").unlink()
    error = error_of(folder, server.url)
    assert (error.key, error.values["path"]) == ("download.exists", str(folder))
    assert error_of(folder / "LICENSE", server.url).key == "download.exists"
    assert server.asked == []


def test_disk_full_keeps_the_part(server, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, hard))  # the system's own error, met while writing
    try:
        error = error_of(tmp_path / "ESC-50", server.url)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.key == "disk.full"
    assert (tmp_path / "ESC-50.zip.part").stat().st_size <= 90_000
    download(tmp_path / "ESC-50", server.url)
    assert len(read_clips(tmp_path / "ESC-50")) == 2_000


def test_free_space_is_checked(server, tmp_path, monkeypatch):
    monkeypatch.setattr("training.runs.disk.shutil.disk_usage", lambda _: type("Usage", (), {"free": 1_000})())
    error = error_of(tmp_path / "ESC-50", server.url)
    assert (error.key, error.values["free_mb"]) == ("disk.room", 0.001)


def test_download_command_shows_the_licence(server, tmp_path, run_command):
    code, printed, _ = run_command("download", "--output", tmp_path / "ESC-50", "--url", server.url)
    assert code == 0
    assert "CC BY-NC 3.0" in printed
    assert str(tmp_path / "ESC-50") in printed
    assert module.URL.startswith("https://github.com/karoldvl/ESC-50/")
