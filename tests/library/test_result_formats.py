"""Tables and names of results: what a spreadsheet or another system must not stumble over."""

from __future__ import annotations

import csv
import io
import json
import logging

import pytest

from esc.batch.label_files import read_labels
from esc.batch.result_formats import as_csv, as_json, as_text, track_names
from esc.batch.results import SoundResult
from esc.batch.runner import sound_files
from esc.classification.timeline.segments import Segment
from esc.config import LIBROSA
from esc.errors import AudioError
from esc.paths import display_path


def result(file: str = "rain.wav", **fields) -> SoundResult:
    given = {"seconds": 10.0, "sample_rate": 44_100, "clip_seconds": 5.0, "top": (("rain", 0.75),), "verdict": "rain"} | fields
    return SoundResult(file=file, **given)


def rows(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start):
    name = f"{start}HYPERLINK(1).wav"
    assert rows(as_csv([result(name)], 1, False))[0]["file"] == f"'{name}".replace("\r", " ")


def test_no_error_is_a_formula():
    """Messages begin with the file's name."""
    (row,) = rows(as_csv([AudioError("audio.empty", name="=HYPERLINK(1).wav")], 1, False))
    assert row["error"].startswith("'=HYPERLINK")


@pytest.mark.parametrize("with_timeline", [False, True])
def test_row_for_every_file(with_timeline):
    refused = AudioError("audio.empty", name="empty.wav")
    listed = [
        result(timeline=()),
        refused,
        result("b.wav", timeline=(Segment("rain", 0.0, 5.0, 0.5),), notes=("cut_off", "phase")),
    ]
    table = rows(as_csv(listed, 2, with_timeline))
    assert [row["file"] for row in table] == ["rain.wav", "empty.wav", "b.wav"]
    assert [row["error"] for row in table] == ["", str(refused), ""]
    assert [row["notes"] for row in table] == ["", "", "cut_off phase"]
    assert all(None not in row and None not in row.values() for row in table)


def test_refused_files_in_json_only_with_their_error():
    refused = AudioError("audio.empty", name="empty.wav")
    listed = json.loads(as_json([result(), refused]))
    assert listed[1] == {"file": "empty.wav", "error": str(refused)}
    assert as_text([refused, result()], "audacity", 1, True, None).count("\n") == 1


def test_raven_counts_refused_files_that_it_reads():
    """A sound too short to name has its place in Raven's sequence; what can't be read has none."""
    short = AudioError("audio.refused", name="short.wav", reason="too short", seconds=0.03)
    slow = AudioError("audio.timeout", name="slow.wav", seconds=120.0)
    listed = [result(), short, AudioError("audio.empty", name="empty.wav"), slow, result("b.wav")]
    table = list(csv.DictReader(io.StringIO(as_text(listed, "raven", 1, False, LIBROSA)), delimiter="\t"))
    assert [(row["Begin Path"], row["Begin Time (s)"]) for row in table] == [("rain.wav", "0.000"), ("b.wav", "10.030")]


@pytest.mark.parametrize("form", ["audacity", "raven", "csv", "json"])
def test_results_of_a_time_expansion_are_read_with_any(form):
    """Other programs get the file's own times; JSON and CSV have the sound's, and state the time expansion."""
    expanded = result(timeline=(Segment("rain", 1.0, 2.5, 0.5, 0.25),), time_expansion=10.0, sample_rate=441_000)
    text = as_text([expanded], form, 1, True, LIBROSA)
    for expansion, start_s, end_s in ((1.0, 10.0, 25.0), (10.0, 1.0, 2.5), (5.0, 2.0, 5.0)):
        (label,) = read_labels(text, "a", 100.0 / expansion, round(44_100 * expansion), "", expansion).labels
        assert (label.name, label.start_s, label.end_s) == ("rain", pytest.approx(start_s), pytest.approx(end_s))
    if form == "raven":
        (row,) = csv.DictReader(io.StringIO(text), delimiter="\t")
        assert (row["Begin Time (s)"], row["High Freq (Hz)"], row["Uncertainty (s)"]) == ("10.000", "1102.5", "2.500")
    elif form == "csv":
        assert [(row["time_expansion"], row["start"]) for row in rows(text)] == [("10", "1.000")]
        listed = [expanded, AudioError("audio.empty", name="e.wav"), result("b.wav", channel="left")]
        both = rows(as_csv(listed, 1, False))
        assert [(row["channel"], row["time_expansion"]) for row in both] == [("mean", "10"), ("", ""), ("left", "1")]


