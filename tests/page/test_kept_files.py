"""Old uploads and empty folders: deleted by age and size, new ones kept."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from esc.ui.sessions import kept_files
from esc.ui.sessions.kept_files import KeptFiles, delete_old_uploads


@pytest.fixture
def uploads(tmp_path):
    for number in range(4):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "a.wav").write_bytes(b"x" * 100)
    (tmp_path / "empty").mkdir()
    return tmp_path


def names(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_new_uploads_stay(uploads, monkeypatch):
    before = names(uploads)
    monkeypatch.setattr(kept_files, "MAX_UPLOAD_BYTES", 0)
    delete_old_uploads(uploads)
    assert names(uploads) == before


def test_old_uploads_and_their_folders_go(uploads, monkeypatch):
    monkeypatch.setattr(kept_files, "KEEP_SECONDS", -1.0)
    delete_old_uploads(uploads)
    assert [name for name in names(uploads) if name.endswith(".wav")] == []
    monkeypatch.setattr(kept_files, "_NEW_SECONDS", -1.0)
    delete_old_uploads(uploads)
    assert names(uploads) == []


def test_parts_of_uploads_whose_browser_is_gone_go(uploads, monkeypatch):
    (uploads / "tmp1234").write_bytes(b"x")
    delete_old_uploads(uploads)
    assert "tmp1234" in names(uploads)
    monkeypatch.setattr(kept_files, "_STALLED_SECONDS", -1.0)
    before = names(uploads)
    delete_old_uploads(uploads)
    assert names(uploads) == [name for name in before if name != "tmp1234"]


@pytest.mark.parametrize(("most", "free"), [(250, 10**9), (10**9, 150)])
def test_uploads_past_the_size_go_oldest_first(uploads, monkeypatch, most, free):
    monkeypatch.setattr(kept_files, "_NEW_SECONDS", -1.0)
    monkeypatch.setattr(kept_files, "MAX_UPLOAD_BYTES", most)
    monkeypatch.setattr(kept_files.shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    delete_old_uploads(uploads)
    assert [name for name in names(uploads) if name.endswith(".wav")] == ["2/a.wav", "3/a.wav"]


@pytest.mark.parametrize(("most", "free"), [(10, 10**9), (10**9, 20)])
def test_newest_file_stays_whatever_its_size(tmp_path, monkeypatch, most, free):
    monkeypatch.setattr(kept_files.shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    kept = KeptFiles(most)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x" * 100)
        kept.add(tmp_path / name)
    assert names(tmp_path) == ["b"]
