"""Checkpoints: safetensors shards with the config and classes they were trained with.

A folder holds `config.json` (everything but the weights), `model.safetensors.index.json` and its shards, as on the
Hugging Face Hub. It contains no code, and every file is below 10 MB, the limit of `git push` to a Space without LFS. The
index names the SHA-256 of each shard.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from esc.classification.checkpoint_files.archive import checkpoint_folder
from esc.classification.checkpoint_files.config import (
    CONFIG,
    DAMAGE,
    MAX_JSON_BYTES,
    Checkpoint,
    read_config,
    read_json,
    write_config,
)
from esc.classification.resnet import ResNet, build_model
from esc.errors import CheckpointError, reason_of
from esc.paths import project_relative, write_json

SHARD_BYTES = 9_500_000
_INDEX = "model.safetensors.index.json"
_VALUE_BYTES = 8  # at most, of a weight in a shard
_DAMAGE = (*DAMAGE, SafetensorError)


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
    (folder / CONFIG).unlink(missing_ok=True)  # until all is written, the checkpoint counts as missing
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
        reason = reason_of(error)
        if isinstance(error, OSError) and error.filename is not None:
            reason = f"{Path(error.filename).name}: {reason}"
        raise CheckpointError("checkpoint.damaged", path=project_relative(folder), reason=reason) from error
    return model.eval(), checkpoint


def _read_weights(folder: Path, expected: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors of all shards as float32, or whole numbers where `expected` has them."""
    index = read_json(folder / _INDEX)
    files = sorted(set(index["weight_map"].values()))
    if any(Path(file).name != file for file in files):
        raise ValueError("a shard lies outside the folder")
    most_bytes = MAX_JSON_BYTES + _VALUE_BYTES * sum(tensor.numel() for tensor in expected.values())
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
