"""Resume log: round trips, interrupted writes, changed files and foreign content."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import sounds
from esc.batch.results import SoundResult
from esc.batch.resume_log import ResumeLog, file_stamp, from_json, to_json
from esc.classification.timeline.event_summary import UncertainInterval
from esc.classification.timeline.segments import Segment
from esc.errors import AudioError, BatchError

RESULT = SoundResult(
    file="дождь, a.wav", seconds=7.1, sample_rate=44_100, clip_seconds=5.0, top=(("rain", 0.1 + 0.2), ("sea_waves", 1e-9)),
    verdict="rain", timeline=(Segment("rain", 0.0, 5.0, 1 / 3),), silences=((5.0, 7.1),),
    uncertain=(UncertainInterval("unsure", "wind", 4.0, 5.0, 0.3),), notes=("cut_off",),
)  # fmt: skip


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return sounds.write(tmp_path / "дождь, a.wav", sounds.tone(), 44_100)


def test_result_round_trip():
    assert from_json(to_json(RESULT)) == RESULT
    error = AudioError("audio.unreadable", name="x\udc80.mp3", reason="none", accepted="WAV")
    again = from_json(to_json(error))
    assert (again.key, again.values, str(again)) == (error.key, error.values, str(error))


def test_resume_after_kill(tmp_path, wav):
    path = tmp_path / "x.journal"
    log = ResumeLog(path, {"top_k": 5})
    assert log.result(wav) is None
    log.add(wav, file_stamp(wav), RESULT)  # and no close: the process is killed
    with path.open("a", encoding="utf-8") as file:
        file.write('{"file": "torn')
    again = ResumeLog(path, {"top_k": 5})
    assert again.result(wav) == RESULT
    again.add(tmp_path / "gone.wav", None, AudioError("audio.missing", name="gone.wav"))
    again.close(finished=False)
    third = ResumeLog(path, {"top_k": 5})
    assert third.result(wav) == RESULT
    assert str(third.result(tmp_path / "gone.wav")) == "There is no file gone.wav."
    os.utime(wav, ns=(1, 1))
    assert third.result(wav) is None, "changed since: classified anew"
    third.close(finished=True)
    assert not path.exists()


def test_file_changed_during_classification(tmp_path, wav):
    log = ResumeLog(tmp_path / "x.journal", {"top_k": 5})
    before = file_stamp(wav)
    sounds.write(wav, sounds.tone(seconds=2.0), 44_100)
    log.add(wav, before, RESULT)
    assert log.result(wav) is None
    assert ResumeLog(log.path, {"top_k": 5}).result(wav) is None


def test_file_missing_before_and_after_classification(tmp_path):
    log = ResumeLog(tmp_path / "x.journal", {"top_k": 5})
    log.add(tmp_path / "gone.wav", None, RESULT)
    assert log.result(tmp_path / "gone.wav") is None, "there for a moment only: nothing to compare with"


def test_empty_log_is_removed(tmp_path):
    ResumeLog(tmp_path / "x.journal", {"top_k": 5}).close(finished=False)
    assert list(tmp_path.iterdir()) == []


def test_foreign_log(tmp_path, wav):
    path = tmp_path / "x.journal"
    log = ResumeLog(path, {"top_k": 5})
    log.add(wav, file_stamp(wav), RESULT)
    with pytest.raises(BatchError, match="other options"):
        ResumeLog(path, {"top_k": 3})
    header = '{"top_k": 5}\n'
    for content in ("no log\n", header + '{"file": 1}\n', header + "[]\n"):
        path.write_text(content)
        with pytest.raises(BatchError):
            ResumeLog(path, {"top_k": 5})
        assert path.read_text() == content, "somebody else's file stays as it is"
    with pytest.raises(BatchError, match="can't be written"):
        ResumeLog(tmp_path / "no such folder" / "x.journal", {})
