"""Classification by Ray: two local workers, killed and resumed, against the plain engine."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sounds
from esc.audio.io import load_audio
from esc.batch.options import BatchOptions
from esc.batch.ray_engine import classify_with_ray, resume_log_path
from esc.batch.resume_log import from_json, to_json
from esc.batch.runner import classify_files, sound_files
from esc.cli.main import main
from esc.errors import AudioError, PackageError
from esc.example_sounds import example_sounds

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 240
needs_ray = pytest.mark.skipif(
    not (importlib.util.find_spec("ray") and importlib.util.find_spec("pyarrow")),
    reason="Ray is not installed: pip install -r requirements-ray.txt",
)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return sounds.write(tmp_path / "дождь, a.wav", sounds.tone(), 44_100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Enough sounds for several of Ray's blocks: two of ten seconds, silence, and a broken one."""
    folder = tmp_path_factory.mktemp("archive")
    rain, rate = load_audio(example_sounds()["rain"])
    siren, _ = load_audio(example_sounds()["siren"], rate)
    for name in ("long one.wav", "long two.wav"):
        sounds.write(folder / name, np.concatenate([rain, siren]), rate)
    sounds.write(folder / "quiet.flac", np.zeros(rate, np.float32), rate)
    (folder / "broken.mp3").write_bytes(b"no sound at all" * 100)
    for name, path in example_sounds().items():
        shutil.copy(path, folder / f"{name}.flac")
        shutil.copy(path, folder / f"{name}2.flac")
    return folder


def begin(folder: Path, output: Path) -> subprocess.Popen:
    """Begin the command with two workers, in a session of its own."""
    command = [sys.executable, "-m", "esc", "classify", folder, "--timeline", "--engine", "ray", "--jobs", "2"]
    return subprocess.Popen(
        [*map(str, command), "--output", str(output)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True,
    )  # fmt: skip


@pytest.mark.slow
@needs_ray
def test_resume_after_kill_equals_the_plain_engine(folder, tmp_path):
    from pyarrow import parquet

    output = tmp_path / "results.parquet"
    log = resume_log_path(output)
    first = begin(folder, output)
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and first.poll() is None and not (log.exists() and log.read_text().count("\n") > 1):
        time.sleep(0.05)
    assert first.poll() is None, first.communicate()
    first.kill()
    first.communicate()
    head, *done = log.read_text(encoding="utf-8").splitlines()
    assert done and not output.exists()
    assert {json.loads(line)["file"] for line in done} < {str(path) for path in folder.iterdir()}, "some, not all"
    # a mark shows that a logged file is not classified again; a full disk or a crash leaves a torn last line
    entry = json.loads(done[0])
    marked = replace(from_json(entry["result"]), verdict="marked") if "verdict" in entry["result"] else None
    if marked:
        done[0] = json.dumps(entry | {"result": to_json(marked)})
    log.write_text("\n".join([head, *done, '{"file": "torn']), encoding="utf-8")

    second = begin(folder, output)
    said, complained = second.communicate(timeout=WAIT_SECONDS)
    assert (second.returncode, said) == (1, ""), complained
    assert complained.count("error: ") == 1 and "broken.mp3 can't be read as sound" in complained
    assert "Traceback" not in complained
    assert [path.name for path in tmp_path.iterdir()] == ["results.parquet"]

    files, _ = sound_files([folder])
    rows = parquet.read_table(output).to_pylist()
    assert [row["file"] for row in rows] == [str(path) for path in files]
    some = [
        row for number, row in enumerate(rows) if number % 4 == 0 or " " in row["file"] or row["verdict"] in (None, "silence")
    ]
    assert {"silence", None} < {row["verdict"] for row in some}
    for row, expected in zip(some, classify_files([Path(row["file"]) for row in some], BatchOptions(timeline=True)), strict=True):
        if isinstance(expected, AudioError):
            assert row["error"] == str(expected) and row["verdict"] is row["top"] is row["timeline"] is None
            continue
        was_marked = marked is not None and row["file"] == marked.file
        assert row["verdict"] == ("marked" if was_marked else expected.verdict)
        assert row["error"] is None
        assert (row["seconds"], row["sample_rate"]) == (expected.seconds, expected.sample_rate)
        assert [(one["label"], one["probability"]) for one in row["top"]] == list(expected.top)
        marks = [tuple(one[name] for name in ("label", "start", "end", "probability", "uncertainty")) for one in row["timeline"]]
        assert marks == [dataclasses.astuple(one) for one in expected.timeline]
    if marked:
        assert "marked" in {row["verdict"] for row in rows}, "logged files are not classified again"


@pytest.mark.slow
@needs_ray
def test_csv_equals_the_plain_engine(folder, tmp_path, monkeypatch):
    files = sound_files([folder])[0][:6]
    plain = tmp_path / "plain.csv"
    monkeypatch.setattr(sys, "argv", ["esc", "classify", *map(str, files), "--format", "csv", "--output", str(plain)])
    with pytest.raises(SystemExit):
        main()
    options, output = BatchOptions(), tmp_path / "results.csv"

    def classify(todo, *_):  # the plain engine in place of Ray's
        yield from zip(todo, classify_files(todo, options), strict=True)

    monkeypatch.setattr("esc.batch.ray_engine._ray", lambda *_: nullcontext())
    monkeypatch.setattr("esc.batch.ray_engine._classify", classify)
    counts = []
    results = classify_with_ray(files, options, output, on_file=counts.append)
    assert counts == list(range(len(files) + 1))
    assert output.read_bytes() == plain.read_bytes()
    classify_with_ray(files, options, output, bom=True)
    assert output.read_bytes() == b"\xef\xbb\xbf" + plain.read_bytes()
    assert sum(isinstance(result, AudioError) for result in results) == 1


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--engine", "spark"], "--engine"),
        (["--engine", "ray"], "--output"),
        (["--engine", "ray", "--output", "x.txt"], ".parquet, .csv"),
        (["--engine", "ray", "--output", "x.csv", "--format", "csv"], "--format"),
        (["--engine", "ray", "--output", str(ROOT)], "--output"),
        (["--address", "auto"], "--address"),
        (["--engine", "ray", "--output", "x.csv", "--checkpoint", "/no/such/folder"], "no checkpoint"),
        pytest.param(["--engine", "ray", "--output", "x.csv", "--address", "127.0.0.1:1"], "127.0.0.1:1", marks=needs_ray),
    ],
)
def test_wrong_usage(arguments, word, monkeypatch, capsys, tmp_path, wav):
    monkeypatch.setattr(sys, "argv", ["esc", "classify", str(wav), *arguments])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert word in said.err
    assert list(tmp_path.iterdir()) == [wav]


def test_missing_packages(monkeypatch, tmp_path, wav):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(PackageError, match=r"package ray.*pip install -r requirements-ray.txt"):
        classify_with_ray([wav], BatchOptions(), tmp_path / "x.csv")
