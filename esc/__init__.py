"""Spectrograms equal to librosa's, and classification of sounds by a ResNet18.

import esc
waveform, sample_rate = esc.load_audio("rain.ogg")
mel_db = esc.mel_db(waveform, esc.LIBROSA.replace(sample_rate=sample_rate))
print(esc.Classifier.load().predict(waveform, sample_rate).top)
"""

import os
from importlib import import_module

# Read when NumPy and SciPy load OpenBLAS: after a product its threads sleep instead of keeping the cores from what comes next
# for 60 ms and more. Many small products, as of a regression, are faster, too.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # 2**4 cycles, the least

_MODULES = {
    "esc.audio": ("load_audio", "fit_clip", "resample"),
    "esc.batch.teach_files": ("teach_files",),
    "esc.classification.confidence.calibration": ("Calibration",),
    "esc.classification.checkpoint": ("load_checkpoint", "save_checkpoint"),
    "esc.classification.checkpoint_files.config": ("Checkpoint",),
    "esc.classification.classifier": ("Classifier",),
    "esc.classification.predictions": ("Prediction",),
    "esc.classification.resnet": ("build_model",),
    "esc.classification.similarity": ("Neighbour", "SoundIndex"),
    "esc.config": (
        "BATS", "BIRDSONG", "CLICKS", "ESC50", "LIBROSA", "NOTEBOOK", "PRESETS", "SPEECH", "InputConfig", "SpectrogramConfig",
    ),
    "esc.errors": ("AudioError", "CheckpointError", "DataError", "EscError", "ParameterError"),
    "esc.dsp.axes": ("frame_times_s", "stft_freqs_hz"),
    "esc.dsp.mel": ("mel_freqs_hz",),
    "esc.dsp.mfcc": ("mfcc",),
    "esc.dsp.spectrogram": ("mel_db", "stft_db"),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> object:
    # torch takes seconds to import: each name imports only what it needs
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'esc' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
