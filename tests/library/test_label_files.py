"""Labels to and from other programs' files, read back by crowsetta, and what is left out of files from elsewhere."""

from __future__ import annotations

import csv
import errno
import io
import json
import random
import zipfile

import crowsetta
import numpy as np
import pytest
import soundfile

import sounds
from esc.audio.excerpt_archive import main, write_excerpts, write_excerpts_in_worker
from esc.audio.sandbox import EXIT_DISK_FULL
from esc.batch.label_files import MAX_PROBLEMS, read_labels
from esc.batch.label_formats import FIGURES, Label, LabelledSound, as_text
from esc.batch.tables import safe_name
from esc.dsp.energy_edges import energy_edge
from esc.errors import AudioError, LabelFileError
from esc.ui.server.label_requests import archive_entries

RATE, SECONDS = 44_100, 10.0
LABELS = [
    Label("dog", 0.5, 1.25, 300.0, 4000.0, 0.75),
    Label("крик совы", 1.0, 2.5),
    Label("a\tb <img src=x onerror=alert(1)>", 9.0, 10.0, probability=0.5),
]
FORMS = ("audacity", "raven", "csv", "json")


def text_of(labels: list[Label], form: str) -> str:
    return as_text([LabelledSound("a.wav", SECONDS, RATE, labels)], form)


def read(text: str):
    return read_labels(text, "a.txt", SECONDS, RATE)


@pytest.mark.parametrize("form", FORMS)
def test_labels_written_and_read_back(form):
    found = read(text_of(LABELS, form))
    assert found.n_problems == 0
    wanted = [(" ".join(one.name.split()), one.start_s, one.end_s, one.low_hz, one.high_hz) for one in LABELS]
    assert [(one.name, one.start_s, one.end_s, one.low_hz, one.high_hz) for one in found.labels] == wanted
    if form != "audacity":
        assert [one.probability for one in found.labels] == [0.75, None, 0.5]


def test_audacity_and_raven_files_in_crowsetta(tmp_path):
    (tmp_path / "a.txt").write_text(text_of(LABELS[1:2], "audacity"), encoding="utf-8")
    track = crowsetta.formats.seq.AudSeq.from_file(tmp_path / "a.txt").to_seq()
    assert (list(track.labels), list(track.onsets_s), list(track.offsets_s)) == (["крик совы"], [1.0], [2.5])
    (tmp_path / "c.txt").write_text(text_of(LABELS, "raven"), encoding="utf-8")
    boxes = crowsetta.formats.bbox.Raven.from_file(tmp_path / "c.txt", annot_col="Species").to_bbox()
    got = [(box.label, box.onset, box.offset, box.low_freq, box.high_freq) for box in boxes]
    assert got[:2] == [("dog", 0.5, 1.25, 300.0, 4000.0), ("крик совы", 1.0, 2.5, 0.0, RATE / 2)]


def test_labels_of_several_sounds():
    both = [LabelledSound(name, SECONDS, RATE, LABELS[:2]) for name in ("deep/a.wav", "b.wav")]
    rows = list(csv.DictReader(io.StringIO(as_text(both, "csv"))))
    assert [(row["file"], float(row["start"])) for row in rows] == [
        (one.file, label.start_s) for one in both for label in one.labels
    ]
    raven = list(csv.DictReader(io.StringIO(as_text(both, "raven")), delimiter="\t"))
    assert [float(row["Begin Time (s)"]) for row in raven] == [0.5, 1.0, SECONDS + 0.5, SECONDS + 1.0]
    assert [(row["Begin Path"], float(row["File Offset (s)"])) for row in raven][2] == ("b.wav", 0.5)
    listed = json.loads(as_text(both, "json"))
    assert [(one["file"], len(one["labels"])) for one in listed] == [("deep/a.wav", 2), ("b.wav", 2)]


@pytest.mark.parametrize("form", ["raven", "csv", "json"])
def test_label_file_of_several_sounds_is_read_for_the_open_one(form):
    others = [Label("cat", 0.0, 9.0)]
    text = as_text([LabelledSound("a.wav", 30.0, RATE, others), LabelledSound("=b.wav", SECONDS, RATE, LABELS)], form)
    found = read_labels(text, "a.txt", SECONDS, RATE, "=b.wav")
    assert found.n_problems == 0
    times = [(one.start_s, one.end_s, one.probability) for one in LABELS]
    assert [(one.start_s, one.end_s, one.probability) for one in found.labels] == times
    (foreign,) = read_labels(text_of(others, form), "a.txt", SECONDS, RATE, "c.wav").labels
    assert (foreign.name, foreign.end_s) == ("cat", 9.0)


