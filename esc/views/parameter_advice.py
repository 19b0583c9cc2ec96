"""Warnings about misleading spectrogram parameters, each with a change that fixes it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from esc.config import LIMITS, SpectrogramConfig
from esc.dsp.mel import empty_bands, fix_empty_bands, mel_edges_hz
from esc.dsp.windows import periodic_window
from esc.views.spectrogram_view import View

DEEPEST_DB = LIMITS["top_db"][1]
MOSTLY = 0.5  # of the spectrogram
PADDED = 4  # times the window: from here on zeros are most of what is transformed
THIN_DB = 10.0  # a click halfway between two frames may be measured this much too low
_RATE_EPS = 1.01  # a rate within a hundredth is the same


@dataclass(frozen=True)
class Advice:
    """A warning about a misleading spectrogram."""

    key: str  # "gaps", "thin", "long", "top", "rate", "empty", "deep" or "padding"
    grave: bool  # the spectrogram misleads; otherwise it is only worth knowing
    values: dict  # numbers for the message
    fix: dict  # parameters to set together, a legal config with the others as they are


def meaning(config: SpectrogramConfig, n_frames: int) -> dict:
    """Return the parameters' joint effect in ms, Hz and shares; see `SpectrogramConfig.resolution_hz`."""
    return {
        "window_ms": 1000 * config.win_length / config.sample_rate,
        "hop_ms": 1000 * config.hop_length / config.sample_rate,
        "bin_hz": config.sample_rate / config.n_fft,
        "resolution_hz": config.resolution_hz,
        "resolution_ms": 1000 * config.resolution_s,
        "overlap": max(0.0, 1 - config.hop_length / config.win_length),
        "frames": n_frames,
    }


def advise(config: SpectrogramConfig, file_rate: int, seconds: float, bands: bool, view: View | None = None) -> list[Advice]:
    """Return the warnings about a spectrogram, the grave ones first.

    Parameters
    ----------
    config : SpectrogramConfig
    file_rate : int
        The file's own sample rate in Hz.
    seconds : float
        The sound's length.
    bands : bool
        Whether the spectrogram has mel bands; without them only the STFT's parameters count.
    view : View, optional
        The spectrogram's view, for the share that `top_db` hides.
    """
    found = [_between_frames(config), _longer_than_sound(config, seconds), _above_file(config, file_rate, bands)]
    found += [_below_file(config, file_rate), _empty(config) if bands else None]
    if view is not None and not any(advice and advice.key == "top" for advice in found):
        found.append(_hidden(config, view))  # no top_db fills an empty top
    found.append(_padded(config))
    return sorted((advice for advice in found if advice), key=lambda advice: not advice.grave)


def click_loss_db(config: SpectrogramConfig) -> float:
    """Return the greatest loss of a click between two frames, in dB.

    Relative to a frame's middle: the least, over all samples, of the greatest weight in any frame; infinite with gaps.
    """
    window = periodic_window(config.window, config.win_length)
    weights = np.zeros(config.win_length + 2 * config.hop_length)
    weights[config.hop_length : -config.hop_length] = window
    from_middle = config.hop_length + config.win_length // 2 + np.arange(config.hop_length)
    least = np.maximum(weights[from_middle], weights[from_middle - config.hop_length]).min()
    return -20 * math.log10(least / window.max()) if least > 0 else math.inf


def _between_frames(config: SpectrogramConfig) -> Advice | None:
    loss_db = click_loss_db(config)
    if loss_db <= THIN_DB:
        return None
    width = config.resolution_s * config.sample_rate  # half such a hop off the middle a click loses at most 6 dB
    fix: dict[str, float] = {"hop_length": math.floor(width)}
    if width < LIMITS["hop_length"][0]:
        longest = LIMITS["win_length"][1]
        length = min(longest, math.ceil(config.hop_length * config.win_length / width))
        hop = min(config.hop_length, math.floor(length * width / config.win_length))
        fix = {"win_length": length, "n_fft": max(config.n_fft, 2 ** math.ceil(math.log2(length))), "hop_length": hop}
    if config.hop_length > config.win_length:
        return Advice("gaps", True, {"share": 1 - config.win_length / config.hop_length}, fix)
    return Advice("thin", True, {"loss_db": loss_db if math.isfinite(loss_db) else None}, fix)


def _longer_than_sound(config: SpectrogramConfig, seconds: float) -> Advice | None:
    n_samples = seconds * config.sample_rate
    if config.win_length <= n_samples:
        return None
    shorter = max(LIMITS["win_length"][0], 2 ** math.floor(math.log2(max(n_samples / 4, 1))))
    values = {"window_ms": 1000 * config.win_length / config.sample_rate, "sound_ms": 1000 * seconds}
    return Advice("long", True, values, {"win_length": shorter}) if shorter < config.win_length else None


def _above_file(config: SpectrogramConfig, file_rate: int, bands: bool) -> Advice | None:
    """Return advice about rows above the file's highest frequency, which stay dark."""
    top_hz, own_hz = config.fmax if bands else config.sample_rate / 2, file_rate / 2
    if top_hz <= own_hz * _RATE_EPS:
        return None
    share = 1 - own_hz / top_hz
    if bands:
        share = float((mel_edges_hz(config)[:-2] >= own_hz).mean())
    fix: dict[str, float] = {"fmax": own_hz, "fmin": config.fmin if config.fmin < own_hz else 0.0}
    if not bands:
        fix = {"sample_rate": max(file_rate, LIMITS["sample_rate"][0])}
        fix["fmax"] = min(config.fmax, fix["sample_rate"] / 2)
        fix["fmin"] = config.fmin if config.fmin < fix["fmax"] else 0.0
    if all(getattr(config, name) == value for name, value in fix.items()):
        return None  # the file's rate is below the lowest possible
    return Advice("top", True, {"own_hz": own_hz, "share": share}, fix)


def _below_file(config: SpectrogramConfig, file_rate: int) -> Advice | None:
    """Return advice about the file's frequencies above the config's highest."""
    if file_rate <= config.sample_rate * _RATE_EPS or file_rate > LIMITS["sample_rate"][1]:
        return None
    values = {"top_hz": config.sample_rate / 2, "own_hz": file_rate / 2}
    return Advice("rate", False, values, {"sample_rate": file_rate, "fmax": file_rate / 2})


def _empty(config: SpectrogramConfig) -> Advice | None:
    empty = empty_bands(config)
    if not empty:
        return None
    fixed = fix_empty_bands(config)
    values = {"bands": empty, "bin_hz": config.sample_rate / config.n_fft}
    fewer = {"n_mfcc": fixed.n_mfcc} if fixed.n_mfcc < config.n_mfcc else {}
    return Advice("empty", True, values, {"n_mels": fixed.n_mels, "n_fft": fixed.n_fft} | fewer)


def _hidden(config: SpectrogramConfig, view: View) -> Advice | None:
    depth = min(DEEPEST_DB, 5.0 * math.ceil(view.depth_db / 5))
    if view.hidden <= MOSTLY or depth <= config.top_db:
        return None
    return Advice("deep", True, {"share": view.hidden, "top_db": config.top_db}, {"top_db": depth})


def _padded(config: SpectrogramConfig) -> Advice | None:
    if config.n_fft < PADDED * config.win_length:
        return None
    values = {"bin_hz": config.sample_rate / config.n_fft, "resolution_hz": config.resolution_hz}
    return Advice("padding", False, values, {"win_length": config.n_fft})
