"""The files tab: equal to the command line, broken files, limits, owners and cleaning up."""

from __future__ import annotations

import base64
import gc
import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import sounds
from chromium import ROOT
from command_line import classify as classify_command
from esc.audio import sandbox
from esc.audio.io import load_audio
from esc.batch.label_formats import RAVEN_COLUMNS
from esc.classification.classifier import Classifier
from esc.errors import PageError
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.server.requests import checked
from esc.ui.sessions import uploaded_files
from esc.ui.sessions.sound import Session
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.sessions.uploaded_files import UploadedFiles
from esc.ui.tabs.base import Services
from esc.ui.tabs.batch import BatchTab

RATE = 22_050


def ask(method: Callable[..., dict], request: dict) -> dict:
    """Return the reply to a request as the page sends it."""
    return method(checked(method, request))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A siren, twelve seconds of rain and siren, silence, and a broken file, in the order of their names."""
    folder = tmp_path_factory.mktemp("many")
    rain, rate = load_audio(ROOT / "assets/examples/rain.flac")
    siren, _ = load_audio(ROOT / "assets/examples/siren.flac", rate)
    sounds.write(folder / "a siren.wav", siren, rate)
    sounds.write(folder / "b both.wav", np.concatenate([rain, siren, siren[: 2 * rate]]), rate)
    sounds.write(folder / "c silence.flac", np.zeros(6 * RATE, np.float32), RATE)
    (folder / "d broken.wav").write_bytes(b"no sound at all" * 100)
    return folder


@pytest.fixture
def files(folder, tmp_path) -> BatchTab:
    return BatchTab(Services.create(tmp_path, folder, DEFAULT_CHECKPOINT))


@pytest.fixture
def store(files) -> SoundStore:
    return files.store


def add_all(files: BatchTab, session: Session, folder: Path) -> dict[str, str]:
    """Return the id of each file by its name."""
    return {
        path.name: ask(files.add_file, {"token": session.token, "path": str(path), "name": path.name})["id"]
        for path in sorted(folder.iterdir())
    }


def classify(tab: BatchTab, session: Session, ids: list[str], **changes) -> list[dict]:
    return list(tab.replies({"token": session.token, "files": ids, "hop": 0.5, "turn": 1} | changes))


@pytest.fixture
def session(store) -> Session:
    return store.new_session("ru")


def assert_same(one: object, other: object) -> None:
    """Same file, same numbers, but for the rounding of sums that another number of threads adds in another order."""
    if isinstance(one, dict | list):
        assert type(one) is type(other) and len(one) == len(other)
        for key in one if isinstance(one, dict) else range(len(one)):
            assert_same(one[key], other[key])
    else:
        assert one == (pytest.approx(other, abs=1e-6) if isinstance(one, float) else other)


@pytest.mark.slow
def test_results_equal_the_command_line_and_broken_files_have_a_reason(files, session, folder, tmp_path):
    ids = add_all(files, session, folder)
    last = classify(files, session, list(ids.values()))[-1]
    assert last == {"turn": 1, "stage": "done", "rows": 4, "now": None}
    rows = ask(files.rows, {"token": session.token, "after": 0})["rows"]
    assert json.loads(json.dumps(rows)) == rows
    assert [row["id"] for row in rows] == list(ids.values())
    assert rows[3]["error"].startswith("d broken.wav не читается как звук")
    assert rows[0]["overall"][0] == "siren" and rows[2]["overall"] == ["silence", 1.0, None] and rows[2]["silences"]
    assert ask(files.rows, {"token": session.token, "after": 3})["rows"] == rows[3:]

    said = classify_command(folder, "--timeline", "--format", "json")
    assert said.returncode == 1
    given = {form: ask(files.files_file, {"token": session.token, "form": form}) for form in ("json", "csv", "audacity", "raven")}
    (*mine, refused), (*theirs, refused_there) = json.loads(given["json"]["text"]), json.loads(said.stdout)
    assert refused["file"] == Path(refused_there["file"]).name == "d broken.wav"
    assert refused["error"].startswith("d broken.wav can't be read")
    assert [row["file"] for row in mine] == [Path(row["file"]).name for row in theirs]
    for one, other in zip(mine, theirs, strict=True):
        assert_same(one | {"file": ""}, other | {"file": ""})
    for row, one in zip(rows, mine, strict=False):
        assert row["segments"] == [list(mark.values()) for mark in one["timeline"]]

    marks = [(row["file"], mark) for row in mine for mark in row["timeline"]]
    table = pd.read_csv(io.StringIO(given["csv"]["text"]))
    assert table["error"].notna().sum() == 1
    table = table[table["start"].notna()]
    assert list(zip(table["file"], table["label"], strict=True)) == [(file, mark["label"]) for file, mark in marks]
    raven = pd.read_csv(io.StringIO(given["raven"]["text"]), sep="\t")
    assert tuple(raven.columns) == RAVEN_COLUMNS
    assert list(raven["Species"]) == [mark["label"] for _, mark in marks]
    np.testing.assert_allclose(raven["File Offset (s)"], [mark["start"] for _, mark in marks], atol=1e-3)
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(given["audacity"]["base64"]))) as archive:
        assert archive.namelist() == ["a siren.txt", "b both.txt", "c silence.txt"]
        labels = pd.read_csv(archive.open("b both.txt"), sep="\t", names=["start", "end", "label"])
    assert list(labels["label"]) == [mark["label"] for file, mark in marks if file == "b both.wav"]

    label = ["x", 0.5, 1.0, None, None, None, None, None, None, None]
    asked = {"token": session.token, "form": "csv", "labels": json.dumps({ids[name]: [label] for name in list(ids)[1::-1]})}
    own = pd.read_csv(io.StringIO(ask(files.file_labels, asked)["text"]))
    assert list(zip(own["file"], own["start"], own["label"], strict=True)) == [
        ("a siren.wav", 0.5, "x"),
        ("b both.wav", 0.5, "x"),
    ]
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(ask(files.file_labels, asked | {"form": "audacity"})["base64"]))) as archive:
        assert archive.namelist() == ["a siren.txt", "b both.txt"]
    raven_of = [
        pd.read_csv(io.StringIO(one), sep="\t")
        for one in (ask(files.file_labels, asked | {"form": "raven"})["text"], given["raven"]["text"])
    ]
    begins = [dict(zip(one["Begin Path"], one["Begin Time (s)"] - one["File Offset (s)"], strict=True)) for one in raven_of]
    assert begins[0]["b both.wav"] == pytest.approx(begins[1]["b both.wav"], abs=2e-3), "both tables are of the same sequence"
    for labels in ("{}", json.dumps({list(ids.values())[3]: [label]}), json.dumps({"other": [label]}), '{"a": [[1]]}'):
        with pytest.raises(PageError):
            ask(files.file_labels, asked | {"labels": labels})


def test_cancelled_run_continues_where_it_stopped(files, session, folder, monkeypatch):
    ids = list(add_all(files, session, folder).values())
    run = files.replies({"token": session.token, "files": ids, "hop": 1.0, "turn": 1})
    assert next(run)["now"]["id"] == ids[0]
    ask(files.stop, {"token": session.token, "turn": 2})
    *_, last = run
    assert last["stage"] == "stopped" and last["rows"] < 2
    asked = []
    monkeypatch.setattr(Classifier, "clip_outputs", _counted(Classifier.clip_outputs, asked))
    assert classify(files, session, ids, hop=1.0, turn=1)[-1]["stage"] == "stopped", "an older number is never wanted again"
    assert asked == []
    assert classify(files, session, ids, hop=1.0, turn=2)[-1] == {"turn": 2, "stage": "done", "rows": 4, "now": None}
    assert sorted(row["id"] for row in ask(files.rows, {"token": session.token, "after": 0})["rows"]) == sorted(ids)


def test_run_cancelled_during_a_file_adds_no_second_row(files, session, folder):
    """The file's own run goes on after another run has finished it."""
    first, *_ = add_all(files, session, folder).values()
    cancelled = files.replies({"token": session.token, "files": [first], "hop": 1.0, "turn": 1})
    assert next(cancelled)["now"]["id"] == first
    assert classify(files, session, [first], hop=1.0, turn=2)[-1]["rows"] == 1
    assert [reply["rows"] for reply in cancelled][-1] == 1
    assert len(ask(files.rows, {"token": session.token, "after": 0})["rows"]) == 1
    table = ask(files.files_file, {"token": session.token, "form": "json"})["text"]
    assert len(json.loads(table)) == 1


