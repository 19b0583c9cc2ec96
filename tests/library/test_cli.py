"""Command line: formats read back by a parser, exit codes, output streams."""

from __future__ import annotations

import csv
import importlib
import io
import json
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import sounds
from command_line import classify, run_program
from esc.audio.io import load_audio
from esc.batch.label_files import read_labels
from esc.batch.label_formats import RAVEN_COLUMNS
from esc.batch.options import BatchOptions
from esc.batch.result_formats import as_csv, as_raven
from esc.batch.results import SoundResult
from esc.batch.runner import classify_files, sound_files
from esc.classification.checkpoint import save_checkpoint
from esc.classification.checkpoint_files.config import Checkpoint
from esc.classification.classifier import Classifier
from esc.classification.intervals import classify_clips, interval_clips
from esc.classification.predictions import NO_CLASSES
from esc.classification.resnet import build_model
from esc.classification.timeline.segments import Segment
from esc.cli.console import result_table
from esc.cli.main import main
from esc.config import LIBROSA, InputConfig
from esc.errors import AudioError, ParameterError

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "assets" / "examples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Three sounds, one of them in a folder of its own, a broken one, and what is no sound."""
    folder = tmp_path_factory.mktemp("sounds")
    rain, rate = load_audio(EXAMPLES / "rain.flac")
    siren, _ = load_audio(EXAMPLES / "siren.flac", rate)
    quiet = np.zeros(5 * rate, np.float32)
    sounds.write(folder / "a, long.wav", np.concatenate([rain, quiet, siren, siren]), rate)
    (folder / "deep").mkdir()
    sounds.write(folder / "deep" / "b [b]дождь.WAV".lower(), np.stack([rain, rain], axis=1), rate)
    sounds.write(folder / "c.flac", quiet, rate)
    (folder / "broken.mp3").write_bytes(b"no sound at all" * 100)
    (folder / "notes.txt").write_text("no sound")
    (folder / ".hidden.wav").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def in_json(folder) -> tuple[subprocess.CompletedProcess, list[dict]]:
    ended = run_program(folder, "--timeline", "--format", "json", "--top", 3)
    *rows, refused = json.loads(ended.stdout)
    assert list(refused) == ["file", "error"]
    return ended, rows


@pytest.mark.slow
def test_json_of_a_folder(folder, in_json):
    ended, rows = in_json
    assert ended.returncode == 1
    names = ["a, long.wav", "c.flac", "deep/b [b]дождь.wav"]
    assert [row["file"] for row in rows] == [str(folder / name) for name in names]
    assert all(list(row) == ["file", "seconds", "top", "verdict", "timeline", "notes", "uncertain"] for row in rows)
    assert [row["seconds"] for row in rows] == pytest.approx([20.0, 5.0, 5.0], abs=0.01)
    assert rows[1]["verdict"] == "silence"
    assert rows[1]["top"] == rows[1]["timeline"] == []
    long = rows[0]
    assert all(list(mark) == ["label", "start", "end", "probability", "uncertainty"] for mark in long["timeline"])
    spans = {mark["label"]: (mark["start"], mark["end"]) for mark in long["timeline"]}
    assert spans["rain"][0] == 0.0
    assert spans["siren"][1] == pytest.approx(long["seconds"])
    assert spans["siren"][0] == pytest.approx(10.0, abs=0.1)


@pytest.mark.slow
def test_unreadable_file_on_stderr(folder, in_json):
    left_out, line = [line for line in in_json[0].stderr.splitlines() if not line.startswith("Note: ")]  # libmpg123's own
    assert left_out.startswith(f"note: 1 files in {folder} are left out")
    assert line.startswith(f"error: {folder / 'broken.mp3'} can't be read as sound")


@pytest.mark.slow
def test_json_equals_predict(in_json):
    classifier = Classifier.load()
    for row in in_json[1]:
        prediction = classifier.predict(*load_audio(row["file"]), top_k=3)
        assert row["verdict"] == prediction.verdict
        assert [entry["label"] for entry in row["top"]] == [label for label, _ in prediction.top]
        probabilities = [entry["probability"] for entry in row["top"]]
        assert probabilities == pytest.approx([probability for _, probability in prediction.top], rel=1e-5)


