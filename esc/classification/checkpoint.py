"""Checkpoints: safetensors shards with the config and classes they were trained with.

A folder holds `config.json` (everything but the weights), `model.safetensors.index.json` and its shards, as on the
Hugging Face Hub. It contains no code, and every file is below 10 MB, the limit of `git push` to a Space without LFS. The
index names the SHA-256 of each shard.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from esc.classification.checkpoint_files.archive import checkpoint_folder
from esc.classification.confidence.calibration import Calibration
from esc.classification.resnet import ResNet, build_model
from esc.config import InputConfig, SpectrogramConfig
from esc.errors import CheckpointError, ParameterError, reason_of
from esc.paths import project_relative, write_json

FORMAT = 1
TRAINED_ON = ", trained on "  # before the names of data in the provenance's `initial_weights`
SHARD_BYTES = 9_500_000
_CONFIG, _INDEX = "config.json", "model.safetensors.index.json"
_JSON_BYTES = 10**7
_MAX_CLASSES = 10_000
_VALUE_BYTES = 8  # at most, of a weight in a shard
_DAMAGE = (
    OSError, ValueError, KeyError, AttributeError, TypeError, RuntimeError, RecursionError, OverflowError, SafetensorError,
    ParameterError,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Everything a trained network needs apart from its weights."""

    architecture: str  # one of `esc.classification.resnet.ARCHITECTURES`
    class_names: tuple[str, ...]  # the index is the target
    spectrogram: SpectrogramConfig
    input: InputConfig
    provenance: dict[str, Any] = field(default_factory=dict)  # recipe, seed, epochs, folds, metrics, versions, licence
    calibration: Calibration | None = None  # without it, probabilities are plain softmax and every sound is known

    @property
    def clip_samples(self) -> int:
        """Length of a clip at the checkpoint's sample rate."""
        return round(self.input.clip_seconds * self.spectrogram.sample_rate)


def save_checkpoint(folder: Path, model: nn.Module, checkpoint: Checkpoint) -> None:
    """Write a checkpoint: matrices as float16, vectors (biases, batch statistics) as float32.

    Parameters
    ----------
    folder : path
        Created if missing; an older checkpoint in it is replaced.
    model : Module
        Built by `build_model(checkpoint.architecture, len(checkpoint.class_names))`.
    checkpoint : Checkpoint
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _CONFIG).unlink(missing_ok=True)  # until all is written, the checkpoint counts as missing
    for old in folder.glob("*.safetensors"):
        old.unlink()
    state = {
        name: (tensor.half() if tensor.ndim > 1 else tensor).contiguous().cpu() for name, tensor in model.state_dict().items()
    }
    shards = _shards(state)
    weight_map: dict[str, str] = {}
    digests: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        content = save(shard, metadata={"format": "pt"})
        (folder / file).write_bytes(content)
        digests[file] = hashlib.sha256(content).hexdigest()
        weight_map |= dict.fromkeys(shard, file)
    total = sum(tensor.nbytes for tensor in state.values())
    write_json(folder / _INDEX, {"metadata": {"total_size": total, "sha256": digests}, "weight_map": weight_map})
    write_config(folder, checkpoint)


def write_config(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the config of a checkpoint, atomically; its weights stay as they are.

    This adds a calibration: `write_config(folder, dataclasses.replace(read_config(folder), calibration=...))`.
    """
    write_json(folder / _CONFIG, asdict(checkpoint) | {"format": FORMAT, "class_names": list(checkpoint.class_names)})


def load_checkpoint(folder: Path | None = None) -> tuple[ResNet, Checkpoint]:
    """Return a network in evaluation mode, float32, and its checkpoint.

    Parameters
    ----------
    folder : path, optional
        Also a ZIP; the shipped checkpoint by default.

    Raises
    ------
    CheckpointError
        The folder is missing, damaged, altered or of another format.
    """
    folder = checkpoint_folder(folder)
    checkpoint = read_config(folder)
    try:
        with torch.device("meta"):  # shapes only: the weights come from the shards
            model = build_model(checkpoint.architecture, len(checkpoint.class_names))
        model.load_state_dict(_read_weights(folder, model.state_dict()), assign=True)
    except _DAMAGE as error:
        raise CheckpointError("checkpoint.damaged", path=project_relative(folder), reason=reason_of(error)) from error
    return model.eval(), checkpoint


