"""Checkpoints: round trips, file sizes, and an error for every kind of damage."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import nn

from esc.classification.checkpoint import load_checkpoint, save_checkpoint
from esc.classification.checkpoint_files.config import Checkpoint, read_config
from esc.classification.resnet import ARCHITECTURES, build_model
from esc.config import ESC50, InputConfig
from esc.errors import CheckpointError
from esc.paths import DEFAULT_CHECKPOINT

PLAIN_PUSH_BYTES = 9_500_000
HUGE = (10**400, 2**64, -1, 0, 1e308, float("nan"), float("inf"), None, [], {}, "", "x" * 10**5, [[[]]], True)
META = Checkpoint(
    architecture="resnet18",
    class_names=tuple(f"class {number}" for number in range(50)),
    spectrogram=ESC50.replace(n_mels=96),
    input=InputConfig(clip_seconds=4.0, scaling="dataset", mean_db=-40.5, std_db=18.25),
    provenance={"run": "a test", "train_folds": [1, 2, 3, 4]},
)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = build_model("resnet18", 50)
    with torch.no_grad():  # batch statistics other than 0 and 1
        model(3.0 + 2.0 * torch.randn(8, 1, 64, 64))
    return model.eval()


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint") / "net"
    save_checkpoint(folder, model, META)
    return folder


@pytest.fixture
def damaged(saved, tmp_path):
    """A copy that a test may break."""
    return shutil.copytree(saved, tmp_path / "net")


@pytest.mark.slow
def test_round_trip(saved, model):
    loaded, meta = load_checkpoint(saved)
    assert meta == META
    assert not loaded.training
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    for name, tensor in model.state_dict().items():
        found = loaded.state_dict()[name]
        exact = tensor.ndim <= 1
        torch.testing.assert_close(found, tensor, rtol=0 if exact else 2**-11, atol=0 if exact else 2**-25, msg=name)
    pictures = torch.randn(4, 1, 96, 100)
    with torch.inference_mode():
        expected = model(pictures)
        torch.testing.assert_close(loaded(pictures), expected, rtol=0, atol=0.01 * float(expected.abs().max()))
        assert torch.equal(loaded(pictures).argmax(1), expected.argmax(1))


def test_save_is_deterministic(saved, model, tmp_path):
    save_checkpoint(tmp_path / "again", model, META)
    for path in saved.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_file_sizes(saved):
    sizes = {path.name: path.stat().st_size for path in saved.iterdir()}
    assert max(sizes.values()) < PLAIN_PUSH_BYTES
    assert sum(sizes.values()) > 20_000_000
    assert {path.suffix for path in saved.iterdir()} == {".json", ".safetensors"}, "nothing that could hold code"


def test_index_format(saved):
    index = json.loads((saved / "model.safetensors.index.json").read_text())
    assert set(index) == {"metadata", "weight_map"}
    assert set(index["weight_map"]) == set(build_model("resnet18", 50).state_dict())
    assert all((saved / file).is_file() for file in index["weight_map"].values())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_architecture_shapes(architecture):
    model = build_model(architecture, 7).eval()
    with torch.inference_mode():
        assert model(torch.zeros(2, 1, 64, 80)).shape == (2, 7)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_network_equals_torchvision(architecture):
    theirs = torchvision.models.get_model(architecture, num_classes=7)
    ours = build_model(architecture, 7)
    assert sum(value.numel() for value in theirs.parameters()) - sum(value.numel() for value in ours.parameters()) == 2 * 64 * 49
    weights = theirs.state_dict()
    weights["conv1.weight"] = weights["conv1.weight"].sum(dim=1, keepdim=True)
    ours.load_state_dict(weights)
    grey = torch.randn(2, 1, 64, 80, generator=torch.Generator().manual_seed(1))
    for training in (True, False):  # in training with the batch's own statistics
        expected = theirs.train(training)(grey.expand(-1, 3, -1, -1))
        torch.testing.assert_close(ours.train(training)(grey), expected, atol=1e-4, rtol=1e-3)


def test_fresh_weights_have_the_deviations_of_torchvision():
    """Kaiming's by the number of outputs; the norms begin as the identity."""
    ours, theirs = build_model("resnet50", 7), torchvision.models.resnet50(num_classes=7)
    for name, parameter in theirs.named_parameters():
        if parameter.numel() > 1000:
            assert float(ours.get_parameter(name).detach().std()) == pytest.approx(float(parameter.detach().std()), rel=0.1), name
    assert all((norm.weight == 1).all() and (norm.bias == 0).all() for norm in ours.modules() if isinstance(norm, nn.BatchNorm2d))


