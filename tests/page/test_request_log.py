"""The log's line of a request, full disks, and what no line may hold."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from esc.audio.resampling import resample_to_file
from esc.audio.sandbox import run_in_worker
from esc.errors import AudioError
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.api.downloads import Downloads
from esc.ui.server.error_replies import RequestLog
from esc.ui.tabs.base import Services
from esc.ui.tabs.classify import ClassifyTab

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")


@pytest.fixture
def tab(tmp_path) -> ClassifyTab:
    return ClassifyTab(Services.create(tmp_path / "app", tmp_path, DEFAULT_CHECKPOINT))


@pytest.mark.parametrize(("prepare", "outcome"), [(lambda request: {}, "ok"), (None, "page.gone")])
def test_outcome_of_an_event_with_one_reply(tab, caplog, monkeypatch, prepare, outcome):
    request = {"token": tab.store.new_session("en").token, "sound": "none"}
    if prepare:
        answer = {"verdict": "rain"}
        sound = SimpleNamespace(waveform=None, channels=None, facts=SimpleNamespace(sample_rate=1))
        monkeypatch.setattr(tab.store, "sound", lambda token, sound_id: sound)
        monkeypatch.setattr("esc.ui.tabs.classify.predict", lambda *_: None)
        monkeypatch.setattr("esc.ui.tabs.classify.prediction_reply", lambda *_: answer)
    with caplog.at_level(logging.INFO):
        tab._reply(SimpleNamespace(_data=request))
    (line,) = [message for message in caplog.messages if "classify" in message]
    assert f" classify: {outcome} in " in line


def test_a_closed_stream_is_cancelled_unless_it_failed(caplog):
    def stream(fails: bool):
        with RequestLog("stream") as record:
            if fails:
                record.failure(AudioError("audio.empty", name="a"))
            yield

    with caplog.at_level(logging.INFO):
        for fails in (False, True):
            next(stream(fails))
    assert [" cancelled " in message for message in caplog.messages] == [True, False]
    assert "audio.empty" in caplog.messages[1]


@needs_full
def test_a_full_disk_has_a_message_of_its_own(tmp_path, caplog, monkeypatch):
    with pytest.raises(OSError) as full:
        resample_to_file(np.ones(100_000, np.float32), 8_000, 16_000, FULL)
    assert RequestLog("mel").failure(full.value).key == "page.disk_full"
    downloads = Downloads(tmp_path / "downloads")
    monkeypatch.setattr("esc.ui.api.downloads.np.savez", lambda path, **_: (path.write_bytes(b"part"), FULL.write_bytes(b"x")))
    with pytest.raises(OSError) as full:
        downloads.save("waveform", {})
    assert RequestLog("waveform").failure(full.value).key == "page.disk_full"
    assert list(downloads.folder.iterdir()) == []
    assert "Traceback" not in caplog.text


def test_a_crash_is_logged_without_names(tmp_path, caplog, monkeypatch):
    """A worker's own traceback names its files."""
    secret = tmp_path / "secret diary.wav"
    command = [sys.executable, "-c", "import sys; sys.exit(' '.join(sys.argv))", "--name=secret diary.wav", str(secret)]
    monkeypatch.setattr("esc.audio.sandbox.worker_command", lambda module, *arguments: {"args": command})
    with pytest.raises(AudioError, match="secret diary"):
        run_in_worker("esc.audio.transcode", command[3:], "secret diary.wav", 30)
    assert "esc.audio.transcode ended with 1" in caplog.text
    assert "diary" not in caplog.text
