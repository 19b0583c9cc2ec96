"""The training package on a small data set made here, against scikit-learn, formulas and itself after a kill."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.metrics
import torch
from torch import nn

import sounds
import training.train as loop
from esc.audio.io import load_audio
from esc.audio.waveform import fit_clip
from esc.classification.calibration import Calibration
from esc.classification.checkpoint import load_checkpoint, read_config, write_config
from esc.config import ESC50, InputConfig, SpectrogramConfig
from esc.dsp.spectrogram import mel_db
from esc.errors import DataError
from esc.paths import DEFAULT_CHECKPOINT
from training.data.esc50 import check_folds, class_names, data_folder, read_clips
from training.data.preprocessing import clip_picture, prepare
from training.engine.state import State
from training.evaluation.metrics import expected_calibration_error, score
from training.recipes import RECIPES, Augmentation, Recipe

RATE = 8_000
SMALL = SpectrogramConfig(
    sample_rate=RATE, n_fft=256, win_length=256, hop_length=128, n_mels=32, fmin=50.0, fmax=4_000.0, mel_scale="htk"
)
HALF_A_SECOND = InputConfig(clip_seconds=0.5)
CLASSES = ("hum", "hiss", "chirp", "ticks")
A_FOLD = 5  # clips of each class in one fold
TRAINING_FOLDS, HELD_OUT = (1, 2, 3, 4), 5
QUICK = Recipe(
    spectrogram=SMALL,
    input=HALF_A_SECOND,
    epochs=3,
    batch_size=16,
    learning_rate=2e-3,
    weight_decay=0.01,
    label_smoothing=0.05,
    average=0.9,
    augmentation=Augmentation(
        mix_share=0.5,
        speed=0.05,
        shift_bands=1,
        tilt_db=2.0,
        time_masks=1,
        freq_masks=1,
        time_mask_share=0.1,
        freq_mask_share=0.1,
    ),
)


def small_sound(category: str, rng: np.random.Generator) -> np.ndarray:
    seconds = rng.uniform(0.3, 0.8)  # some are padded, some cut
    n_samples = round(seconds * RATE)
    if category == "hum":
        waveform = sounds.tone(rng.uniform(200, 300), seconds, RATE)
    elif category == "hiss":
        waveform = 0.2 * rng.standard_normal(n_samples)
    elif category == "chirp":
        waveform = sounds.sweep(seconds, RATE)
    else:
        waveform = np.zeros(n_samples)
        waveform[:: int(rng.integers(500, 700))] = 0.9
    return (waveform[:n_samples] + 0.003 * rng.standard_normal(n_samples)).astype(np.float32)


def make_data(folder: Path, layout: str = "official") -> Path:
    table, audio = {
        "official": ("meta/esc50.csv", "audio"),
        "kaggle": ("esc50.csv", "audio/audio"),
        "flat": ("esc50.csv", "."),
    }[layout]
    (folder / audio).mkdir(parents=True, exist_ok=True)
    (folder / table).parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    rows = []
    for fold in (1, 2, 3, 4, 5):
        for target, category in enumerate(CLASSES):
            for take in range(A_FOLD):
                source = 1_000 * fold + 10 * target + take
                name = f"{fold}-{source}-A-{target}.wav"
                sounds.write(folder / audio / name, small_sound(category, rng), RATE)
                rows.append([name, fold, target, category, "False", source, "A"])
    with (folder / table).open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(["filename", "fold", "target", "category", "esc10", "src_file", "take"])
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return make_data(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def prepared(data, cache):
    return prepare(read_clips(data), SMALL, HALF_A_SECOND, cache, jobs=1)


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory) -> Path:
    """A finished run of three epochs, without a break."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    loop.train(prepared, QUICK, TRAINING_FOLDS, HELD_OUT, 1, run)
    return run


# the data


