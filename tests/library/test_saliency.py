"""Saliency maps: against autograd, on known evidence, and by the deletion test."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

import sounds
from esc.audio.resampling import resample
from esc.audio.waveform import fit_clip
from esc.classification.checkpoint_files.config import Checkpoint
from esc.classification.classifier import Classifier
from esc.classification.confidence.scores import calibrated_probabilities
from esc.classification.predictions import SILENCE
from esc.classification.resnet import LAYERS, build_model
from esc.classification.saliency.maps import (
    CLASS_LAYER,
    FINE_LAYER,
    activations_and_gradients,
    explain,
    grad_cam,
    heat_maps,
    layer_cam,
)
from esc.classification.saliency.regions import LEAST_LEVEL, outline_level, saliency_regions, smoothed_map
from esc.config import ESC50, InputConfig
from esc.dsp.spectrogram import network_input
from esc.errors import AudioError, ParameterError
from training.evaluation.deletion_test import SHARES, cover, deletion_test, shift_randomly

RATE = 44_100


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.fixture(scope="module")
def spectrograms_db(classifier) -> torch.Tensor:
    """Three pictures that differ."""
    waves = [sounds.busy(5.0, seed=seed) for seed in range(3)]
    return torch.stack([torch.from_numpy(classifier.predict(wave, RATE).spectrogram_db) for wave in waves])


# the formulas


@pytest.mark.parametrize("layers", [(FINE_LAYER, CLASS_LAYER), ("layer1",), ("layer3", "layer4")])
def test_gradients_equal_full_network(classifier, spectrograms_db, layers):
    """Run as one piece, one picture at a time, with hooks: the same activations and gradients."""
    scaled = network_input(spectrograms_db, classifier.checkpoint.input)[:, None]
    targets = torch.tensor([3, 49, 0])
    seen = activations_and_gradients(classifier.model, scaled, targets, layers)
    for number in range(len(scaled)):
        kept = hooked(classifier.model, scaled[number : number + 1], int(targets[number]), layers)
        for layer, (activations, gradients) in zip(layers, seen, strict=True):
            torch.testing.assert_close(activations[number], kept[layer][0].detach(), rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(gradients[number], kept[layer].grad[0], rtol=1e-3, atol=1e-6)


def hooked(model: nn.Module, scaled: torch.Tensor, target: int, layers: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """Return the layers' outputs with their gradients, by hooks that are taken out again."""
    kept = {}

    def keep(layer):
        return lambda _, __, output: kept.update({layer: output}) or output.retain_grad()

    hooks = [getattr(model, layer).register_forward_hook(keep(layer)) for layer in layers]
    model(scaled)[0, target].backward()
    for hook in hooks:
        hook.remove()
    model.zero_grad()
    return kept


def test_grad_cam_equals_class_activation_map(classifier, spectrograms_db):
    """There Grad-CAM is CAM (Zhou et al., 2016): the last layer's weights over the number of cells."""
    scaled = network_input(spectrograms_db, classifier.checkpoint.input)[:, None]
    targets = torch.tensor([5, 5, 17])
    ((activations, gradients),) = activations_and_gradients(classifier.model, scaled, targets, ["layer4"])
    weights = classifier.model.fc.weight.detach()[targets]
    cells = activations.shape[-2] * activations.shape[-1]
    expected = torch.einsum("nc,nchw->nhw", weights / cells, activations).clamp_min(0)
    torch.testing.assert_close(grad_cam(activations, gradients), expected, rtol=1e-4, atol=1e-6)


def test_layer_cam_values():
    activations = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.5]]]])
    gradients = torch.tensor([[[[0.5, -1.0]], [[-2.0, 4.0]]]])
    assert layer_cam(activations, gradients).tolist() == [[[0.5, 2.0]]]
    assert grad_cam(activations, gradients).tolist() == [[[2.75, 0.0]]]  # means -0.25 and 1: -0.25 + 3 and -0.5 + 0.5