def test_raven_counts_files_in_their_own_time():
    refused = AudioError("audio.refused", name="short.wav", reason="too short", seconds=3.0)
    listed = [result(time_expansion=10.0), refused, result("b.wav", time_expansion=10.0)]
    table = list(csv.DictReader(io.StringIO(as_text(listed, "raven", 1, False, LIBROSA)), delimiter="\t"))
    assert [row["Begin Time (s)"] for row in table] == ["0.000", "103.000"]


def test_json_has_no_nan():
    with pytest.raises(ValueError, match="JSON"):
        as_json([result(seconds=float("nan"))])


def test_label_tracks_have_names_for_every_system():
    names = ["a/con.wav", "b/Rain.wav", "c/rain.wav", "d/what?.wav", 'e/<a>:"b"|*.wav', "f/end. .wav", "g/lpt1.x.wav"]
    assert track_names([result(name) for name in names]) == [
        "_con.txt", "Rain.txt", "rain_2.txt", "what_.txt", "_a___b___.txt", "end.txt", "_lpt1.x.txt",
    ]  # fmt: skip
    deep = ["/a/con/1.wav", "b/Rain.wav", "c/rain.wav", "b/rain.mp3", "../nul/x.wav"]
    assert track_names([result(name) for name in deep], with_folders=True) == [
        "a/_con/1.txt", "b/Rain.txt", "c/rain.txt", "b/rain_2.txt", "_nul/x.txt",
    ]  # fmt: skip


def test_every_file_has_a_row_per_segment():
    """Silent and uncertain files have one with the verdict, refused ones with the error; all have the verdict of the JSON."""
    silent = result("a.wav", timeline=(), silences=((0.0, 10.0),), verdict="silence", top=())
    refused = AudioError("audio.refused", name="c.wav", reason="no sound")
    siren = (Segment("siren", 0.0, 9.0, 0.5), Segment("rain", 2.0, 9.0, 0.5))
    results = [silent, result("b.wav", timeline=()), refused, result("d.wav", timeline=siren)]
    listed = rows(as_csv(results, 1, True))
    assert [(one["file"], one["start"], one["label"], bool(one["error"])) for one in listed] == [
        ("a.wav", "", "silence", False), ("b.wav", "", "unsure", False), ("c.wav", "", "", True),
        ("d.wav", "0.000", "siren", False), ("d.wav", "2.000", "rain", False),
    ]  # fmt: skip
    clips = [(one["likeliest"], one["likeliest_probability"], one["seconds"]) for one in listed]
    assert clips == [("", "", "10.000"), ("rain", "0.750000", "10.000"), ("", "", ""), *[("rain", "0.750000", "10.000")] * 2]
    verdicts = {row["file"]: row.get("verdict", "") for row in json.loads(as_json(results))}
    assert [one["verdict"] for one in listed] == [verdicts[one["file"]] for one in listed]


def test_interval_in_tables():
    """An interval that was asked for is in JSON and CSV, the one of a whole sound is not."""
    part = result("a.wav", interval=(2.0, 3.5), clip_start_s=2.0, clip_seconds=1.5)
    listed = rows(as_csv([part, result("b.wav")], 1, False))
    assert [(one["start"], one["end"], one["label_1"]) for one in listed] == [("2.000", "3.500", "rain"), ("", "", "rain")]
    assert [(row.get("start"), row.get("end")) for row in json.loads(as_json([part, result()]))] == [(2.0, 3.5), (None, None)]
    assert as_text([part], "audacity", 1, False, None) == "2.000000\t3.500000\train\n"


def test_paths_are_printed_safely():
    assert display_path("a\x1b[31mb\nc\u202egnp.wav") == "a\ufffd[31mb\ufffdc\ufffdgnp.wav"
    assert display_path(b"caf\xe9.wav".decode("utf-8", "surrogateescape")) == "caf\ufffd.wav"
    assert display_path("дождь [1].wav") == "дождь [1].wav"


def test_files_left_out_of_a_folder_are_counted(tmp_path, caplog):
    for name in ("a.wav", "b.WMA", "c.3gp", "notes.txt", "cover.jpg", ".hidden"):
        (tmp_path / name).touch()
    with caplog.at_level(logging.WARNING):
        files, errors = sound_files([tmp_path])
    assert [path.name for path in files] == ["a.wav", "b.WMA", "c.3gp"]
    assert errors == []
    assert "2 files" in caplog.text