@pytest.mark.slow
def test_two_jobs_equal_one(folder, in_json):
    ended = run_program(folder, "--timeline", "--format", "json", "--top", 3, "--jobs", 2)
    assert ended.returncode == 1
    assert ended.stderr == in_json[0].stderr
    assert json.loads(ended.stdout)[:-1] == in_json[1]


@pytest.mark.slow
def test_csv_row_per_file(folder, in_json):
    ended = classify(folder, "--format", "csv", "--top", 2)
    assert ended.returncode == 1
    *rows, refused = csv.DictReader(io.StringIO(ended.stdout))
    assert refused["error"]
    assert [row["file"] for row in rows] == [row["file"] for row in in_json[1]]
    for row, expected in zip(rows, in_json[1], strict=True):
        assert row["verdict"] == expected["verdict"]
        assert float(row["seconds"]) == pytest.approx(expected["seconds"], abs=1e-3)
        for rank, entry in enumerate(expected["top"][:2], 1):
            assert row[f"label_{rank}"] == entry["label"]
            assert float(row[f"probability_{rank}"]) == pytest.approx(entry["probability"], abs=1e-6)
    assert rows[1]["label_1"] == rows[1]["probability_2"] == ""


@pytest.mark.slow
def test_csv_row_per_segment(folder, in_json, tmp_path):
    target = tmp_path / "table.csv"
    ended = classify(folder, "--timeline", "--format", "csv", "--output", target)
    assert (ended.returncode, ended.stdout) == (1, "")
    table = pd.read_csv(target)
    table = table[table["start"].notna()]
    expected = [(row["file"], mark["label"]) for row in in_json[1] for mark in row["timeline"]]
    assert list(zip(table["file"], table["label"], strict=True)) == expected
    marks = [mark for row in in_json[1] for mark in row["timeline"]]
    for column in ("start", "end", "probability", "uncertainty"):
        assert table[column].fillna(0).tolist() == pytest.approx([mark[column] for mark in marks], abs=1e-3)


@pytest.mark.slow
def test_audacity_label_track_per_sound(folder, in_json, tmp_path):
    ended = classify(folder, "--timeline", "--format", "audacity", "--output", tmp_path)
    assert ended.returncode == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a, long.txt", "b [b]дождь.txt", "c.txt"]
    for row in in_json[1]:
        lines = (tmp_path / f"{Path(row['file']).stem}.txt").read_text(encoding="utf-8").splitlines()
        found = [(float(start), float(end), label) for start, end, label in (line.split("\t") for line in lines)]
        assert found == [(pytest.approx(m["start"]), pytest.approx(m["end"]), m["label"]) for m in row["timeline"]]