def test_network_is_unchanged(classifier, spectrograms_db):
    assert all(parameter.grad is None for parameter in classifier.model.parameters())
    before = classifier.probabilities(spectrograms_db)
    heat_maps(classifier, spectrograms_db, torch.tensor([0, 1, 2]))
    np.testing.assert_array_equal(classifier.probabilities(spectrograms_db), before)
    assert all(parameter.grad is None for parameter in classifier.model.parameters())
    assert not any(module._forward_hooks or module._backward_hooks for module in classifier.model.modules())


def test_map_is_independent_of_batch(classifier, spectrograms_db):
    targets = classifier.logits(spectrograms_db).argmax(dim=1)
    together = heat_maps(classifier, spectrograms_db, targets)
    for number in range(3):
        alone = heat_maps(classifier, spectrograms_db[number : number + 1], targets[number : number + 1])[0]
        torch.testing.assert_close(together[number], alone, rtol=1e-3, atol=1e-4)
    assert together.shape == spectrograms_db.shape
    assert together.min() >= 0 and together.amax(dim=(1, 2)).tolist() == pytest.approx([1, 1, 1])


# evidence at a known place


class Loudness(nn.Module):
    """Stands for a block: the loudest cell of each block, in as many channels as the block has."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels = channels
        self.pool = nn.AvgPool2d(stride, stride) if stride > 1 else nn.Identity()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return self.pool(maps[:, :1]).expand(-1, self.channels, -1, -1)


def seeing(bands: slice, n_mels: int = 128) -> Classifier:
    """A classifier that answers "there" the more, the louder it is in some bands, and "elsewhere" the louder in others."""
    model = build_model("resnet18", 2)
    model.conv1, model.bn1, model.maxpool = nn.AvgPool2d(2), nn.Identity(), nn.AvgPool2d(2)
    model.layer1, model.layer2 = Loudness(64, 1), Loudness(128, 2)
    inside = torch.zeros(n_mels // 32)
    inside[bands] = 1.0
    model.layer3, model.layer4 = Loudness(256, 2), InBands(512, 2, inside)
    model.fc = nn.Linear(512, 2, bias=False)
    model.fc.weight = nn.Parameter(torch.eye(2).repeat_interleave(256, dim=1) / 128)  # half of the bands are in each mean
    meta = Checkpoint(architecture="resnet18", class_names=("there", "elsewhere"), spectrogram=ESC50, input=InputConfig())
    return Classifier(model.eval(), meta, torch.device("cpu"))


class InBands(Loudness):
    """Half of the channels are 0 outside the bands that are meant, the others inside them."""

    def __init__(self, channels: int, stride: int, inside: torch.Tensor) -> None:
        super().__init__(channels, stride)
        self.masks = torch.stack([inside, 1.0 - inside]).repeat_interleave(channels // 2, dim=0)[:, :, None]

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return super().forward(maps) * self.masks


def test_map_locates_the_evidence():
    """Two tones, low then high; one class looks at the low bands alone: so do the maps, in time and in frequency."""
    low, high = sounds.tone(150.0, 2.5, amplitude=0.4), sounds.tone(9_000.0, 2.5, amplitude=0.4)
    wave = np.concatenate([low, high])
    network = seeing(slice(0, 2))
    found = explain(network, wave, RATE, labels=["there", "elsewhere"], likeliest=0)
    there, elsewhere = found.maps["there"], found.maps["elsewhere"]
    middle_band, middle_frame = there.shape[0] // 2, there.shape[1] // 2
    assert there[:middle_band, :middle_frame].sum() > 0.9 * there.sum()
    assert elsewhere[middle_band:, middle_frame:].sum() > 0.9 * elsewhere.sum()
    # the brightest cell lies on the tone itself
    for label, hz in (("there", 150.0), ("elsewhere", 9_000.0)):
        band = np.unravel_index(found.maps[label].argmax(), there.shape)[0]
        loudest = found.prediction.spectrogram_db[:, 20 if hz < 1_000 else -20].argmax()
        assert abs(band - loudest) <= 6, label


# explaining a sound


def test_likeliest_class_by_default(classifier):
    wave = sounds.busy(5.0)
    prediction = classifier.predict(wave, RATE)
    found = explain(classifier, wave, RATE)
    (label, probability), *_ = prediction.top
    assert (list(found.maps), found.prediction.verdict) == ([label], prediction.verdict)
    assert found.probabilities[label] == probability
    np.testing.assert_array_equal(found.prediction.spectrogram_db, prediction.spectrogram_db)


def test_maps_differ_by_class(classifier):
    found = explain(classifier, sounds.busy(5.0), RATE, labels=["rain", "dog"], likeliest=1)
    assert list(found.maps)[:2] == ["rain", "dog"] and len(found.maps) == 3
    assert np.abs(found.maps["rain"] - found.maps["dog"]).max() > 0.2


@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 11_025])
@pytest.mark.parametrize("start_s", [0.0, 3.3, 6.2])
def test_saliency_of_a_window(classifier, sample_rate, start_s):
    """Saliency and timeline use the same samples of the resampled sound."""
    wave = np.concatenate([sounds.busy(2.8, sample_rate, seed=seed) for seed in range(4)])
    found = explain(classifier, wave, sample_rate, start_s)
    assert found.prediction.start_s == pytest.approx(start_s, abs=1 / RATE)
    expected = fit_clip(resample(wave, sample_rate, RATE)[round(start_s * RATE) :], 5 * RATE)
    np.testing.assert_allclose(found.prediction.clip, expected, atol=1e-6)


def test_window_at_the_end(classifier):
    wave = sounds.busy(7.0)
    found = explain(classifier, wave, RATE, 6.5)
    assert found.prediction.start_s == pytest.approx(2.0)
    np.testing.assert_array_equal(found.prediction.clip, wave[2 * RATE :])
    assert explain(classifier, wave[:RATE], RATE, 0.5).prediction.start_s == 0.0  # shorter than a clip: all of it


def test_silence_has_no_maps(classifier):
    found = explain(classifier, np.zeros(RATE, np.float32), RATE, labels=["dog"])
    assert (found.maps, found.probabilities, found.prediction.verdict) == ({}, {}, SILENCE)


def test_unknown_class_and_start(classifier):
    wave = sounds.busy(1.0)
    with pytest.raises(ParameterError, match="unicorn"):
        explain(classifier, wave, RATE, labels=["unicorn"])
    for start_s in (-0.1, 1.1, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="start_s"):
            explain(classifier, wave, RATE, start_s)
    with pytest.raises(AudioError):
        explain(classifier, wave[:1], RATE)


# covering what a map marks


def test_cover_and_rotate_values():
    picture = torch.tensor([[[1.0, 2.0], [3.0, 6.0]]])
    heat = torch.tensor([[[0.0, 0.9], [0.1, 0.2]]])
    assert cover(picture, heat, 0.5).tolist() == [[[1.0, 3.0], [3.0, 3.0]]]  # 2 and 6 become 3, the mean
    rng = torch.Generator().manual_seed(0)
    many = torch.arange(12.0).view(1, 3, 4).expand(50, -1, -1)
    assert all(sorted(one.flatten().tolist()) == list(range(12)) for one in shift_randomly(many, rng))
    assert len({tuple(one.flatten().tolist()) for one in shift_randomly(many, rng)}) > 8


@pytest.mark.data
def test_deletion_of_salient_cells_costs_most(classifier, data_dir):
    """On held-out clips of ESC-50: every 13th of fold 5, against as much elsewhere and against the loudest places."""
    from training.data.esc50 import read_clips
    from training.data.preprocessing import clip_spectrogram

    meta = classifier.checkpoint
    clips = [clip for clip in read_clips(data_dir) if clip.fold == 5][::13]
    assert 5 not in meta.provenance["train_folds"]
    pictures = np.stack([clip_spectrogram(clip.path, meta.spectrogram, meta.input) for clip in clips])
    found = deletion_test(classifier, torch.from_numpy(pictures), draws=2)
    assert found.marked.shape == found.random.shape == (len(SHARES), len(clips)) == (3, 31)
    np.testing.assert_allclose(found.before, calibrated_by_hand(classifier, pictures).max(axis=1), rtol=1e-4)
    drops = {name: found.before.mean() - getattr(found, name).mean(axis=1) for name in ("marked", "random")}
    assert (drops["marked"] > 1.5 * drops["random"]).all()
    assert ((found.marked < found.random).mean(axis=1) > 0.7).all(), "in most clips, not only on average"
    assert (found.marked.mean(axis=1) < found.loudest.mean(axis=1)).all()
    assert found.before.mean() - found.outlined.mean() > 1.5 * (found.before.mean() - found.outlined_random.mean())
    assert 0 < found.outlined_share.min() <= found.outlined_share.max() < 0.11  # at most a tenth, as the outlines' level says


def calibrated_by_hand(classifier: Classifier, pictures: np.ndarray) -> np.ndarray:
    return calibrated_probabilities(
        classifier.in_float32().logits(torch.from_numpy(pictures)), classifier.checkpoint.calibration
    ).numpy()


def test_layer_names(classifier):
    assert [name for name, _ in classifier.model.named_children() if name.startswith("layer")] == list(LAYERS)


# regions


def test_saliency_regions_of_known_blobs():
    """Two blobs: their times, bands and weights by a flood fill of our own, and outlines on the level set."""
    heat = np.zeros((128, 431), np.float32)
    heat[20:40, 100:160] = 1.0
    heat[80:95, 300:330] = 0.7
    found = saliency_regions(heat, 2.5, ESC50)
    smooth = smoothed_map(heat)
    level = outline_level(smooth)
    assert level == LEAST_LEVEL  # the blobs are less than a tenth of the map
    filled = [flood(smooth > level, 30, 130), flood(smooth > level, 87, 315)]
    hop_s = ESC50.hop_length / ESC50.sample_rate
    centres_hz = librosa.mel_frequencies(n_mels=130, fmin=ESC50.fmin, fmax=ESC50.fmax, htk=ESC50.mel_scale == "htk")[1:-1]
    for region, cells in zip(found, filled, strict=True):
        bands, frames = cells.T
        assert region.start_s == pytest.approx(2.5 + (frames.min() - 0.5) * hop_s)
        assert region.end_s == pytest.approx(2.5 + (frames.max() + 0.5) * hop_s)
        assert centres_hz[bands.min() - 1] < region.low_hz < centres_hz[bands.min()]
        assert centres_hz[bands.max()] < region.high_hz < centres_hz[bands.max() + 1]
        assert region.weight == pytest.approx(heat[bands, frames].sum() / heat.sum(), rel=1e-4)
        for outline in region.outlines:
            on_line = ndimage.map_coordinates(smooth, outline[:, ::-1].T, order=1)
            np.testing.assert_allclose(on_line, level, atol=1e-6)
    assert found[0].weight > found[1].weight
    assert sum(region.weight for region in found) == pytest.approx(1.0, abs=0.01)
    assert saliency_regions(np.zeros_like(heat), 0.0, ESC50) == []


def flood(inside: np.ndarray, band: int, frame: int) -> np.ndarray:
    """Return the cells (n, 2) that are connected with one."""
    seen, waiting = {(band, frame)}, [(band, frame)]
    while waiting:
        y, x = waiting.pop()
        for cell in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if inside[cell] and cell not in seen:
                seen.add(cell)
                waiting.append(cell)
    return np.array(sorted(seen))


def test_saliency_regions_cover_most_evidence(classifier):
    found = explain(classifier, sounds.busy(5.0), RATE)
    heat = next(iter(found.maps.values()))
    regions = saliency_regions(heat, 0.0, classifier.checkpoint.spectrogram)
    weights = [region.weight for region in regions]
    assert weights == sorted(weights, reverse=True) and 0 < sum(weights) <= 1
    assert (smoothed_map(heat) > outline_level(smoothed_map(heat))).mean() <= 0.101
