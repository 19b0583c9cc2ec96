"""ESC-50 on disk: layouts, and errors in folder, table and rows."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import sounds
from esc.audio.io import load_audio
from esc.errors import DataError
from small_data import A_FOLD, CLASSES, make_data
from training.data.esc50 import check_folds, class_names, data_folder, read_clips


@pytest.mark.parametrize("layout", ["official", "kaggle", "flat"])
def test_layouts(tmp_path, layout):
    clips = read_clips(make_data(tmp_path, layout))
    assert len(clips) == 5 * len(CLASSES) * A_FOLD
    assert all(clip.path.is_file() and clip.path.name == clip.name for clip in clips)
    assert class_names(clips) == CLASSES
    assert Counter(clip.fold for clip in clips) == dict.fromkeys((1, 2, 3, 4, 5), len(CLASSES) * A_FOLD)
    first = clips[0]
    assert (first.name, first.fold, first.target, first.category, first.source) == ("1-1000-A-0.wav", 1, 0, "hum", "1000")


def test_other_formats(tmp_path):
    make_data(tmp_path)
    for path in (tmp_path / "audio").iterdir():
        waveform, rate = load_audio(path)
        sounds.write(path.with_suffix(".flac"), waveform, rate)
        path.unlink()
    clips = read_clips(tmp_path)
    assert {clip.path.suffix for clip in clips} == {".flac"}
    assert clips[0].name == "1-1000-A-0.wav"


def test_data_folder(data, tmp_path, monkeypatch):
    monkeypatch.setenv("ESC50_DIR", str(data))
    assert data_folder(None) == data
    assert data_folder(tmp_path) == tmp_path
    monkeypatch.setenv("ESC50_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"nowhere.*ESC50_DIR"):
        data_folder(None)


def error_of(folder: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read_clips(folder)
    return caught.value


def test_incomplete_folder(tmp_path):
    assert error_of(tmp_path).key == "data.missing"
    make_data(tmp_path)
    gone = sorted((tmp_path / "audio").iterdir())
    gone[3].unlink()
    gone[8].unlink()
    error = error_of(tmp_path)
    assert error.key == "data.clips"
    assert error.values["count"] == 2
    assert error.values["first"] == gone[3].name
    for path in gone:
        path.unlink(missing_ok=True)
    assert error_of(tmp_path).key == "data.missing"


@pytest.mark.parametrize(
    ("table", "missing"),
    [
        ("", "category, filename, fold, target"),
        ("filename,fold\na.wav,1\n", "category, target"),
        ("name;fold\n1;2\n", "category"),
    ],
)
def test_table_without_columns(tmp_path, table, missing):
    make_data(tmp_path, "flat")
    (tmp_path / "esc50.csv").write_text(table)
    error = error_of(tmp_path)
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
def test_invalid_rows(tmp_path, spoil, key, said):
    table = make_data(tmp_path, "flat") / "esc50.csv"
    header, *rows = table.read_text().splitlines()
    table.write_bytes("\n".join([header, *spoil(rows)]).encode("latin-1"))
    error = error_of(tmp_path)
    assert error.key == key
    assert re.search(said, str(error)), str(error)
    assert "esc50.csv" in str(error)


def test_table_with_byte_order_mark(tmp_path):
    table = make_data(tmp_path, "flat") / "esc50.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    assert len(read_clips(tmp_path)) == 100


def test_unknown_fold(data):
    check_folds(read_clips(data), (1, 5))
    with pytest.raises(DataError, match="Fold 6 does not exist; this data has the folds 1, 2, 3, 4, 5"):
        check_folds(read_clips(data), (5, 6))


@pytest.mark.data
def test_no_source_in_two_folds_of_esc50(data_dir):
    clips = read_clips(data_dir)
    assert len(clips) == 2_000
    assert Counter(clip.fold for clip in clips) == dict.fromkeys((1, 2, 3, 4, 5), 400)
    assert set(Counter((clip.fold, clip.target) for clip in clips).values()) == {8}
    assert len(class_names(clips)) == 50
    for held_out in (1, 2, 3, 4, 5):
        valid = {(clip.source, clip.category) for clip in clips if clip.fold == held_out}
        train = {(clip.source, clip.category) for clip in clips if clip.fold != held_out}
        assert not valid & train