@pytest.mark.parametrize("stated", ["0", "nan", "x", "1000"])
def test_impossible_time_expansion_is_not_used(stated):
    found = read(f"start,end,label,time_expansion\n1,2,dog,{stated}\n")
    assert [(one.start_s, one.end_s) for one in found.labels] == [(1.0, 2.0)]
    assert [(one.field, one.value) for one in found.problems] == [("time_expansion", stated)]


def test_figures_in_csv_and_json():
    labels = [Label("dog", 0.0, 1.0, figures=dict.fromkeys(FIGURES, None) | {"peak_hz": 1000.5}), Label("=cmd", 1.0, 2.0)]
    rows = list(csv.DictReader(io.StringIO(text_of(labels, "csv"))))
    assert rows[0]["peak_hz"] == "1000.500"
    assert "peak_db" not in rows[0]
    assert rows[1]["label"] == "'=cmd"  # no formula
    assert read(text_of(labels, "csv")).labels[1].name == "=cmd"
    assert json.loads(text_of(labels, "json"))["labels"][0]["peak_hz"] == 1000.5


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("x,1,dog,,,", ("start", "x", "number")), ("nan,1,dog,,,", ("start", "nan", "number")),
        ("1_0,11,dog,,,", ("start", "1_0", "number")), (",1,dog,,,", ("start", "", "missing")),
        ("-1,1,dog,,,", ("start", "-1", "negative")), ("3,2,dog,,,", ("end", "2", "order")),
        ("10,11,dog,,,", ("start", "10", "past")), ("9,11,dog,,,", ("end", "11", "cut")),
        ("1,2,dog,500,100,", ("low_hz", "500–100", "band")), ("1,2,dog,x,100,", ("low_hz", "x", "number")),
        ("1,2,dog,,,1.5", ("probability", "1.5", "share")),
    ],
)  # fmt: skip
def test_illegal_field_is_named_and_left_out(line, problem):
    found = read(f"start,end,label,low_hz,high_hz,probability\n{line}\n4,5,cat,100,200,0.5\n")
    (first,) = found.problems
    assert (first.line, first.field, first.value, first.reason) == (2, *problem)
    assert found.labels[-1] == (Label("cat", 4.0, 5.0, 100.0, 200.0, 0.5) if found.labels[-1].start_s == 4 else found.labels[-1])
    assert [one.name for one in found.labels].count("dog") == (problem[0] not in ("start",) and problem[2] != "order")
    assert all(one.end_s <= SECONDS for one in found.labels)


def test_files_of_other_programs():
    raven = (
        "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tCommon Name\n"
        "1\tWaveform 1\t1\t1.0\t2.0\t0\t22050\tRobin\n1\tSpectrogram 1\t1\t1.0\t2.0\t2000\t6000\tRobin\n"
    )
    assert [one.name for one in read(raven).labels] == ["Robin"]  # a line for each view
    assert read("\ufeffstart;end;label\n1,5;2,5;dog\n").labels == [Label("dog", 1.5, 2.5)]
    assert read("1.0\t2.0\tdog\n\\\t-1.0\t-1.0\n").labels == [Label("dog", 1.0, 2.0)]
    assert read('[{"start": 1, "end": 2, "label": "dog"}, 7, {"start": true, "end": 2}]').n_problems == 3
    for text in ("", "hello", "{" * 5000, '{"a": 1}', "a,b\n1,2\n", "[" * 100_000):
        with pytest.raises(LabelFileError, match=r"a\.txt holds no labels"):
            read(text)


def test_a_hundred_thousand_lines_and_garbage():
    draw = random.Random(1)
    lines = [f"{at / 11_000:.6f}\t{at / 11_000 + 0.1:.6f}\tx\n" for at in range(100_000)]
    found = read("".join(lines) + "11\t12\tpast\n")
    assert len(found.labels) == 100_000
    assert found.problems[-1].reason == "many"
    garbage = "\n".join("\t".join(draw.choice("x-1.5e9\\") * draw.randint(0, 9) for _ in range(4)) for _ in range(3000))
    found = read(garbage)
    assert found.n_problems > len(found.problems) == MAX_PROBLEMS


