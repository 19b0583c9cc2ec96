"""Config of a checkpoint: all but its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from esc.classification.checkpoint_files.archive import CONFIG, checkpoint_folder
from esc.classification.confidence.calibration import Calibration
from esc.config import InputConfig, SpectrogramConfig
from esc.errors import CheckpointError, ParameterError, reason_of
from esc.paths import project_relative, write_json

FORMAT = 1
TRAINED_ON = ", trained on "  # before the names of data in the provenance's `initial_weights`
MAX_JSON_BYTES = 10**7
_MAX_CLASSES = 10_000
DAMAGE = (  # what reading a damaged file raises
    OSError, ValueError, KeyError, AttributeError, TypeError, RuntimeError, RecursionError, OverflowError, ParameterError,
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


def write_config(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the config of a checkpoint, atomically; its weights stay as they are.

    This adds a calibration: `write_config(folder, dataclasses.replace(read_config(folder), calibration=...))`.
    """
    write_json(folder / CONFIG, asdict(checkpoint) | {"format": FORMAT, "class_names": list(checkpoint.class_names)})


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
    path = folder / CONFIG
    try:
        meta = read_json(path)
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
    except DAMAGE as error:
        reason = f"{CONFIG}: {reason_of(error)}"
        raise CheckpointError("checkpoint.damaged", path=project_relative(folder), reason=reason) from error


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object of bounded size."""
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ValueError(f"{path.name} is larger than {MAX_JSON_BYTES / 1e6:.0f} MB")
    values = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise ValueError(f"{path.name} is no JSON object")
    return values