@pytest.mark.parametrize("layout", ["official", "kaggle", "flat"])
def test_every_layout_is_read(tmp_path, layout):
    clips = read_clips(make_data(tmp_path, layout))
    assert len(clips) == 5 * len(CLASSES) * A_FOLD
    assert all(clip.path.is_file() and clip.path.name == clip.name for clip in clips)
    assert class_names(clips) == CLASSES
    assert Counter(clip.fold for clip in clips) == dict.fromkeys((1, 2, 3, 4, 5), len(CLASSES) * A_FOLD)
    first = clips[0]
    assert (first.name, first.fold, first.target, first.category, first.source) == ("1-1000-A-0.wav", 1, 0, "hum", "1000")


def test_other_formats_stand_in_for_wav(tmp_path):
    make_data(tmp_path)
    for path in (tmp_path / "audio").iterdir():
        waveform, rate = load_audio(path)
        sounds.write(path.with_suffix(".flac"), waveform, rate)
        path.unlink()
    clips = read_clips(tmp_path)
    assert {clip.path.suffix for clip in clips} == {".flac"}
    assert clips[0].name == "1-1000-A-0.wav"


def test_the_folder_comes_from_the_variable(data, tmp_path, monkeypatch):
    monkeypatch.setenv("ESC50_DIR", str(data))
    assert data_folder(None) == data
    assert data_folder(tmp_path) == tmp_path
    monkeypatch.setenv("ESC50_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"nowhere.*ESC50_DIR"):
        data_folder(None)


def refusal(folder: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read_clips(folder)
    return caught.value


def test_what_is_wrong_with_a_folder_is_told(tmp_path):
    assert refusal(tmp_path).key == "data.missing"
    make_data(tmp_path)
    gone = sorted((tmp_path / "audio").iterdir())
    gone[3].unlink()
    gone[8].unlink()
    error = refusal(tmp_path)
    assert error.key == "data.clips"
    assert error.values["count"] == 2
    assert error.values["first"] == gone[3].name
    for path in gone:
        path.unlink(missing_ok=True)
    assert refusal(tmp_path).key == "data.missing"


@pytest.mark.parametrize(
    ("table", "missing"),
    [
        ("", "category, filename, fold, target"),
        ("filename,fold\na.wav,1\n", "category, target"),
        ("name;fold\n1;2\n", "category"),
    ],
)
def test_a_table_of_another_kind(tmp_path, table, missing):
    make_data(tmp_path, "flat")
    (tmp_path / "esc50.csv").write_text(table)
    error = refusal(tmp_path)
    assert error.key == "data.columns"
    assert error.values["missing"].startswith(missing)


@pytest.mark.parametrize(
    ("spoil", "key", "said"),
    [
        (lambda rows: [*rows, rows[3]], "data.row", "Row 102 .* stands in row 5 too"),
        (lambda rows: [rows[0].replace(",hum,", ",hiss,"), *rows[1:]], "data.row", "target 0 and category"),
        (lambda rows: [row.replace(",3,ticks", ",4,ticks") for row in rows], "data.table", "from 0 to 4 with gaps"),
        (lambda rows: [rows[0].replace("1-1000-A-0.wav,1", "1-1000-A-0.wav,one"), *rows[1:]], "data.row", "Row 2 "),
        (lambda rows: [*rows[:-1], "5-5034-A-3.wav,5"], "data.row", "Row 101 .*a column is empty"),
        (lambda rows: [row.replace("1-1000-A-0.wav", "a-dog.wav") for row in rows], "data.clips", "the first is a-dog.wav"),
        (lambda rows: [rows[0].replace("hum", "h\xfcm"), *rows[1:]], "data.table", "utf-8"),
    ],
)
def test_rows_that_do_not_fit_are_named(tmp_path, spoil, key, said):
    table = make_data(tmp_path, "flat") / "esc50.csv"
    header, *rows = table.read_text().splitlines()
    table.write_bytes("\n".join([header, *spoil(rows)]).encode("latin-1"))
    error = refusal(tmp_path)
    assert error.key == key
    assert re.search(said, str(error)), str(error)
    assert "esc50.csv" in str(error)


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path):
    table = make_data(tmp_path, "flat") / "esc50.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    assert len(read_clips(tmp_path)) == 100


def test_a_fold_that_does_not_exist(data):
    check_folds(read_clips(data), (1, 5))
    with pytest.raises(DataError, match="Fold 6 does not exist; this data has the folds 1, 2, 3, 4, 5"):
        check_folds(read_clips(data), (5, 6))


@pytest.mark.data
def test_esc50_is_whole_and_no_source_is_on_both_sides(data_dir):
    clips = read_clips(data_dir)
    assert len(clips) == 2_000
    assert Counter(clip.fold for clip in clips) == dict.fromkeys((1, 2, 3, 4, 5), 400)
    assert set(Counter((clip.fold, clip.target) for clip in clips).values()) == {8}
    assert len(class_names(clips)) == 50
    for held_out in (1, 2, 3, 4, 5):
        valid = {(clip.source, clip.category) for clip in clips if clip.fold == held_out}
        train = {(clip.source, clip.category) for clip in clips if clip.fold != held_out}
        assert not valid & train


# the pictures


def test_a_clips_picture_is_the_librarys(data):
    for clip in read_clips(data)[:: 3 * A_FOLD]:
        waveform, sample_rate = load_audio(clip.path, SMALL.sample_rate)
        assert sample_rate == RATE
        expected = mel_db(fit_clip(waveform, 4_000), SMALL)
        assert torch.equal(torch.from_numpy(clip_picture(clip.path, SMALL, HALF_A_SECOND)), expected)


def test_a_clip_is_resampled_and_padded(tmp_path):
    path = sounds.write(tmp_path / "a.wav", sounds.tone(1_000.0, 2.0, 48_000), 48_000)
    picture = clip_picture(path, ESC50, InputConfig())
    assert picture.shape == (128, 431)
    assert picture.dtype == np.float32


def test_prepared_pictures_are_those_of_the_clips(data, cache, prepared):
    clips = read_clips(data)
    assert prepared.names == tuple(clip.name for clip in clips)
    assert prepared.targets.tolist() == [clip.target for clip in clips]
    assert prepared.folds.tolist() == [clip.fold for clip in clips]
    assert prepared.class_names == CLASSES
    for index in (0, 37, 99):
        assert np.array_equal(prepared.spectrograms_db[index], clip_picture(clips[index].path, SMALL, HALF_A_SECOND))


def test_the_cache_is_used_and_never_mistaken(data, tmp_path):
    clips = read_clips(data)[:6]
    prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    (file,) = tmp_path.rglob("*.npy")
    before = file.stat().st_mtime_ns
    prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    assert file.stat().st_mtime_ns == before
    prepare(clips, SMALL.replace(top_db=60.0), HALF_A_SECOND, tmp_path, jobs=1)
    prepare(clips, SMALL, InputConfig(clip_seconds=0.4), tmp_path, jobs=1)
    prepare(clips[:5], SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    assert len(list(tmp_path.rglob("*.npy"))) == 4
    assert not list(tmp_path.rglob("*.tmp"))


# figures


def test_figures_equal_scikit_learns(rng):
    spectrograms_db = torch.from_numpy(rng.standard_normal((123, 6, 7)).astype(np.float32))
    targets = torch.from_numpy(rng.integers(0, 5, 123))
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(42, 5), nn.Dropout(0.5))
    figures = score(model, spectrograms_db, targets, InputConfig(scaling="dataset"))
    with torch.inference_mode():
        logits = model.eval()(spectrograms_db)
    probabilities, exact = logits.softmax(1).numpy(), logits.double().softmax(1).numpy()
    assert figures.clips == 123
    np.testing.assert_allclose(figures.probabilities, probabilities, atol=1e-6)
    assert figures.accuracy == pytest.approx(sklearn.metrics.accuracy_score(targets, probabilities.argmax(1)))
    assert figures.loss == pytest.approx(sklearn.metrics.log_loss(targets, exact, labels=range(5)), rel=1e-5)
    assert figures.ece == pytest.approx(direct_ece(probabilities, targets.numpy()), abs=1e-6)


def direct_ece(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Guo et al. (2017), equation 3, bin by bin."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    total = 0.0
    for number in range(15):
        inside = (confidence > number / 15) & (confidence <= (number + 1) / 15)
        if inside.any():
            total += inside.sum() / len(targets) * abs(right[inside].mean() - confidence[inside].mean())
    return total


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 5.0])
def test_calibration_error_by_the_formula(rng, sharpness):
    logits = sharpness * rng.standard_normal((500, 8))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = rng.integers(0, 8, 500)
    assert expected_calibration_error(probabilities, targets) == pytest.approx(direct_ece(probabilities, targets), abs=1e-9)