def test_label_track_of_a_folder_with_one_sound(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    sounds.write(tmp_path / "in" / "a.wav", np.zeros(8_000, np.float32), 8_000)
    (tmp_path / "out").mkdir()
    arguments = [tmp_path / "in", "--format", "audacity", "--output", tmp_path / "out"]
    monkeypatch.setattr(sys, "argv", ["esc", "classify", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert (tmp_path / "out" / "a.txt").read_text(encoding="utf-8") == "0.000000\t1.000000\tsilence\n"


@pytest.mark.slow
def test_audacity_raven_and_table_of_one_file(in_json):
    file, marks = in_json[1][0]["file"], in_json[1][0]["timeline"]
    audacity, raven, table = (classify(file, "--timeline", "--format", form) for form in ("audacity", "raven", "table"))
    for ended in (audacity, raven, table):
        assert (ended.returncode, ended.stderr) == (0, "")
    assert [line.split("\t")[2] for line in audacity.stdout.splitlines()] == [mark["label"] for mark in marks]
    rows = pd.read_csv(io.StringIO(raven.stdout), sep="\t")
    assert list(rows.columns) == list(RAVEN_COLUMNS)
    assert rows["Selection"].tolist() == list(range(1, len(marks) + 1))
    assert rows["Species"].tolist() == [mark["label"] for mark in marks]
    assert rows["Begin Time (s)"].tolist() == pytest.approx([mark["start"] for mark in marks], abs=1e-3)
    assert rows["End Time (s)"].tolist() == pytest.approx([mark["end"] for mark in marks], abs=1e-3)
    assert (rows["Low Freq (Hz)"] < rows["High Freq (Hz)"]).all()
    shown = [line for line in table.stdout.splitlines() if file in line]
    assert len(shown) == len(marks)


def test_raven_times_across_files_and_nyquist():
    config = Classifier.load().checkpoint.spectrogram
    common = {"seconds": 10.0, "sample_rate": 8_000, "clip_seconds": 5.0, "top": (("dog", 0.9),), "verdict": "dog"}
    results = [
        SoundResult(file="a.wav", timeline=(Segment("dog", 1.0, 2.0, 0.9),), **common),
        SoundResult(file="b\t.wav", **common),
    ]
    rows = pd.read_csv(io.StringIO(as_raven(results, config)), sep="\t")
    assert rows["Begin Time (s)"].tolist() == [1.0, 10.0]
    assert rows["End Time (s)"].tolist() == [2.0, 15.0]
    assert rows["File Offset (s)"].tolist() == [1.0, 0.0]
    assert rows["High Freq (Hz)"].tolist() == [4000.0, 4000.0]
    assert rows["Begin Path"].tolist() == ["a.wav", "b\t.wav"]


def test_verdicts_that_name_no_class_have_no_confidence():
    common = {"seconds": 5.0, "sample_rate": 8_000, "clip_seconds": 5.0, "top": (("dog", 0.9),)}
    results = [SoundResult(file=f"{verdict}.wav", verdict=verdict, **common) for verdict in ("dog", *NO_CLASSES)]
    rows = pd.read_csv(io.StringIO(as_raven(results, Classifier.load().checkpoint.spectrogram)), sep="\t")
    assert rows["Species"].tolist() == ["dog", *NO_CLASSES]
    assert rows["Confidence"].tolist() == pytest.approx([0.9, *[np.nan] * 3], nan_ok=True)


@pytest.mark.parametrize(
    ("verdict", "in_words", "in_csv"),
    [
        ("unsure", "not sure: perhaps dog", "unsure"),
        ("unknown", "none of the sounds it knows, perhaps nearest to dog", "unknown"),
        ("silence", "silence", "silence"),
        ("dog", "nothing sure enough", "unsure"),
    ],
)
def test_short_sound_without_segments(verdict, in_words, in_csv):
    result = SoundResult(
        file="a.wav", seconds=2.0, sample_rate=8_000, clip_seconds=5.0, top=(("dog", 0.9),), verdict=verdict, timeline=()
    )
    with io.StringIO() as shown:
        Console(file=shown, width=200).print(result_table([result], with_timeline=True))
        assert shown.getvalue().split("a.wav")[1].strip() == in_words
    (row,) = csv.DictReader(io.StringIO(as_csv([result], 1, with_timeline=True)))
    assert (row["label"], row["start"], row["verdict"]) == (in_csv, "", verdict)


@pytest.mark.parametrize(("ending", "begin"), [("csv", "file,"), ("JSON", "["), ("txt", "\n")])
def test_ending_of_the_output_chooses_the_format(ending, begin, tmp_path, monkeypatch):
    sounds.write(tmp_path / "a.wav", np.zeros(8_000, np.float32), 8_000)
    target = tmp_path / f"result.{ending}"
    monkeypatch.setattr(sys, "argv", ["esc", "classify", str(tmp_path / "a.wav"), "--output", str(target)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert target.read_text(encoding="utf-8").lstrip(" ").startswith(begin)


@pytest.mark.slow
def test_missing_file_and_empty_folder(tmp_path):
    ended = classify(tmp_path / "nothing.wav", tmp_path, EXAMPLES / "siren.flac", "--format", "json")
    assert ended.returncode == 1
    assert "nothing.wav" in ended.stderr and "no sound files" in ended.stderr
    row, *refused = json.loads(ended.stdout)
    assert [list(one) for one in refused] == [["file", "error"]] * 2
    assert {one["file"] for one in refused} == {str(tmp_path / "nothing.wav"), str(tmp_path)}
    assert row["verdict"] == "siren" and row["timeline"] == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "FILE_OR_FOLDER"),
        ([EXAMPLES, "--format", "xml"], "--format"),
        ([EXAMPLES, "--format", "audacity"], "--output"),
        ([EXAMPLES, "--top", 0], "--top"),
        ([EXAMPLES, "--timeline", "--hop", 9], "hop"),
        ([EXAMPLES, "--hop", 1], "--timeline"),
        ([EXAMPLES, "--start", 1, "--timeline"], "--start"),
        ([EXAMPLES, "--start", -1], "--start = -1.0 is not possible: it must lie between 0.0 and 7200.0"),
        ([EXAMPLES, "--start", 3, "--end", 2], "--end = 2.0 is not possible: it must lie between 3.0 and 7200.0"),
        ([EXAMPLES, "--jobs", 0], "--jobs"),
        ([EXAMPLES, "--full-scale", 0.5], "--full-scale = 0.5"),
        ([EXAMPLES, "--time-expansion", 0.1], "--time-expansion = 0.1"),
        ([EXAMPLES, "--output", "/no/such/folder/x.csv"], "--output"),
        ([EXAMPLES, "--output", EXAMPLES], "--output"),
        ([EXAMPLES, "--output", "x.parquet"], "--engine ray"),
        ([EXAMPLES, "--bom"], "--bom"),
        ([EXAMPLES, "--checkpoint", EXAMPLES / "siren.flac"], "siren.flac can't be used as a network"),
        ([EXAMPLES, "--checkpoint", EXAMPLES], "no checkpoint"),
        ([EXAMPLES, "--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage(arguments, word, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["esc", "classify", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert word in said.err


def test_interval_by_the_command_line(tmp_path):
    """As `classify_clips` and /classify have it; a sound that ends before is refused alone."""
    sound, rate = np.concatenate([sounds.busy(4.0, seed=seed) for seed in range(3)]), 44_100
    path = sounds.write(tmp_path / "a long.wav", sound, rate, "FLOAT")
    short = sounds.write(tmp_path / "b short.wav", sound[:rate], rate, "FLOAT")
    network = Classifier.load()
    for options, (start_s, end_s) in {
        ("--start", 2.0, "--end", 3.5): (2.0, 3.5),
        ("--start", 1.0, "--end", 11.0): (1.0, 11.0),
        ("--end", 3.0): (0.0, 3.0),
        ("--start", 11.0): (7.0, 12.0),
    }.items():
        expected = classify_clips(network, interval_clips(network, sound, rate, start_s, end_s))
        (row,) = json.loads(classify(path, *options, "--format", "json").stdout)
        assert (row["start"], row["end"], row["verdict"]) == (start_s, end_s, expected.verdict)
        assert {one["label"]: one["probability"] for one in row["top"]} == pytest.approx(dict(expected.top), abs=1e-5)
    ended = classify(tmp_path, "--start", 2.0, "--end", 3.5, "--format", "csv")
    assert ended.returncode == 1
    assert f"{short} was not classified (start_s = 2.0 is not possible: it must lie between 0.0 and 1.0)." in ended.stderr
    first, second = csv.DictReader(io.StringIO(ended.stdout))
    assert (first["start"], first["end"], second["start"], bool(second["error"])) == ("2.000", "3.500", "", True)
    assert "start s" in classify(path, "--end", 3.0).stdout


@pytest.mark.parametrize("form", ["audacity", "raven", "csv", "json"])
def test_labels_of_a_time_expansion(tmp_path, form):
    """Labels of a file read at ten times its rate are at the same place of the file with each reading."""
    siren, rate = load_audio(EXAMPLES / "siren.flac")
    sound = np.concatenate([np.zeros(5 * rate, np.float32), siren])
    path = sounds.write(tmp_path / "bat.wav", sound, rate // 10, "FLOAT")
    file_s = len(sound) / (rate // 10)
    text = classify(path, "--timeline", "--time-expansion", 10, "--format", form).stdout
    slow, fast = (read_labels(text, "a", file_s / factor, rate // 10 * factor, "", factor).labels for factor in (1, 10))
    assert [(one.start_s, one.end_s) for one in slow] == [pytest.approx((10 * one.start_s, 10 * one.end_s)) for one in fast]
    assert slow[0].name == "siren" and 45 < slow[0].start_s < 60
    if form == "json":
        (row,) = json.loads(text)
        assert (row["time_expansion"], row["seconds"]) == (10.0, pytest.approx(file_s / 10))


@pytest.mark.slow
def test_wrong_usage_exit_code():
    ended = run_program(EXAMPLES, "--format", "xml")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "xml" in ended.stderr


def test_sound_files_order_and_duplicates(tmp_path):
    for name in ("b.wav", "a.ogg", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.MP3").touch()
    files, errors = sound_files([tmp_path / "b.wav", tmp_path, tmp_path / "c.txt", tmp_path / "b.wav"])
    assert [file.name for file in files] == ["b.wav", "a.ogg", "a.MP3", "c.txt"]
    assert errors == []


def test_decoder_crash_costs_one_file(monkeypatch, tmp_path):
    def stumble(*_):
        raise IndexError("tuple index out of range")

    monkeypatch.setattr("esc.batch.file_classification.open_audio", stumble)
    (answer,) = classify_files([tmp_path / "odd.wav"], BatchOptions())
    assert isinstance(answer, AudioError)
    assert answer.key == "audio.crashed" and "IndexError" in str(answer)


@pytest.fixture
def three_classes(tmp_path) -> Path:
    """The folder of an untrained checkpoint of three classes."""
    checkpoint = Checkpoint(
        architecture="resnet18", class_names=("pump", "valve", "fan"), spectrogram=LIBROSA, input=InputConfig(clip_seconds=1.0)
    )
    save_checkpoint(tmp_path / "net", build_model("resnet18", 3), checkpoint)
    return tmp_path / "net"


@pytest.mark.parametrize("named_by", ["option", "variable"])
def test_default_top_of_a_checkpoint_of_three_classes(three_classes, named_by, monkeypatch):
    options = ["--checkpoint", three_classes] if named_by == "option" else []
    if named_by == "variable":
        monkeypatch.setenv("SOUNDGLASS_CHECKPOINT", str(three_classes))
    rows = json.loads(classify(EXAMPLES / "rain.flac", "--format", "json", *options).stdout)
    assert {found["label"] for found in rows[0]["top"]} == {"pump", "valve", "fan"}
    (row,) = csv.DictReader(io.StringIO(classify(EXAMPLES / "rain.flac", "--format", "csv", *options).stdout))
    assert "label_3" in row and "label_4" not in row


def test_top_of_a_prediction_is_at_most_all_classes(three_classes):
    network = Classifier.load(three_classes)
    assert len(network.predict(sounds.tone(), 44_100).top) == 3
    assert len(network.predict(sounds.tone(), 44_100, top_k=2).top) == 2
    with pytest.raises(ParameterError, match="top_k = 0"):
        network.predict(sounds.tone(), 44_100, top_k=0)


def test_serve_without_the_named_checkpoint(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("SOUNDGLASS_CHECKPOINT", str(tmp_path / "nowhere"))
    monkeypatch.setattr(sys, "argv", ["soundglass", "serve"])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module("esc.__main__").main()
    assert (ended.value.code, "There is no checkpoint in" in capsys.readouterr().err) == (2, True)


def test_serve_where_nothing_can_be_served(monkeypatch, capsys, tmp_path):
    """An address that is taken or not this machine's, no port, no index: one line each, before anything is loaded."""
    (tmp_path / "index.npz").write_text("no index")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for variables, word in (
            ({"PORT": str(port)}, f"127.0.0.1:{port}: Address already in use"),
            ({"HOST": "nowhere.invalid"}, "served at nowhere.invalid"),
            ({"PORT": "0"}, "PORT"),
            ({"PORT": "65536"}, "PORT"),
            ({"SOUNDGLASS_INDEX": str(tmp_path / "none.npz")}, "There is no index"),
            ({"SOUNDGLASS_INDEX": str(tmp_path / "index.npz")}, "index.npz can't be used: it is no .npz file"),
        ):
            with monkeypatch.context() as changed, pytest.raises(SystemExit) as ended:
                changed.delenv("HOST", raising=False)
                changed.delenv("PORT", raising=False)
                changed.setattr(sys, "argv", ["soundglass", "serve"])
                for name, value in variables.items():
                    changed.setenv(name, value)
                importlib.import_module("esc.__main__").main()
            said = capsys.readouterr().err
            assert (ended.value.code, word in said) == (2, True), said