def _read_weights(folder: Path, expected: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors of all shards as float32, or whole numbers where `expected` has them."""
    index = _read_json(folder / _INDEX)
    files = sorted(set(index["weight_map"].values()))
    if any(Path(file).name != file for file in files):
        raise ValueError("a shard lies outside the folder")
    most_bytes = _JSON_BYTES + _VALUE_BYTES * sum(tensor.numel() for tensor in expected.values())
    if sum((folder / file).stat().st_size for file in files) > most_bytes:
        raise ValueError("the shards are larger than the network's weights can be")
    digests = index["metadata"].get("sha256")  # version 0.1 wrote none
    state: dict[str, torch.Tensor] = {}
    for file in files:
        content = (folder / file).read_bytes()
        if digests is not None and hashlib.sha256(content).hexdigest() != digests[file]:
            raise ValueError(f"{file} was altered: its SHA-256 is not that of {_INDEX}")
        state |= load(content)
    for name, tensor in state.items():
        floating = name in expected and expected[name].is_floating_point()
        if tensor.is_floating_point() != floating or tensor.dtype == torch.bool:
            raise ValueError(f"{name} holds values of type {tensor.dtype}")
        if not tensor.isfinite().all():
            raise ValueError(f"{name} holds values that are not finite")
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def _read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object of bounded size."""
    if path.stat().st_size > _JSON_BYTES:
        raise ValueError(f"{path.name} is larger than {_JSON_BYTES / 1e6:.0f} MB")
    values = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise ValueError(f"{path.name} is no JSON object")
    return values


def _class_names(names: Any) -> tuple[str, ...]:
    """Return distinct names of classes."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("class_names is no list of names")
    if not 1 <= len(set(names)) == len(names) <= _MAX_CLASSES:
        raise ValueError(f"class_names holds {len(names)} names; 1 to {_MAX_CLASSES} different ones are legal")
    return tuple(names)


def read_config(folder: Path | None = None) -> Checkpoint:
    """Return a checkpoint, by default the shipped one, without reading its weights."""
    folder = checkpoint_folder(folder)
    path = folder / _CONFIG
    try:
        meta = _read_json(path)
        if meta["format"] != FORMAT:
            raise CheckpointError("checkpoint.version", path=project_relative(folder), found=meta["format"], wanted=FORMAT)
        calibration = meta.get("calibration")
        if calibration is not None and not {"unsure_threshold", "detector_sha256"} & set(calibration):  # version 0.1
            calibration = calibration | {"unsure_threshold": calibration["unknown_threshold"], "detector_sha256": None}
        return Checkpoint(
            architecture=meta["architecture"],
            class_names=_class_names(meta["class_names"]),
            spectrogram=SpectrogramConfig.from_dict(meta["spectrogram"]),
            input=InputConfig.from_dict(meta["input"]),
            provenance=dict(meta["provenance"]),
            calibration=None if calibration is None else Calibration.from_dict(calibration),
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError("checkpoint.missing", path=project_relative(folder)) from error
    except _DAMAGE as error:
        reason = f"{_CONFIG}: {reason_of(error)}"
        raise CheckpointError("checkpoint.damaged", path=project_relative(folder), reason=reason) from error


def _shards(state: dict[str, torch.Tensor]) -> list[dict[str, torch.Tensor]]:
    """Return shards filled in order, with whole tensors (ResNet's largest has 4.7 MB)."""
    shards: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for name, tensor in state.items():
        if shards[-1] and size + tensor.nbytes > SHARD_BYTES - 100_000:  # room for the header
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    return shards