def test_excerpts_in_a_folder_for_each_name(tmp_path, monkeypatch):
    stereo = np.stack([sounds.busy(10.0, RATE), -sounds.busy(10.0, RATE, seed=1)], axis=1).clip(-1, 1)
    soundfile.write(tmp_path / "a.flac", stereo, RATE, "PCM_24")
    labels = [Label("dog", 0.5, 1.25), Label("../con", 1.0, 2.5), Label("dog", 0.5, 1.25), Label("", 9.5, 10.0)]
    intervals = archive_entries(labels, "a", len(stereo), RATE)
    assert write_excerpts_in_worker(tmp_path / "a.flac", tmp_path / "b.zip", intervals, "a.flac", 60) == 4
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        names = sorted(archive.namelist())
        assert names == [
            ".._con/a_1.000-2.500.wav", "dog/a_0.500-1.250.wav", "dog/a_0.500-1.250_2.wav", "unnamed/a_9.500-10.000.wav",
        ]  # fmt: skip
        held, rate = soundfile.read(io.BytesIO(archive.read(names[0])), dtype="int32")
    assert rate == RATE
    np.testing.assert_array_equal(held, soundfile.read(tmp_path / "a.flac", dtype="int32")[0][RATE : round(2.5 * RATE)])
    monkeypatch.setattr("esc.audio.excerpt_archive._IN_MEMORY_BYTES", 1_000)  # larger ones wait on the disk
    assert write_excerpts(tmp_path / "a.flac", tmp_path / "d.zip", intervals) == 4
    with zipfile.ZipFile(tmp_path / "b.zip") as archive, zipfile.ZipFile(tmp_path / "d.zip") as same:
        assert all(same.read(name) == archive.read(name) for name in names)
    assert safe_name("con") == "_con"
    with pytest.raises(AudioError):
        write_excerpts_in_worker(tmp_path / "a.flac", tmp_path / "c.zip", [("x.wav", 0, 10**10)], "a.flac", 60)
    assert not (tmp_path / "c.json").exists()


@pytest.mark.parametrize("full_after", [0, 100_000])
def test_full_disk_is_no_damaged_file(tmp_path, monkeypatch, full_after):
    """libsndfile and soundfile hide the system's error: without it the file would be reported."""
    soundfile.write(tmp_path / "a.wav", sounds.busy(5.0, RATE), RATE)

    class FullDisk(io.BytesIO):
        def write(self, data):
            if self.tell() + len(data) > full_after:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    folders = []
    monkeypatch.setattr(
        "esc.audio.excerpt_archive.tempfile.SpooledTemporaryFile", lambda size, dir: folders.append(dir) or FullDisk()
    )
    arguments = [str(tmp_path / "a.wav"), str(tmp_path / "b.zip"), str(tmp_path / "intervals.json")]
    (tmp_path / "intervals.json").write_text('[["x.wav", 0, 200000]]')
    assert main(arguments) == EXIT_DISK_FULL
    assert folders == [str(tmp_path)]


@pytest.mark.parametrize("band", [None, (800.0, 1200.0)])
def test_edges_of_a_tone_in_noise(rng, band):
    times_s = np.arange(3 * RATE) / RATE
    loud = (times_s >= 1.0) & (times_s < 2.0)
    tone = (0.3 * np.sin(2 * np.pi * 1000 * times_s) * loud + 1e-3 * rng.standard_normal(len(times_s))).astype(np.float32)
    near = 0.01 if band else 0.005  # a filter of 400 Hz rises within some 2 ms, on both sides
    assert energy_edge(tone, RATE, 1.13, True, 0.3, band) == pytest.approx(1.0, abs=near)
    assert energy_edge(tone, RATE, 1.9, False, 0.3, band) == pytest.approx(2.0, abs=near)
    assert energy_edge(tone, RATE, 1.5, True, 0.2, band) is None
    assert energy_edge(tone, RATE, 0.4, True, 0.2) is None
    assert energy_edge(tone[RATE:], RATE, 0.1, True, 0.3) == pytest.approx(0.0, abs=0.005)  # silence before the file
