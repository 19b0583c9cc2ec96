"""Convolutions in bfloat16 against the same network in float32."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from esc.audio.io import load_audio
from esc.classification.classifier import Classifier
from esc.classification.reduced_precision import bfloat16_copy, checked_bfloat16_copy, has_bfloat16, self_test_input
from esc.classification.resnet import ARCHITECTURES, build_model, embed, layer_outputs
from esc.errors import ParameterError
from esc.example_sounds import example_sounds

CPU = torch.device("cpu")
needs_bfloat16 = pytest.mark.skipif(not has_bfloat16(CPU), reason="this processor emulates bfloat16")


@pytest.fixture(scope="module")
def exact() -> Classifier:
    return Classifier.load(device="cpu", precision="float32")


def trained(architecture: str) -> torch.nn.Module:
    """A network whose batch norm has statistics of its own in each channel."""
    torch.manual_seed(0)
    model = build_model(architecture, 7)
    with torch.no_grad():
        for _ in range(3):
            model.train()(2.0 * torch.randn(4, 1, 64, 64) + 0.5)
    return model.eval()


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_folded_batch_norm(architecture):
    model = trained(architecture)
    spectrograms = torch.randn(2, 1, 64, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, found = (layer_outputs(network, spectrograms) for network in (model, bfloat16_copy(model)))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == torch.float32
        assert float((ours - theirs).abs().max() / theirs.abs().max()) < 0.1  # bfloat16 has 8 bits


@pytest.mark.slow
@needs_bfloat16
def test_verdicts_equal_those_in_float32(exact):
    fast = Classifier.load(device="cpu")
    assert fast.fast is not None
    assert exact.fast is None
    for path in example_sounds().values():
        sound = load_audio(path)
        ours, theirs = (classifier.predict(*sound, top_k=50) for classifier in (fast, exact))
        assert ours.verdict == theirs.verdict
        assert dict(ours.top) == pytest.approx(dict(theirs.top), abs=0.03)


@needs_bfloat16
def test_predictions_depend_neither_on_batch_nor_threads(exact):
    fast = Classifier.load(device="cpu")
    shape = (5, exact.checkpoint.spectrogram.n_mels, 431)
    spectrograms_db = torch.from_numpy(np.random.default_rng(0).normal(-40, 15, shape).astype(np.float32))
    whole, threads = fast.probabilities(spectrograms_db), torch.get_num_threads()
    try:
        torch.set_num_threads(3 - min(threads, 2))
        single = np.concatenate([fast.probabilities(one[None]) for one in spectrograms_db])
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_allclose(single, whole, atol=1e-4)


def test_self_test_refuses_a_network_that_bfloat16_changes(exact, caplog):
    delicate = build_model("resnet18", 50).eval()
    delicate.load_state_dict(exact.model.state_dict())
    with torch.inference_mode():
        feature, index = embed(delicate, self_test_input(128, 431))[0].max(dim=0)
    for parameter in delicate.fc.parameters():
        parameter.data.zero_()
    for row, factor in enumerate((1e6, -1e6)):  # both logits are 0 if nothing is rounded
        delicate.fc.weight.data[row, index], delicate.fc.bias.data[row] = factor, -factor * feature
    assert checked_bfloat16_copy(delicate, 128, 431) is None
    assert "float32" in caplog.text
    assert checked_bfloat16_copy(exact.model, 128, 431) is not None


def test_unknown_precision():
    with pytest.raises(ParameterError, match="float16"):
        Classifier.load(precision="float16")