def test_imagenet_weights_on_grey_images():
    torch.manual_seed(0)
    colour = torchvision.models.resnet18(weights=None).eval()
    ours = build_model("resnet18", 5, weights=colour.state_dict()).eval()
    grey = torch.randn(2, 1, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(ours.conv1(grey), colour.conv1(grey.expand(-1, 3, -1, -1)), atol=1e-5, rtol=1e-4)
        assert torch.equal(ours.layer4[1].conv2.weight, colour.layer4[1].conv2.weight)


def test_save_replaces_older_checkpoint(damaged):
    (damaged / "model-00009-of-00009.safetensors").write_bytes(b"old")
    smaller = dataclasses.replace(META, class_names=("a", "b"))
    save_checkpoint(damaged, build_model("resnet18", 2), smaller)
    assert not (damaged / "model-00009-of-00009.safetensors").exists()
    assert load_checkpoint(damaged)[1].class_names == ("a", "b")


def refusal(folder) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


def edit(path, change) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def test_missing_checkpoint(tmp_path, damaged):
    assert refusal(tmp_path / "nowhere").key == "checkpoint.missing"
    (damaged / "config.json").unlink()
    assert refusal(damaged).key == "checkpoint.missing"
    with pytest.raises(CheckpointError):
        read_config(tmp_path / "nowhere")


def test_missing_shard(damaged):
    next(damaged.glob("*-00002-of-*")).unlink()
    assert refusal(damaged).key == "checkpoint.damaged"


@pytest.mark.parametrize("length", [0, 4, 100, 1_000_000])
def test_truncated_shard(damaged, length):
    shard = next(damaged.glob("*-00001-of-*"))
    shard.write_bytes(shard.read_bytes()[:length])
    assert refusal(damaged).key == "checkpoint.damaged"


def test_damaged_shard_header(damaged):
    shard = next(damaged.glob("*-00001-of-*"))
    shard.write_bytes(b"\xff" * 64 + shard.read_bytes()[64:])
    assert refusal(damaged).key == "checkpoint.damaged"


@pytest.mark.parametrize("file", ["config.json", "model.safetensors.index.json"])
@pytest.mark.parametrize("content", ["", '{"architecture": "res', "[]", "null", '"text"', "{}", "\x00\x01"])
def test_damaged_json(damaged, file, content):
    (damaged / file).write_text(content)
    assert refusal(damaged).key == "checkpoint.damaged"


def test_binary_json(damaged):
    (damaged / "config.json").write_bytes(b"\xff\xfe\x00\x80")
    assert refusal(damaged).key == "checkpoint.damaged"


@pytest.mark.parametrize("found", [0, 2, "1", None])
def test_other_format(damaged, found):
    edit(damaged / "config.json", lambda values: values.update(format=found))
    error = refusal(damaged)
    assert error.key == "checkpoint.version"
    assert (error.values["found"], error.values["wanted"]) == (found, 1)


@pytest.mark.parametrize("file", ["../outside.safetensors", "/etc/hostname", "sub/shard.safetensors"])
def test_index_outside_folder(damaged, file):
    edit(damaged / "model.safetensors.index.json", lambda values: values["weight_map"].update({"conv1.weight": file}))
    error = refusal(damaged)
    assert error.key == "checkpoint.damaged"
    assert "outside" in str(error)


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values.update(architecture="resnet34"),
        lambda values: values.update(architecture="vgg"),
        lambda values: values.update(class_names=["one", "two"]),
        lambda values: values.update(class_names=None),
        lambda values: values["spectrogram"].update(n_fft=7),
        lambda values: values["spectrogram"].pop("n_mels"),
        lambda values: values["input"].update(scaling="none"),
        lambda values: values.pop("provenance"),
    ],
)
def test_invalid_config(damaged, change):
    edit(damaged / "config.json", change)
    assert refusal(damaged).key == "checkpoint.damaged"


