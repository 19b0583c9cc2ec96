"""Own sounds: from folders or a table to a data set, and by the commands to a network that is used."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import sounds
from command_line import classify
from esc.audio.io import load_audio
from esc.classification.checkpoint_files.config import read_config
from esc.errors import DataError
from small_data import CLASSES, QUICK, RATE, SMALL, small_sound
from training.data.esc50 import class_names, origin_of, read_clips
from training.data.own_sounds import folds_of, make_data_set
from training.recipes import FIRST, ROBUST, fitted

THREE = CLASSES[:3]
SECONDS = 0.5


@pytest.fixture
def folders(tmp_path) -> Path:
    """Three classes of ten files and a long one, in folders within folders, with what is no sound."""
    rng = np.random.default_rng(3)
    for label in THREE:
        (tmp_path / "own" / label / "deep").mkdir(parents=True)
        for number in range(10):
            folder = "deep" if number % 2 else "."
            sounds.write(tmp_path / "own" / label / folder / f"{label} {number}.wav", small_sound(label, rng), RATE)
    long = np.concatenate([small_sound("hum", rng) for _ in range(6)])
    sounds.write(tmp_path / "own" / "hum" / "long, 1.wav", long, RATE)
    (tmp_path / "own" / "notes.txt").write_text("no sound")
    return tmp_path / "own"


def table_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "clips.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_data_set_of_folders(folders, tmp_path):
    assert make_data_set(folders, tmp_path / "set", SECONDS) == []
    clips, rows = read_clips(tmp_path / "set"), table_of(tmp_path / "set")
    assert class_names(clips) == tuple(sorted(THREE))
    folds = defaultdict(set)
    for row in rows:
        folds[row["src_file"]].add(row["fold"])
    assert len(folds) == 31 and all(len(one) == 1 for one in folds.values()), "a file is in one fold"
    for label in THREE:
        assert {row["fold"] for row in rows if row["category"] == label} == set("12345")
    source, _ = load_audio(folders / "hum" / "long, 1.wav")
    cut = [row for row in rows if row["src_file"] == "hum/long, 1.wav"]
    assert [float(row["start_s"]) for row in cut] == [SECONDS * number for number in range(len(cut))]
    parts = [load_audio(tmp_path / "set" / "audio" / row["filename"])[0] for row in cut]
    joined = np.concatenate(parts)
    np.testing.assert_allclose(joined, source[: len(joined)], atol=2**-22)
    assert len(source) - len(joined) < SECONDS * RATE / 2
    origin = origin_of(tmp_path / "set", clips)
    assert (origin.name, origin.licence) == ("set, 31 files of 3 classes", None)


def test_parts_of_esc50_keep_its_folds_and_licence(tmp_path):
    rows = ["filename,fold,target,category"]
    for number, label in enumerate(("dog", "rain")):
        for fold in (1, 2, 4):
            name = f"{fold}-10{fold}-A-{number}.wav"
            for folder in (tmp_path / "own" / label, tmp_path / "part" / "audio"):
                folder.mkdir(parents=True, exist_ok=True)
                sounds.write(folder / name, sounds.tone(300.0 + 100 * fold + 31 * number, SECONDS, RATE), RATE)
            rows.append(f"{name},{fold},{number},{label}")
    (tmp_path / "part" / "esc50.csv").write_text("\n".join(rows))
    make_data_set(tmp_path / "own", tmp_path / "set", SECONDS)
    for folder in (tmp_path / "set", tmp_path / "part"):
        clips = read_clips(folder)
        origin = origin_of(folder, clips)
        assert origin.name == "ESC-50 (K. J. Piczak, 2015), CC BY-NC 3.0, 6 clips of 2 classes"
        assert origin.licence == "CC BY-NC 4.0"
        assert sorted((clip.category, clip.fold) for clip in clips) == [
            (label, n) for label in ("dog", "rain") for n in (1, 2, 4)
        ]


def test_table_equals_folders(folders, tmp_path):
    paths = sorted(folders.rglob("*.wav"))
    rows = [f'"{path.relative_to(folders.parent)}",{path.relative_to(folders).parts[0]}' for path in paths]
    (tmp_path / "own.csv").write_text("\n".join(["file,label", *rows]), encoding="utf-8-sig")
    make_data_set(tmp_path / "own.csv", tmp_path / "a", SECONDS)
    make_data_set(folders, tmp_path / "b", SECONDS)
    counted = [sorted((row["category"], row["start_s"]) for row in table_of(tmp_path / name)) for name in "ab"]
    assert counted[0] == counted[1]


def test_unusable_files_are_reported(folders, tmp_path):
    sounds.write(folders / "hum" / "nothing.wav", np.zeros(RATE, np.float32), RATE)
    (folders / "hiss" / "broken.wav").write_bytes(b"RIFF" * 30)
    refused = make_data_set(folders, tmp_path / "set", SECONDS)
    assert [line.split(":")[0] for line in refused] == ["hiss/broken.wav", "hum/nothing.wav"]
    assert "can't be read" in refused[0] and "silent" in refused[1]
    assert make_data_set(folders, tmp_path / "set", SECONDS) == refused  # the set that is there has none of them


def write_one_class(folder):
    for label in THREE[1:]:
        (folder / label).rename(folder.parent / label)


def write_twice(folder):
    (folder / "hiss" / "again.wav").write_bytes((folder / "hum" / "hum 0.wav").read_bytes())


def write_few(folder):
    for path in sorted((folder / "hum").rglob("*.wav"))[1:]:
        path.unlink()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (write_one_class, "own.classes"),
        (write_twice, "own.twice"),
        (write_few, "own.few"),
        (lambda folder: (folder / "hum").rename(folder / "unknown"), "own.reserved"),
        (lambda folder: (folder / "hum").rename(folder / "unsure"), "own.reserved"),
        (lambda folder: (folder / "empty").mkdir(), "own.missing"),
    ],
)
def test_unusable_folders(folders, tmp_path, change, key):
    change(folders)
    with pytest.raises(DataError) as caught:
        make_data_set(folders, tmp_path / "set", SECONDS)
    assert caught.value.key == key
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("text", "key"),
    [("name,label\na.wav,b\n", "own.columns"), ("file;label\nnone.wav;b\n", "own.row"), ("file,label\n,b\n", "own.row")],
)
def test_unusable_tables(tmp_path, text, key):
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(DataError) as caught:
        make_data_set(tmp_path / "own.csv", tmp_path / "set", SECONDS)
    assert caught.value.key == key


def test_another_data_set_is_not_replaced(folders, tmp_path):
    make_data_set(folders, tmp_path / "set", SECONDS)
    made = (tmp_path / "set" / "clips.csv").stat().st_mtime_ns
    make_data_set(folders, tmp_path / "set", SECONDS)
    assert (tmp_path / "set" / "clips.csv").stat().st_mtime_ns == made
    with pytest.raises(DataError, match="made from other sounds"):
        make_data_set(folders, tmp_path / "set", 2 * SECONDS)


@pytest.mark.parametrize("counts", [[1] * 10, [9, 1, 1, 1, 1, 1], [1, 1]])
def test_folds_are_filled_evenly(counts):
    found = folds_of({f"file {number}": count for number, count in enumerate(counts)})
    assert 5 in found.values() and len(set(found.values())) == min(5, len(counts))


def test_batches_fit_few_clips():
    assert fitted(FIRST, 1_600) is FIRST and fitted(ROBUST, 1_600) is ROBUST
    assert (fitted(FIRST, 24).batch_size, fitted(FIRST, 3).batch_size) == (6, 4)
    small = fitted(ROBUST, 24)
    assert 24 // small.known_batch >= 4
    assert small.unknown_batch == 1, "it still trains with sounds of no class"
    assert fitted(FIRST, 24).unknown_batch == 0
    assert small.learning_rate == pytest.approx(ROBUST.learning_rate * (6 / 64) ** 0.5)


@pytest.mark.slow
def test_from_folders_to_predictions(folders, tmp_path, monkeypatch, run_command):
    """The commands of the README, without a word on the data after `train`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ESC50_DIR", raising=False)
    quick = dataclasses.replace(QUICK, spectrogram=SMALL, epochs=8)
    for module in ("options", "data"):
        monkeypatch.setattr(f"training.cli.{module}.RECIPES", {"first": quick})
    monkeypatch.setattr("training.data.preprocessing._usable_cores", lambda: 1)
    run = Path("runs/own-first-fold5-seed1")
    for command in (("prepare", "--folders", folders), ("train", "--data", "data/own"), ("report", run), ("calibrate", run)):
        code, output, errors = run_command(*command)
        assert code == 0, errors
    code, output, errors = run_command("evaluate", "--checkpoint", run / "checkpoint", "--format", "json")
    assert code == 0, errors
    assert json.loads(output)["accuracy"] > 0.5
    assert not Path("runs/evaluations.csv").exists(), "the log of ESC-50"
    logged = Path("data/own/evaluations.csv").read_text().splitlines()
    assert len(logged) > 2 and all(",own-first-fold5-seed1,5," in row for row in logged[1:])
    made = read_config(run / "checkpoint").provenance
    assert (made["data"], made["licence"]) == ("own, 31 files of 3 classes", None)
    assert str(tmp_path) not in (run / "checkpoint" / "config.json").read_text(), "no path of this machine"
    code, output, errors = run_command("card", "--checkpoint", run / "checkpoint")
    assert code == 0, errors
    card = (run / "checkpoint" / "README.md").read_text()
    assert "own, 31 files of 3 classes" in card and "license: other" in card
    assert not any(word in card for word in ("ESC-50", "freesound", "CC BY", "example sounds"))
    (row,) = json.loads(classify(folders / "hum" / "hum 0.wav", "--checkpoint", run / "checkpoint", "--format", "json").stdout)
    assert {found["label"] for found in row["top"]} == set(THREE)