def _counted(verdicts, asked: list[int]):
    def count(classifier, spectrograms_db):
        asked.append(len(spectrograms_db))
        return verdicts(classifier, spectrograms_db)

    return count


def test_another_hop_starts_a_new_batch(files, session, folder):
    first, *_ = add_all(files, session, folder).values()
    assert classify(files, session, [first])[-1]["rows"] == 1
    assert classify(files, session, [first], turn=2)[-1]["rows"] == 1
    assert classify(files, session, [first], turn=3, hop=1.0)[-1]["rows"] == 1


def test_channels_of_files(files, session, folder, tmp_path):
    crow, rate = load_audio(ROOT / "assets/examples/crow.flac")
    rain, _ = load_audio(ROOT / "assets/examples/rain.flac", rate)
    length = min(len(crow), len(rain))
    own = tmp_path / "stereo"
    own.mkdir()
    sounds.write(own / "a both.wav", np.stack([crow[:length], rain[:length]], axis=1), rate)
    sounds.write(own / "b mono.wav", rain[:length], rate)
    ids = []
    for path in sorted(own.iterdir()):
        copy = folder / path.name
        copy.write_bytes(path.read_bytes())  # where uploads are
        ids.append(ask(files.add_file, {"token": session.token, "path": str(copy), "name": path.name})["id"])
        copy.unlink()

    def run(channel, turn):
        assert classify(files, session, ids, channel=channel, turn=turn, hop=1.0)[-1]["stage"] == "done"
        return ask(files.rows, {"token": session.token, "after": 0})["rows"]

    rows = run("each", 1)
    assert [(row["id"], row["channel"], row["channels"]) for row in rows] == [
        (ids[0], "1", 2),
        (ids[0], "2", 2),
        (ids[1], "1", 1),
    ]
    assert [row["overall"][0] for row in rows] == ["crow", "rain", "rain"]
    assert run("each", 2) == rows, "none is classified again"
    text = ask(files.files_file, {"token": session.token, "form": "json"})["text"]
    told = [(row["file"], row["channel"], row["verdict"]) for row in json.loads(text)]
    assert told == [("a both.wav", "1", "crow"), ("a both.wav", "2", "rain"), ("b mono.wav", "1", "rain")]
    done = classify_command(own, "--timeline", "--hop", "5", "--channel", "each", "--format", "json")
    by_command = [(Path(row["file"]).name, row["channel"], row["verdict"]) for row in json.loads(done.stdout)]
    assert done.returncode == 0 and by_command == told
    right, refused = run("right", 3)
    assert (right["overall"][0], right["channel"]) == ("rain", "right")
    assert refused["error"] == "В b mono.wav нет канала right; есть mean, 1."


