"""Checkpoints: weights in safetensors shards beside the exact config, scaling and classes they were trained with.

A folder holds `config.json` (everything but the weights), `model.safetensors.index.json` and its shards, laid out as
the Hugging Face Hub lays them out. Nothing in it is code, and every file stays under the 10 MB that a plain `git push`
to a Space takes.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from esc.classification.calibration import Calibration
from esc.classification.resnet import build_model
from esc.config import InputConfig, SpectrogramConfig
from esc.errors import CheckpointError, ParameterError
from esc.paths import DEFAULT_CHECKPOINT, project_relative

FORMAT = 1
SHARD_BYTES = 9_500_000
_CONFIG, _INDEX = "config.json", "model.safetensors.index.json"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """All that a trained network needs beside its weights.

    Attributes
    ----------
    architecture : str
        One of `esc.classification.resnet.ARCHITECTURES`.
    class_names : tuple of str
        Index is the target.
    spectrogram : SpectrogramConfig
    input : InputConfig
    provenance : dict
        How it came about: recipe, seed, epochs, training and held-out folds, measured figures, versions, licence.
    calibration : Calibration, optional
        None until it was measured: probabilities are then plain softmax, and every sound counts as known.
    """

    architecture: str
    class_names: tuple[str, ...]
    spectrogram: SpectrogramConfig
    input: InputConfig
    provenance: dict = field(default_factory=dict)
    calibration: Calibration | None = None


def save_checkpoint(folder: Path, model: nn.Module, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; matrices as float16, vectors (biases, batch statistics) as float32.

    Parameters
    ----------
    folder : path
        Made where it is missing; an older checkpoint in it is replaced.
    model : Module
        Built by `build_model(checkpoint.architecture, len(checkpoint.class_names))`.
    checkpoint : Checkpoint
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _CONFIG).unlink(missing_ok=True)  # without it the folder reads as missing until all is written
    for old in folder.glob("model*.safetensors"):
        old.unlink()
    state = {
        name: (tensor.half() if tensor.ndim > 1 else tensor).contiguous().cpu() for name, tensor in model.state_dict().items()
    }
    shards = _shards(state)
    weight_map = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_file(shard, folder / file, metadata={"format": "pt"})
        (folder / file).chmod(0o644)  # safetensors writes for the owner alone
        weight_map |= dict.fromkeys(shard, file)
    total = sum(tensor.nbytes for tensor in state.values())
    _write_json(folder / _INDEX, {"metadata": {"total_size": total}, "weight_map": weight_map})
    write_config(folder, checkpoint)


def write_config(folder: Path, checkpoint: Checkpoint) -> None:
    """Write, or replace at one stroke, what a checkpoint says of itself; its weights stay as they are.

    So a calibration is added: `write_config(folder, dataclasses.replace(read_config(folder), calibration=...))`.
    """
    meta = asdict(checkpoint) | {"format": FORMAT, "class_names": list(checkpoint.class_names)}
    fresh = folder / f"{_CONFIG}.new"
    _write_json(fresh, meta)
    os.replace(fresh, folder / _CONFIG)


def load_checkpoint(folder: Path | None = None) -> tuple[nn.Module, Checkpoint]:
    """Return the network in evaluation mode, float32, and what it was trained with.

    Parameters
    ----------
    folder : path, optional
        The shipped checkpoint where it is left out.

    Raises
    ------
    CheckpointError
        The folder is missing, damaged or of another format.
    """
    folder = Path(folder) if folder is not None else DEFAULT_CHECKPOINT
    if not (folder / _CONFIG).is_file():
        raise CheckpointError("checkpoint.missing", path=project_relative(folder))
    checkpoint = read_config(folder)
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        files = sorted(set(index["weight_map"].values()))
        if any(Path(file).name != file for file in files):
            raise ValueError("a shard lies outside the folder")
        state = {}
        for file in files:
            state |= load_file(folder / file)
        model = build_model(checkpoint.architecture, len(checkpoint.class_names))
        model.load_state_dict({name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()})
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RuntimeError, SafetensorError, ParameterError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError("checkpoint.damaged", path=project_relative(folder), reason=reason) from error
    return model.eval(), checkpoint


def read_config(folder: Path) -> Checkpoint:
    """Return what a checkpoint says of itself, without reading its weights."""
    path = Path(folder) / _CONFIG
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
        if meta["format"] != FORMAT:
            raise CheckpointError("checkpoint.version", path=project_relative(folder), found=meta["format"], wanted=FORMAT)
        measured = meta.get("calibration")  # files from before there was any lack it
        return Checkpoint(
            architecture=meta["architecture"],
            class_names=tuple(meta["class_names"]),
            spectrogram=SpectrogramConfig.from_dict(meta["spectrogram"]),
            input=InputConfig.from_dict(meta["input"]),
            provenance=meta["provenance"],
            calibration=None if measured is None else Calibration.from_dict(measured),
        )
    except FileNotFoundError as error:
        raise CheckpointError("checkpoint.missing", path=project_relative(folder)) from error
    except (OSError, ValueError, KeyError, TypeError, ParameterError) as error:
        raise CheckpointError("checkpoint.damaged", path=project_relative(folder), reason=f"{_CONFIG}: {error}") from error


def _shards(state: dict[str, torch.Tensor]) -> list[dict[str, torch.Tensor]]:
    """Fill shards in order; a tensor is never split (ResNet's largest, 512x512x3x3 in float16, has 4.7 MB)."""
    shards: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for name, tensor in state.items():
        if shards[-1] and size + tensor.nbytes > SHARD_BYTES - 100_000:  # room for the header
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    return shards


def _write_json(path: Path, values: dict) -> None:
    path.write_text(json.dumps(values, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
