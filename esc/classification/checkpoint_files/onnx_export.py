"""ONNX export, verified against PyTorch.

Input: `spectrogram_db`, float32 (batch, n_mels, n_frames), the mel spectrogram of a clip in dB, equal to
`esc.dsp.spectrogram.clip_mel_db`. Outputs: `probabilities`, float32 (batch, n_classes); `known`, bool (batch,), False for
sounds out of distribution; `sure`, bool (batch,), also False where the likeliest class is uncertain; `scores`, float32
(batch,), higher for known sounds; `activations`, float32 (batch, n_cells, n_classes), probabilities every 32 frames, from
which `esc.classification.timeline.segments` finds when a class sounds. Level scaling, calibration and out-of-distribution
detector are part of the graph; spectrogram parameters, thresholds, classes and licence are in the metadata:

    import json, librosa, numpy as np, onnxruntime
    session = onnxruntime.InferenceSession("esc50.onnx")
    about = session.get_modelmeta().custom_metadata_map
    mel, names = json.loads(about["spectrogram"]), json.loads(about["class_names"])
    waveform, _ = librosa.load("rain.wav", sr=mel["sample_rate"], duration=json.loads(about["input"])["clip_seconds"])
    step = mel["sample_rate"] // 50  # 20 ms
    means = librosa.util.frame(waveform, frame_length=step, hop_length=step).mean(axis=0)
    power = librosa.feature.melspectrogram(
        y=waveform - np.quantile(means, 0.5, method="lower"), sr=mel["sample_rate"], n_fft=mel["n_fft"],
        hop_length=mel["hop_length"], win_length=mel["win_length"], window=mel["window"], n_mels=mel["n_mels"],
        fmin=mel["fmin"], fmax=mel["fmax"], htk=mel["mel_scale"] == "htk", pad_mode="constant",
    )
    spectrogram_db = librosa.power_to_db(power, ref=mel["db_ref"], top_db=mel["top_db"])
    probabilities, known, sure, *_ = session.run(None, {"spectrogram_db": spectrogram_db[None].astype(np.float32)})
    print("" if sure[0] else "perhaps " if known[0] else "none, nearest to ", names[probabilities[0].argmax()], sep="")

A clip has exactly `clip_seconds`; longer sounds are cut, shorter ones padded, see `esc.fit_clip`.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from esc.audio.io import load_audio
from esc.classification.checkpoint_files.config import Checkpoint
from esc.classification.classifier import Classifier, Outputs
from esc.dsp.spectrogram import clip_mel_db
from esc.errors import ExportError, reason_of, require_packages
from esc.example_sounds import example_sounds

LIMIT = 1e-4  # of a probability
SCORE_LIMIT = 1e-2  # of a score, whose thresholds differ by some units
ACTIVATION_LIMIT = 1e-3  # of a probability in a cell, which is a mean over fewer values
INPUT, OUTPUTS = "spectrogram_db", Outputs._fields
REQUIREMENTS = "requirements-export.txt"
_OPSET = 18


@dataclass(frozen=True)
class Parity:
    """Difference between an exported network and PyTorch."""

    n_clips: int
    difference: float  # largest one of a probability
    score_difference: float  # largest one of a score
    activation_difference: float = 0.0  # largest one of an activation

    @property
    def holds(self) -> bool:
        """Whether the differences are at most `LIMIT`, `SCORE_LIMIT` and `ACTIVATION_LIMIT`; False for NaN."""
        within = self.difference <= LIMIT and self.score_difference <= SCORE_LIMIT
        return within and self.activation_difference <= ACTIVATION_LIMIT


def export_onnx(classifier: Classifier, target: Path, sounds: Iterable[Path] | None = None) -> Parity:
    """Write the network as an ONNX file and return its parity with PyTorch.

    Parameters
    ----------
    classifier : Classifier
    target : path
        Written or replaced only if the parity holds.
    sounds : paths, optional
        Sounds for the comparison; by default the example sounds.

    Raises
    ------
    PackageError
        onnx, onnxscript or onnxruntime is not installed.
    ExportError
        There is no sound for the comparison, or the target can't be written.
    """
    require_packages(REQUIREMENTS, "onnx", "onnxruntime", "onnxscript")
    spectrograms_db = _spectrograms(classifier, example_sounds().values() if sounds is None else sounds)
    unchecked = target.with_name(f"{target.name}.tmp")
    try:
        _write(classifier, unchecked)
        parity = compare(classifier, unchecked, spectrograms_db)
        if parity.holds:
            unchecked.replace(target)
    except OSError as error:
        raise ExportError("export.write", path=target, reason=reason_of(error)) from error
    finally:
        unchecked.unlink(missing_ok=True)
    return parity


def compare(classifier: Classifier, path: Path, spectrograms_db: np.ndarray) -> Parity:
    """Return the parity of an ONNX file on spectrograms (clips, n_mels, n_frames) in dB."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    answered = Outputs(*map(torch.from_numpy, session.run(OUTPUTS, {INPUT: spectrograms_db})))
    with torch.inference_mode():
        expected = classifier.in_float32().outputs(torch.from_numpy(spectrograms_db))
    differences = [
        float((getattr(answered, name) - getattr(expected, name).cpu()).abs().max())
        for name in ("probabilities", "scores", "activations")
    ]
    return Parity(len(spectrograms_db), *differences)


def metadata(checkpoint: Checkpoint) -> dict[str, str]:
    """Return the metadata of the file; structured values are JSON."""
    return {
        "architecture": checkpoint.architecture,
        "class_names": json.dumps(checkpoint.class_names),
        "spectrogram": json.dumps(checkpoint.spectrogram.to_dict()),
        "input": json.dumps(checkpoint.input.to_dict()),
        "calibration": json.dumps(checkpoint.calibration and checkpoint.calibration.to_dict()),
        "provenance": json.dumps(checkpoint.provenance, ensure_ascii=False),
        "licence": str(checkpoint.provenance.get("licence", "not stated")),
    }


class _FromDecibels(nn.Module):
    """Network from dB spectrograms to `Outputs`."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.network, self.detector, self._classifier = classifier.model, classifier.detector, classifier.in_float32()

    def forward(self, spectrogram_db: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self._classifier.outputs(spectrogram_db))


def _write(classifier: Classifier, path: Path) -> None:
    import onnx

    meta = classifier.checkpoint
    n_frames = meta.spectrogram.n_frames(meta.clip_samples)
    example = torch.zeros(2, meta.spectrogram.n_mels, n_frames, device=classifier.device)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # no messages for its developers
        program: Any = torch.onnx.export(
            _FromDecibels(classifier).eval(),
            (example,),
            dynamo=True,
            input_names=[INPUT],
            output_names=OUTPUTS,
            dynamic_shapes={"spectrogram_db": {0: torch.export.Dim("batch", min=1)}},
            opset_version=_OPSET,
            verbose=False,
        )
    model = program.model_proto
    model.producer_name, model.doc_string = "soundglass", __doc__
    onnx.helper.set_model_props(model, metadata(meta))
    onnx.checker.check_model(model)
    onnx.save_model(model, path, save_as_external_data=False)


def _spectrograms(classifier: Classifier, sounds: Iterable[Path]) -> np.ndarray:
    spectrograms_db = [clip_mel_db(classifier.clip(*load_audio(path)), classifier.checkpoint.spectrogram) for path in sounds]
    if not spectrograms_db:
        raise ExportError("export.no_sound")
    return torch.stack(spectrograms_db).numpy()