def test_files_belong_to_their_session_and_go_with_it(files, store, session, folder, tmp_path):
    ids = list(add_all(files, session, folder).values())
    other = store.new_session("en")
    assert "error" in classify(files, other, ids)[-1]
    handlers = files.services.handlers
    with pytest.raises(PageError):
        ask(handlers.open_sound, {"token": other.token, "uploaded": ids[0]})
    assert ask(handlers.open_sound, {"token": session.token, "uploaded": ids[0]})["name"] == "a siren.wav"
    kept = tmp_path / "uploads"
    assert len(list(kept.iterdir())) == 4
    ask(files.clear, {"token": session.token, "turn": 1})
    assert list(kept.iterdir()) == []
    assert ask(files.rows, {"token": session.token, "after": 0}) == {"rows": []}
    add_all(files, session, folder)
    store.drop(session.token)
    token = session.token
    del session
    gc.collect()
    assert "error" in files.services.handlers.wrap(files.rows)[0]({"token": token, "after": 0})


def test_ended_session_leaves_no_files(tmp_path, store, folder):
    uploads = UploadedFiles(tmp_path / "uploads")
    session = store.new_session("en")
    uploads.add(session, folder / "a siren.wav", "a siren.wav")
    assert len(list((tmp_path / "uploads").iterdir())) == 1
    store.drop(session.token)
    del session
    gc.collect()
    assert list((tmp_path / "uploads").iterdir()) == []