def alterations(rng: np.random.Generator, path: Path) -> Iterator[bytes]:
    """Yield altered contents of a file: its length, other content, or values of the JSON."""
    whole = path.read_bytes()
    yield from (whole[: rng.integers(len(whole))] for _ in range(4))
    yield whole + rng.bytes(rng.integers(1, 100))
    yield from (pickle.dumps(_Trap()), rng.bytes(1_000), b"[" * 100_000, b"")
    if path.suffix != ".json":
        return
    values = json.loads(whole)
    places = list(_places(values))
    for _ in range(130 if path.name == "config.json" else 50):
        place = places[rng.integers(len(places))]
        yield json.dumps(_replaced(values, place, HUGE[rng.integers(len(HUGE))])).encode()


class _Trap:
    """An object whose unpickling would be noticed."""

    def __reduce__(self) -> tuple:
        return (pytest.fail, ("code of the checkpoint was run",))


def _places(values: dict | list, path: tuple = ()) -> Iterator[tuple]:
    for key, value in values.items() if isinstance(values, dict) else enumerate(values):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


def _replaced(values: dict, path: tuple, value: object) -> dict:
    copy = json.loads(json.dumps(values))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copy


def test_single_bits_of_the_weights(damaged):
    rng, shards = np.random.default_rng(0), sorted(damaged.glob("*.safetensors"))
    for _ in range(40):
        shard = shards[rng.integers(len(shards))]
        at, bit = int(rng.integers(shard.stat().st_size)), 1 << int(rng.integers(8))
        with shard.open("r+b") as file:
            file.seek(at)
            byte = file.read(1)
            for value in (byte[0] ^ bit, byte[0]):
                file.seek(at)
                file.write(bytes([value]))
                file.flush()
                if value != byte[0]:
                    assert "SHA-256" in str(refusal(damaged))


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json", "model-00001-of-00004.safetensors"])
def test_alterations(damaged, name):
    """An altered file is refused, or a JSON is legal still; no code is run."""
    path, rng, refused, tried = damaged / name, np.random.default_rng(0), 0, 0
    for content in alterations(rng, path):
        path.write_bytes(content)
        tried += 1
        try:
            (read_config if name == "config.json" else load_checkpoint)(damaged)
        except CheckpointError as error:
            assert "\n" not in str(error)
            assert len(str(error)) < 1_000
            refused += 1
    assert refused == tried if path.suffix == ".safetensors" else refused > tried / 2 > 25


@pytest.mark.parametrize(
    "change",
    [
        lambda tensor: tensor.fill_(float("nan")),
        lambda tensor: tensor.index_fill(0, torch.tensor([0]), float("inf")),
        lambda tensor: tensor.to(torch.int64),
        lambda tensor: tensor.to(torch.bool),
        lambda tensor: tensor.flatten()[:-1].clone(),
        lambda tensor: tensor[None].clone(),
        lambda tensor: torch.zeros(3_000, 3_000),
    ],
    ids=["nan", "inf", "int", "bool", "one value less", "one axis more", "absurd size"],
)
@pytest.mark.parametrize("name", ["conv1.weight", "bn1.running_var", "fc.bias"])
def test_unusable_weights(damaged, change, name):
    """Also with a right digest."""
    index = json.loads((damaged / "model.safetensors.index.json").read_text())
    file = index["weight_map"][name]
    tensors = load_file(damaged / file)
    save_file(tensors | {name: change(tensors[name])}, damaged / file)
    digest = hashlib.sha256((damaged / file).read_bytes()).hexdigest()
    edit(damaged / "model.safetensors.index.json", lambda values: values["metadata"]["sha256"].update({file: digest}))
    error = refusal(damaged)
    assert error.key == "checkpoint.damaged"
    assert "SHA-256" not in str(error)


def test_shipped_checkpoint_has_digests():
    index = json.loads((DEFAULT_CHECKPOINT / "model.safetensors.index.json").read_text())
    files = set(index["weight_map"].values())
    assert index["metadata"]["sha256"] == {
        file: hashlib.sha256((DEFAULT_CHECKPOINT / file).read_bytes()).hexdigest() for file in files
    }


def test_checkpoint_of_version_0_1_has_no_digests(damaged):
    edit(damaged / "model.safetensors.index.json", lambda values: values["metadata"].pop("sha256"))
    assert load_checkpoint(damaged)[1] == META
