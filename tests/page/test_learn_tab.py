"""The lesson: its formulas, run by the Node that Playwright brings, against librosa and SciPy; and its server functions."""

from __future__ import annotations

import base64
import dataclasses
import json
import subprocess
from pathlib import Path

import librosa
import numpy as np
import pytest
import scipy.fft
import soundfile
import torch
from playwright._impl._driver import compute_driver_executable

import sounds
from esc import Classifier
from esc.classification.checkpoint_files.metrics import read_metrics
from esc.config import LIBROSA
from esc.example_sounds import example_sounds
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.tabs.base import Services
from esc.ui.tabs.learn import EXCERPT_SECONDS, LearnTab
from training.augmentation.spectrogram import mixup

FORMULAS = Path(__file__).resolve().parents[2] / "assets" / "js" / "tabs" / "learn" / "formulas.js"
RATE = 44_100


def in_node(expression: str) -> object:
    """Return what a JavaScript expression over `f`, the lesson's formulas, gives; typed arrays become lists."""
    plain = "(_, value) => (ArrayBuffer.isView(value) ? [...value] : value)"
    code = f"import({json.dumps(FORMULAS.as_uri())}).then((f) => console.log(JSON.stringify({expression}, {plain})))"
    node = Path(compute_driver_executable()[0])
    ended = subprocess.run([node, "--input-type=module", "-e", code], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(ended.stdout)


def floats(values) -> str:
    return f"Float32Array.of({','.join(map(repr, np.asarray(values, np.float64).tolist()))})"


def test_alias_frequency_is_that_of_the_samples():
    rate = 8000
    tones = [500, 3900, 4100, 5000, 7900, 8000, 9500, 12_000]
    found = in_node(f"{tones}.map((hz) => f.aliasHz(hz, {rate}))")
    seconds = np.arange(rate) / rate
    spectra = [np.abs(np.fft.rfft(np.cos(2 * np.pi * hz * seconds))) for hz in tones]
    assert found == [float(spectrum.argmax()) for spectrum in spectra]  # a bin is 1 Hz


def test_uncertainty_product_and_decibels():
    found = in_node("[64, 1024, 8192].map((size) => f.uncertainty(size, 44100))")
    for size, one in zip((64, 1024, 8192), found, strict=True):
        assert one == pytest.approx({"seconds": size / RATE, "hz": RATE / size, "product": 1.0})
    ratios = in_node("[0, 6.0206, 20, 60].map(f.amplitudeRatio)")
    np.testing.assert_allclose(ratios, librosa.db_to_amplitude(np.array([0, 6.0206, 20, 60])), rtol=1e-6)


def test_spectrogram_and_sines_against_numpy(rng):
    waveform = (0.2 * rng.standard_normal(3000)).astype(np.float32)
    found = in_node(f"f.spectrogram({floats(waveform)}, 512, 100)")
    window = np.hanning(513)[:-1]
    frames = [waveform[start : start + 512] * window for start in range(0, 3000 - 511, 100)]
    expected = 20 * np.log10(np.abs(np.fft.rfft(frames)) * 2 / window.sum())
    assert (found["frames"], found["bins"]) == expected.shape
    np.testing.assert_allclose(np.reshape(found["db"], expected.shape), expected, atol=1e-3)
    frame = waveform[:256]
    sines = in_node(f"f.strongestSines({floats(frame)}, 5)")
    spectrum = np.fft.rfft(frame)
    weights = np.r_[1, np.full(127, 2), 1]
    energies = weights * np.abs(spectrum) ** 2
    kept = energies.argsort()[::-1][:5]
    assert sines["bins"] == kept.tolist()
    assert sines["share"] == pytest.approx(energies[kept].sum() / (256 * (frame.astype(float) ** 2).sum()))
    only = np.zeros(129, complex)
    only[kept] = spectrum[kept]
    np.testing.assert_allclose(sines["sum"], np.fft.irfft(only), atol=1e-5)
    whole = in_node(f"f.strongestSines({floats(frame)}, 129)")
    np.testing.assert_allclose(whole["sum"], frame, atol=1e-5)


def test_mel_filters_and_mfcc_against_librosa_and_scipy(rng):
    n_fft = 2048
    bank = librosa.filters.mel(sr=RATE, n_fft=n_fft, n_mels=16, fmin=0, fmax=11_025, htk=True, norm=None)
    weights = in_node(
        f"f.melFilters(16, 0, 11025).map((filter) => "
        f"Array.from({{ length: {n_fft // 2 + 1} }}, (_, k) => f.filterWeight(filter, k * {RATE / n_fft})))"
    )
    np.testing.assert_allclose(weights, bank, atol=1e-6)
    levels_db = rng.uniform(-80, 0, n_fft // 2 + 1)
    bands = in_node(f"f.melLevels({floats(levels_db)}, f.melFilters(16, 0, 11025), {RATE / n_fft}, -200)")
    np.testing.assert_allclose(bands, 10 * np.log10(bank @ 10 ** (levels_db / 10)), atol=1e-3)
    coefficients = scipy.fft.dct(np.array(bands), norm="ortho")
    np.testing.assert_allclose(in_node(f"f.cepstrum({bands})"), coefficients, atol=1e-6)
    outline = scipy.fft.idct(np.r_[coefficients[:5], np.zeros(11)], norm="ortho")
    np.testing.assert_allclose(in_node(f"f.envelope(f.cepstrum({bands}), 5)"), outline, atol=1e-6)
    rms = in_node(f"f.rmsDifference({bands}, f.envelope(f.cepstrum({bands}), 5))")
    assert rms == pytest.approx(np.sqrt(np.mean((np.array(bands) - outline) ** 2)))


def test_mixture_is_that_of_training(rng):
    one, other = rng.uniform(-60, 0, (2, 6, 5)).astype(np.float32)
    pair, both = torch.tensor(np.stack([one, other])), (torch.tensor([0]), torch.tensor([1]))
    expected = mixup(pair, *both, torch.tensor([0.7]), dataclasses.replace(LIBROSA, top_db=160.0))[0]
    found = in_node(f"f.mixedLevels({floats(one.ravel())}, {floats(other.ravel())}, 0.7)")
    np.testing.assert_allclose(np.reshape(found, (6, 5)), expected, atol=1e-3)


def test_masks_and_confident_clips():
    drawn = np.array(in_node("Array.from({ length: 200 }, (_, seed) => f.masks(2, 0.12, seed))"))
    assert drawn.min() >= 0 and drawn.max() <= 1
    widths = np.diff(drawn)
    assert widths.min() >= 0 and 0.11 < widths.max() <= 0.12 and abs(widths.mean() - 0.06) < 0.01
    held = read_metrics(DEFAULT_CHECKPOINT)["held_out"]
    everything = in_node(f"f.confidentClips({json.dumps(held['reliability'])}, 0)")
    assert everything == {"clips": held["clips"], "accuracy": pytest.approx(held["accuracy"])}
    surest = held["reliability"][-1]
    last = in_node(f"f.confidentClips({json.dumps(held['reliability'])}, 14)")
    assert last == {"clips": surest["clips"], "accuracy": pytest.approx(surest["accuracy"])}


@pytest.fixture
def tab(tmp_path) -> LearnTab:
    return LearnTab(Services.create(tmp_path, tmp_path, DEFAULT_CHECKPOINT))


def opened(tab: LearnTab, path: Path) -> dict:
    """Return a request about a sound in a new session."""
    token = tab.store.new_session("en").token
    return {"token": token, "sound": tab.store.open(token, path, path.name).id}


def samples(reply: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(reply["samples"]), "<i2") / 32767 * reply["peak"]


def test_excerpt_and_the_sound_to_mix_with(tab):
    request = opened(tab, example_sounds()["siren"])
    excerpt, other_sound, facts = tab.server_functions()
    waveform, rate = soundfile.read(example_sounds()["siren"], dtype="float32")
    reply = excerpt(request | {"start": 1.0})["ok"]
    assert (reply["rate"], reply["start"]) == (rate, 1.0)
    np.testing.assert_allclose(samples(reply), waveform[rate : rate + round(EXCERPT_SECONDS * rate)], atol=2e-5)
    assert len(samples(excerpt(request | {"start": 1e6})["ok"])) == 1, "beyond the end: the last sample"
    assert excerpt(request | {"start": -1.0})["key"] == excerpt(request | {"start": "now"})["key"] == "page.request"
    assert excerpt(request | {"token": "another", "start": 0.0})["key"] == "page.session"
    mixed = other_sound(request)["ok"]
    assert mixed["name"] == "chirping_birds.flac" and mixed["rate"] == rate
    assert other_sound(opened(tab, example_sounds()["chirping_birds"]))["ok"]["name"] == "church_bells.flac"
    known = facts({"token": request["token"]})["ok"]
    assert known["augmentation"]["time_masks"] == 2 and known["figures"]["held_out"]["folds"] == [5]


def test_layers_are_the_means_of_the_networks_own(tab):
    request = opened(tab, example_sounds()["siren"])
    (reply,) = tab.replies(request)
    network = Classifier.load()
    prediction = network.predict(*soundfile.read(example_sounds()["siren"], dtype="float32"))
    seen = {}
    for name in ("relu", "layer1", "layer4"):
        getattr(network.model, name).register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out[0].numpy()}))
    network.in_float32().logits(torch.from_numpy(prediction.spectrogram_db)[None])
    layers = {one["name"]: one for one in reply["layers"]}
    assert list(layers) == ["input", "conv1", "layer1", "layer2", "layer3", "layer4"]
    for name, hooked in (("conv1", "relu"), ("layer1", "layer1"), ("layer4", "layer4")):
        layer, mean = layers[name], seen[hooked].mean(axis=0)
        assert (layer["channels"], layer["rows"], layer["columns"]) == seen[hooked].shape
        shares = np.frombuffer(base64.b64decode(layer["map"]), np.uint8).reshape(mean.shape) / 255
        np.testing.assert_allclose(shares, (mean - mean.min()) / np.ptp(mean), atol=3e-3)
    filters = np.frombuffer(base64.b64decode(reply["filters"]), np.uint8).reshape(64, 7, 7)
    first = network.model.conv1.weight[0, 0].detach().numpy()
    np.testing.assert_allclose(filters[0] / 127.5 - 1, first / np.abs(first).max(), atol=5e-3)
    assert reply["top"][0][0] == prediction.top[0][0] == "siren"


def test_silence_and_a_missing_checkpoint(tab, tmp_path):
    quiet = sounds.write(tmp_path / "quiet.wav", np.zeros(RATE, np.float32), RATE)
    (reply,) = tab.replies(opened(tab, quiet))
    assert reply["top"] == [] and len(reply["layers"]) == 6
    missing = LearnTab(Services.create(tmp_path / "none", tmp_path, tmp_path / "none"))
    request = opened(missing, example_sounds()["crow"])
    (reply,) = missing.replies(request)
    assert reply["key"] == missing.server_functions()[2]({"token": request["token"]})["key"] == "checkpoint.missing"