def test_upload_limits(tmp_path, store, folder, monkeypatch):
    uploads, session, path = UploadedFiles(tmp_path / "uploads"), store.new_session("en"), folder / "a siren.wav"
    size = path.stat().st_size
    monkeypatch.setattr(uploaded_files, "MAX_FILES", 2)
    uploads.add(session, path, "one")
    uploads.add(session, path, "two")
    with pytest.raises(PageError, match="three was left out: at most 2 files"):
        uploads.add(session, path, "three")
    monkeypatch.setattr(uploaded_files, "MAX_FILES", 9)
    monkeypatch.setattr(uploaded_files, "MAX_PAGE_BYTES", 2.5 * size)
    with pytest.raises(PageError, match="at most 0 GB"):
        uploads.add(session, path, "three")
    monkeypatch.setattr(uploaded_files, "MAX_BYTES_OF_ALL", 2.5 * size)
    with pytest.raises(PageError, match="busy"):
        uploads.add(store.new_session("en"), path, "another's")
    assert len(list((tmp_path / "uploads").iterdir())) == 2


@pytest.mark.parametrize(
    "wrong",
    [{"token": None}, {"files": None}, {"files": []}, {"files": "x"}, {"files": ["0" * 32]}, {"files": [[]]},
     {"files": ["x"] * 201}, {"hop": 0.1}, {"turn": None}, {"channel": "front"}, {"channel": None}],
)  # fmt: skip
def test_wrong_requests(files, session, wrong):
    (answer,) = classify(files, session, ["x"], **wrong)
    assert answer["error"] and not answer["off"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "", None, 3, "a\0b"])
def test_only_uploads_are_accepted(files, session, path):
    with pytest.raises(PageError):
        ask(files.add_file, {"token": session.token, "path": path, "name": "x.wav"})


@pytest.mark.parametrize("after", [None, -1, True, "0", 10**6])
def test_wrong_rows(files, session, after):
    with pytest.raises(PageError, match="after"):
        ask(files.rows, {"token": session.token, "after": after})


def test_no_results_give_no_file(files, session):
    with pytest.raises(PageError):
        ask(files.files_file, {"token": session.token, "form": "csv"})


def test_missing_checkpoint_ends_the_run(folder, tmp_path):
    files = BatchTab(Services.create(tmp_path, folder, tmp_path / "nowhere"))
    session = files.store.new_session("ru")
    (answer,) = classify(files, session, list(add_all(files, session, folder).values()))
    assert answer["off"] and "nowhere" in answer["error"]


@pytest.mark.slow
def test_session_ends_while_uploads_are_counted(tmp_path, store, folder):
    """A session's end, in whatever thread, does not disturb the sum of all files' sizes."""
    doomed, armed = [Session("doomed", "en")], False

    class Size(int):
        def __radd__(self, other):
            if armed:
                doomed.clear()
            gc.collect()
            return int(self) + other

    class SizedPath(type(Path())):
        def stat(self, **options):
            return SimpleNamespace(st_size=Size(1))

    uploads = UploadedFiles(tmp_path / "uploads")
    uploads.add(doomed[0], SizedPath(folder / "a siren.wav"), "one")
    uploads.add(doomed[0], folder / "a siren.wav", "two")
    kept, armed = Session("kept", "en"), True
    uploads.add(kept, folder / "a siren.wav", "a siren.wav")
    assert doomed == []
    assert len(list((tmp_path / "uploads").iterdir())) == 1


def test_a_killed_worker_costs_one_row_and_excel_gets_utf8(files, session, folder, monkeypatch):
    """A decoder that the system kills in the middle of a run: every file has its row, in every form."""
    real, started = sandbox.worker_command, []

    def command(module, *arguments):
        started.append(module)
        killed = {"args": [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]}
        return killed if len(started) == 2 else real(module, *arguments)

    monkeypatch.setattr(sandbox, "worker_command", command)
    ids = add_all(files, session, folder)
    *_, last = classify(files, session, list(ids.values()), hop=1.0)
    assert (last["stage"], last["rows"]) == ("done", len(ids))
    rows = ask(files.rows, {"token": session.token, "after": 0})["rows"]
    assert [row["id"] for row in rows] == list(ids.values())
    assert ["error" in row for row in rows] == [False, True, False, True]
    assert "9" in rows[1]["error"]
    plain, excel = (ask(files.files_file, {"token": session.token, "form": form}) for form in ("csv", "excel"))
    assert excel == {"name": "soundglass-files.csv", "text": "\ufeff" + plain["text"]}
    assert set(ids) <= {line.split(",")[0] for line in plain["text"].splitlines()}
