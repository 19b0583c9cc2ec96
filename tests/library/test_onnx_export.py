"""ONNX export: run by onnxruntime on librosa's spectrograms."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.special
import torch

from esc import Classifier, fit_clip, load_audio, mel_db
from esc.classification.checkpoint_files.onnx_export import LIMIT, ExportError, Parity, compare, export_onnx
from esc.classification.confidence.calibration import Calibration
from esc.classification.predictions import UNKNOWN
from esc.cli.main import main
from esc.config import ESC50, InputConfig, SpectrogramConfig
from esc.errors import PackageError
from esc.example_sounds import example_sounds
from training.data.esc50 import read_clips

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install -r requirements-export.txt")
onnxruntime = pytest.importorskip("onnxruntime", reason="pip install -r requirements-export.txt")


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[Path, str]:
    """The file that the command writes, and what the command said."""
    target = tmp_path_factory.mktemp("export") / "esc50.onnx"
    with pytest.MonkeyPatch.context() as patch:
        said = []
        patch.setattr(sys, "argv", ["esc", "export", "--format", "onnx", str(target)])
        patch.setattr("typer.echo", lambda text, err=False: said.append(text))
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code in (0, None)
    assert [path.name for path in target.parent.iterdir()] == ["esc50.onnx"], "one file"
    return target, "\n".join(said)


def pictures_of(paths: list[Path], about: dict[str, str]) -> np.ndarray:
    """Return dB pictures (clips, n_mels, n_frames) by librosa alone, from what the file says of itself."""
    mel, seconds = json.loads(about["spectrogram"]), json.loads(about["input"])["clip_seconds"]
    pictures = []
    for path in paths:
        waveform, rate = load_audio(path, mel["sample_rate"])
        power = librosa.feature.melspectrogram(
            y=fit_clip(waveform, round(seconds * rate)), sr=rate, n_fft=mel["n_fft"], hop_length=mel["hop_length"],
            win_length=mel["win_length"], window=mel["window"], n_mels=mel["n_mels"], fmin=mel["fmin"], fmax=mel["fmax"],
            htk=mel["mel_scale"] == "htk", pad_mode="constant",
        )  # fmt: skip
        pictures.append(librosa.power_to_db(power, ref=mel["db_ref"], top_db=mel["top_db"]).astype(np.float32))
    return np.stack(pictures)


@pytest.mark.slow
def test_metadata(exported, classifier):
    path, said = exported
    assert f"from torch on {len(example_sounds())} sounds" in said
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(path)
    about = session.get_modelmeta().custom_metadata_map
    meta = classifier.checkpoint
    assert tuple(json.loads(about["class_names"])) == meta.class_names
    assert SpectrogramConfig.from_dict(json.loads(about["spectrogram"])) == meta.spectrogram
    assert InputConfig.from_dict(json.loads(about["input"])) == meta.input
    assert about["licence"] == "CC BY-NC 4.0"
    (given,), (answered, known, sure, scores, cells) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape[1:], isinstance(given.shape[0], str)) == ("spectrogram_db", [128, 431], True)
    assert (answered.name, answered.shape[1:], known.name, known.type) == ("probabilities", [50], "known", "tensor(bool)")
    assert (sure.name, sure.type, scores.name, scores.type) == ("sure", "tensor(bool)", "scores", "tensor(float)")
    assert (cells.name, cells.shape[1:]) == ("activations", [14, 50])


@pytest.mark.slow
def test_librosa_and_onnxruntime_equal_classifier(exported, classifier):
    session = onnxruntime.InferenceSession(exported[0])
    names, sounds = zip(*example_sounds().items(), strict=True)
    about = session.get_modelmeta().custom_metadata_map
    spectrograms_db = pictures_of(sounds, about)
    together, known, sure, *_ = session.run(None, {"spectrogram_db": spectrograms_db})
    np.testing.assert_allclose(together.sum(axis=1), 1.0, atol=1e-5)
    for name, path, spectrogram_db, row in zip(names, sounds, spectrograms_db, together, strict=True):
        prediction = classifier.in_float32().predict(*load_audio(path), top_k=50)
        expected = dict(prediction.top)
        index = names.index(name)
        assert (known[index], sure[index]) == (prediction.verdict != UNKNOWN, prediction.known), name
        np.testing.assert_allclose(row, [expected[label] for label in classifier.class_names], atol=1e-3, err_msg=name)
        alone, *_ = session.run(None, {"spectrogram_db": spectrogram_db[None]})
        np.testing.assert_allclose(alone[0], row, atol=1e-5, err_msg="a clip reads the same alone and in company")


@pytest.mark.data
def test_parity_on_fold_5(exported, classifier, data_dir):
    paths = [clip.path for clip in read_clips(data_dir) if clip.fold == 5][::20]
    about = onnxruntime.InferenceSession(exported[0]).get_modelmeta().custom_metadata_map
    parity = compare(classifier, exported[0], pictures_of(paths, about))
    assert parity.n_clips == 20
    assert parity.holds and parity.difference <= LIMIT


@pytest.mark.slow
def test_calibration_in_the_file(classifier, tmp_path):
    fields = {"unknown_threshold": 6.0, "unsure_threshold": 7.0, "detector_sha256": None}
    calibration = Calibration(temperature=2.5, unknown_score="energy", **fields)
    cautious = Classifier(classifier.model, replace(classifier.checkpoint, calibration=calibration), classifier.device)
    assert export_onnx(cautious, tmp_path / "cautious.onnx").holds
    session = onnxruntime.InferenceSession(tmp_path / "cautious.onnx")
    about = session.get_modelmeta().custom_metadata_map
    assert Calibration.from_dict(json.loads(about["calibration"])) == calibration
    noise = np.random.default_rng(0).standard_normal((1, 5 * 44_100)).astype(np.float32)
    spectrograms_db = np.concatenate([pictures_of(list(example_sounds().values()), about), mel_db(noise, ESC50).numpy()])
    probabilities, known, sure, scores, _ = session.run(None, {"spectrogram_db": spectrograms_db})
    logits = classifier.in_float32().logits(torch.from_numpy(spectrograms_db)).numpy()
    expected = scipy.special.softmax(logits / 2.5, axis=1)
    np.testing.assert_allclose(probabilities, expected, atol=LIMIT)
    np.testing.assert_allclose(scores, scipy.special.logsumexp(logits, axis=1), atol=1e-3)
    np.testing.assert_array_equal(known, scores >= calibration.unknown_threshold)
    np.testing.assert_array_equal(sure, (scores >= calibration.unsure_threshold) & (probabilities.max(axis=1) >= 0.5))
    assert len(set(known.tolist())) == 2, "some of these are known and some are not"


@pytest.mark.slow
def test_silence_is_finite(exported, classifier):
    meta = classifier.checkpoint
    silent = np.full((1, meta.spectrogram.n_mels, 431), -100.0, np.float32)
    assert compare(classifier, exported[0], silent).holds


@pytest.mark.slow
def test_failed_parity_writes_nothing(exported, monkeypatch, capsys, tmp_path):
    target = tmp_path / "esc50.onnx"
    target.write_bytes(b"an older one")
    outputs = Classifier.outputs
    monkeypatch.setattr(
        Classifier, "outputs", lambda *given: (found := outputs(*given))._replace(probabilities=found.probabilities + 2e-4)
    )
    monkeypatch.setattr(
        "esc.classification.checkpoint_files.onnx_export._write", lambda _, path: shutil.copy(exported[0], path)
    )  # spares a second export
    monkeypatch.setattr(sys, "argv", ["esc", "export", str(target)])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (1, "")
    assert re.search(r"torch on 16 sounds: 2\.[0-2]e-04, .* not written", said.err)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"an older one"]
    assert not Parity(1, float("nan"), 0.0).holds and not Parity(1, 0.0, float("nan")).holds


def test_missing_packages(monkeypatch, classifier, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(PackageError, match=r"package onnxscript.*pip install -r requirements-export.txt"):
        export_onnx(classifier, tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "OUT"),
        (["x.onnx", "--format", "tflite"], "--format"),
        (["/no/such/folder/x.onnx"], "OUT"),
        ([str(Path(__file__).parent)], "OUT"),
        (["x.onnx", "--checkpoint", "/no/such/folder"], "no checkpoint"),
    ],
)
def test_wrong_usage(arguments, word, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["esc", "export", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert word in said.err


def test_export_without_sounds(classifier, tmp_path):
    with pytest.raises(ExportError, match="no sound to compare"):
        export_onnx(classifier, tmp_path / "x.onnx", sounds=())
