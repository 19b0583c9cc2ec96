"""Parameters of the parameter panel: fields, limits and presets."""

from __future__ import annotations

from esc.config import DB_REFS, LIMITS, MEL_SCALES, PRESETS, WINDOWS, SpectrogramConfig
from esc.dsp.mfcc import MAX_LIFTER, PLAIN
from esc.features import SPECTROGRAMS


def config_from_page(values: dict) -> SpectrogramConfig:
    """Return the config of the page's parameters, with defaults for missing ones."""
    n_mels, n_mfcc = values.get("n_mels"), 20
    if isinstance(n_mels, int) and LIMITS["n_mels"][0] <= n_mels < n_mfcc:
        n_mfcc = n_mels
    return SpectrogramConfig.from_dict({"mel_scale": "slaney", "db_ref": 1.0, "n_mfcc": n_mfcc} | values)


def parameters_for_page() -> dict:
    """Return the limits, choices and presets of the parameter panel."""
    fields = (
        "sample_rate",
        "n_fft",
        "win_length",
        "hop_length",
        "window",
        "n_mels",
        "fmin",
        "fmax",
        "top_db",
        "mel_scale",
        "n_mfcc",
    )
    return {
        "limits": {name: list(limits) for name, limits in LIMITS.items()} | {"lifter": [0, MAX_LIFTER], "delta": [0, 2]},
        "cepstrum": PLAIN.to_dict(),
        "windows": list(WINDOWS),
        "db_refs": [1.0, *DB_REFS],
        "mel_scales": list(MEL_SCALES),
        "feature_spectrograms": list(SPECTROGRAMS),
        "presets": {name: {f: getattr(config, f) for f in fields} for name, config in PRESETS.items()},
    }