@pytest.mark.parametrize(
    ("confidence", "right", "expected"),
    [
        ([0.9] * 10, [1] * 9 + [0], 0.0),
        ([0.9] * 10, [1] * 5 + [0] * 5, 0.4),
        ([1.0] * 4, [0] * 4, 1.0),
        ([1.0] * 4, [1] * 4, 0.0),
        ([0.9] * 5 + [0.6] * 5, [1] * 5 + [0] * 5, 0.35),  # (0.1 + 0.6) / 2
        ([0.9, 0.9, 0.6, 0.6], [1, 0, 1, 0], 0.25),  # (0.4 + 0.1) / 2
    ],
)
def test_calibration_error_by_hand(confidence, right, expected):
    first = np.array(confidence)
    probabilities = np.stack([first, 1 - first], axis=1)
    assert expected_calibration_error(probabilities, 1 - np.array(right)) == pytest.approx(expected)


# the loop


def test_a_run_leaves_what_it_promises(trained):
    rows = list(csv.DictReader((trained / "history.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(float(row["valid_loss"]) > 0 for row in rows)
    settings = json.loads((trained / "config.json").read_text())
    assert (settings["seed"], settings["valid_fold"], settings["train_folds"]) == (1, 5, [1, 2, 3, 4])
    _, meta = load_checkpoint(trained / "checkpoint")
    assert (meta.class_names, meta.spectrogram, meta.input) == (CLASSES, SMALL, HALF_A_SECOND)
    assert meta.provenance["train_folds"] in ([1, 2, 3, 4], (1, 2, 3, 4))
    assert meta.provenance["recipe"]["epochs"] == 3
    assert "NC" in meta.provenance["licence"]


class Killed(BaseException):
    """Stands for a process that is gone."""


def test_after_a_kill_the_weights_are_the_same_to_the_last_bit(prepared, trained, tmp_path, monkeypatch):
    save = State.save

    def kill_before_another_epoch_is_saved(state, path):
        if state.epoch > 1:  # the third, if the second took less than nine times what its state does
            raise Killed
        save(state, path)

    run = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(State, "save", kill_before_another_epoch_is_saved)
        loop.train(prepared, QUICK, TRAINING_FOLDS, HELD_OUT, 1, run)
    assert not (run / "checkpoint").exists()
    torch.manual_seed(999)  # what the process drew before must not matter
    loop.train(prepared, QUICK, TRAINING_FOLDS, HELD_OUT, 1, run)

    ours, theirs = (torch.load(folder / "last.pt", weights_only=True) for folder in (run, trained))
    for name in ("model", "averaged"):
        for key, tensor in theirs[name].items():
            assert torch.equal(ours[name][key], tensor), f"{name}.{key}"
    for shard in sorted((trained / "checkpoint").glob("*.safetensors")):
        assert (run / "checkpoint" / shard.name).read_bytes() == shard.read_bytes()
    epochs = [row["epoch"] for row in csv.DictReader((run / "history.csv").open())]
    assert epochs == ["1", "2", "3"]


def test_the_state_takes_a_tenth_of_the_time_at_most(tmp_path, monkeypatch):
    """Epochs of 5 s and states of 2 s: the first, then whenever 18 s have gone by since the last, and the end."""
    now, saved = [0.0], []

    def save(path):
        saved.append(state.epoch)
        now[0] += 2.0

    monkeypatch.setattr(loop.time, "perf_counter", lambda: now[0])
    state, notes = SimpleNamespace(epoch=0, save=save), loop._Notes(tmp_path, 30)
    for epoch in range(1, 31):
        now[0] += 5.0
        state.epoch = epoch
        notes.take(state, {"epoch": epoch})
    assert saved == [1, 5, 9, 13, 17, 21, 25, 29, 30]
    assert [row["epoch"] for row in csv.DictReader((tmp_path / "history.csv").open())] == [str(epoch) for epoch in range(1, 31)]


def test_a_run_is_not_resumed_with_other_settings(prepared, trained):
    before = (trained / "config.json").read_text()
    with pytest.raises(DataError, match="other settings \\(recipe, seed\\)"):
        loop.train(prepared, dataclasses.replace(QUICK, epochs=4), TRAINING_FOLDS, HELD_OUT, 3, trained)
    assert (trained / "config.json").read_text() == before


def test_a_row_that_a_kill_has_cut_off_is_taken_again(prepared, trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    header, first, second, _ = (trained / "history.csv").read_text().splitlines(keepends=True)
    state = torch.load(run / "last.pt", weights_only=True)
    (run / "history.csv").write_text(header + first + second + "1")  # of what would have been "10,0.001,..."
    torch.save(state | {"epoch": 3}, run / "last.pt")
    loop.train(prepared, QUICK, TRAINING_FOLDS, HELD_OUT, 1, run)
    assert (run / "history.csv").read_text() == header + first + second


@pytest.mark.parametrize("length", [0, 1_000, 1_000_000])
def test_a_state_that_was_cut_off_is_told(prepared, trained, tmp_path, length):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (run / "last.pt").write_bytes((trained / "last.pt").read_bytes()[:length])
    with pytest.raises(DataError) as caught:
        loop.train(prepared, QUICK, TRAINING_FOLDS, HELD_OUT, 1, run)
    assert caught.value.key == "run.damaged"
    assert "last.pt" in str(caught.value)


def test_a_cache_that_was_cut_off_is_told(data, tmp_path):
    clips = read_clips(data)[:6]
    prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    (file,) = tmp_path.rglob("*.npy")
    file.write_bytes(file.read_bytes()[:-50])
    with pytest.raises(DataError) as caught:
        prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1)
    assert caught.value.key == "data.cache"
    file.unlink()
    assert len(prepare(clips, SMALL, HALF_A_SECOND, tmp_path, jobs=1).names) == 6, "the mend that the message tells"


def test_a_finished_run_is_not_trained_on(prepared, trained):
    before = (trained / "last.pt").read_bytes()
    loop.train(prepared, QUICK, TRAINING_FOLDS, HELD_OUT, 1, trained)
    assert (trained / "last.pt").read_bytes() == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("gone", [None, "last.pt"])
def test_a_finished_run_that_was_calibrated_stays_as_it_is(prepared, trained, tmp_path, gone):
    run = tmp_path / "run"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("log.txt", *filter(None, [gone])))
    (run / "held_out.npz").write_bytes(b"read with great care")
    meta = read_config(run / "checkpoint")
    measured = Calibration(temperature=0.7, unknown_score="max_softmax", unknown_threshold=0.4)
    made_elsewhere = meta.provenance | {"device": "another machine"}
    write_config(run / "checkpoint", dataclasses.replace(meta, calibration=measured, provenance=made_elsewhere))
    before = contents(run)
    network = loop.train(prepared, QUICK, TRAINING_FOLDS, HELD_OUT, 1, run)
    assert {name: part for name, part in contents(run).items() if name != "log.txt"} == before
    assert "has ended" in (run / "log.txt").read_text()
    kept = load_checkpoint(trained / "checkpoint")[0].state_dict()
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor.cpu(), kept[name], rtol=1e-3, atol=1e-4)  # half precision
    with pytest.raises(DataError, match="other settings \\(seed\\)"):
        loop.train(prepared, QUICK, TRAINING_FOLDS, HELD_OUT, 2, run)
    assert {name: part for name, part in contents(run).items() if name != "log.txt"} == before


def test_a_run_from_the_start_forgets_what_an_older_network_said(prepared, trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run, ignore=shutil.ignore_patterns("last.pt", "checkpoint"))
    (run / "held_out.npz").write_bytes(b"of a network that is gone")
    loop.train(prepared, QUICK, TRAINING_FOLDS, HELD_OUT, 1, run)
    assert not (run / "held_out.npz").exists()
    assert [row["epoch"] for row in csv.DictReader((run / "history.csv").open())] == ["1", "2", "3"]


def test_the_held_out_fold_is_never_trained_on(prepared, tmp_path):
    """Whatever its pictures and labels are, the weights are the same."""
    spoilt = np.array(prepared.spectrograms_db)
    spoilt[prepared.folds == HELD_OUT] = 5.0
    targets = np.where(prepared.folds == HELD_OUT, 0, prepared.targets)
    recipe = dataclasses.replace(QUICK, epochs=1)
    weights = []
    for number, data in enumerate((prepared, dataclasses.replace(prepared, spectrograms_db=spoilt, targets=targets))):
        loop.train(data, recipe, TRAINING_FOLDS, HELD_OUT, 1, tmp_path / str(number))
        weights.append(torch.load(tmp_path / str(number) / "last.pt", weights_only=True)["model"])
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


@pytest.fixture(scope="module")
def learnt(prepared, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "learnt"
    recipe = dataclasses.replace(QUICK, epochs=8, augmentation=dataclasses.replace(QUICK.augmentation, mix_share=0.2))
    loop.train(prepared, recipe, TRAINING_FOLDS, HELD_OUT, 1, run, valid_every=8)
    return run


def test_the_small_set_is_learnt(learnt, prepared):
    model, meta = load_checkpoint(learnt / "checkpoint")
    held_out = prepared.folds == HELD_OUT
    spectrograms_db, targets = torch.from_numpy(prepared.spectrograms_db[held_out]), torch.from_numpy(prepared.targets[held_out])
    assert score(model, spectrograms_db, targets, meta.input).accuracy > 0.9
    rows = list(csv.DictReader((learnt / "history.csv").open()))
    assert float(rows[-1]["train_loss"]) < 0.7 * float(rows[0]["train_loss"])


def evaluate(readings: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "training", "evaluate", "--readings", str(readings), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_evaluate_prints_json_and_nothing_else(learnt, data, cache, tmp_path):
    wanted = ("--data", str(data), "--checkpoint", str(learnt / "checkpoint"), "--cache", str(cache), "--format", "json")
    ended = evaluate(tmp_path / "readings.csv", *wanted)
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert result["accuracy"] > 0.9
    assert (result["clips"], result["fold"], result["trained_on"]) == (len(CLASSES) * A_FOLD, 5, [1, 2, 3, 4])
    assert SpectrogramConfig.from_dict(result["config"]["spectrogram"]) == SMALL


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--data", "nowhere"), "no such folder"),
        (("--data", "DATA", "--fold", "9"), "Fold 9 does not exist"),
        (("--data", "DATA", "--checkpoint", "nowhere"), "There is no checkpoint"),
    ],
)
def test_evaluate_says_what_is_wrong_in_one_line(data, monkeypatch, capsys, arguments, said):
    from training.__main__ import main

    monkeypatch.setattr(sys, "argv", ["training", "evaluate", *(str(data) if word == "DATA" else word for word in arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert len(printed.err.splitlines()) == 1


def test_recipes_hold_legal_values():
    for recipe in RECIPES.values():
        assert json.loads(json.dumps(recipe.to_dict()))["epochs"] == recipe.epochs
        assert 0 < recipe.warm_up < 1
        assert recipe.augmentation is None or 0 <= recipe.augmentation.mix_share <= 1


@pytest.mark.data
@pytest.mark.skipif(not (DEFAULT_CHECKPOINT / "config.json").is_file(), reason="no checkpoint is shipped")
def test_the_shipped_checkpoint_keeps_its_promise(data_dir, tmp_path):
    ended = evaluate(tmp_path / "readings.csv", "--data", str(data_dir), "--fold", "5", "--format", "json")
    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout)
    assert result["clips"] == 400
    assert 5 not in result["trained_on"]
    assert result["accuracy"] >= 0.75
