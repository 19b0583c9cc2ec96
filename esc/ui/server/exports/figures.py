"""The figure of a view as it is on screen, at a print size."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from esc.audio.channels import MEAN
from esc.config import SpectrogramConfig
from esc.dsp.axes import row_bounds_hz
from esc.dsp.mfcc import PLAIN
from esc.dsp.tiles import Tile
from esc.plotting.views import FigureStyle, plot_coefficients, plot_envelope, plot_levels, plot_surface
from esc.ui.server.exports.request import ExportRequest
from esc.ui.server.rendering import ViewRenderer
from esc.ui.sessions.sound import Sound
from esc.views.spectrogram_view import View
from esc.views.waveform_view import wave_view

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SURFACE_COLUMNS = 320
_NAMES = {
    "wave": "save.name_wave",
    "stft": "save.name_stft",
    "mel": "save.name_mel",
    "mfcc": "save.name_mfcc",
    "surface": "save.name_surface",
    "constant_q": "features.name_constant_q",
    "reassigned": "features.name_reassigned",
    "pcen": "features.name_pcen",
    "harmonic": "features.name_harmonic",
    "percussive": "features.name_percussive",
}


def draw(
    renderer: ViewRenderer, sound: Sound, request: ExportRequest, features: Mapping[str, dict], texts: Mapping[str, str]
) -> Figure:
    """Return the figure of a view; `features` are the arrays of those it shows."""
    tile = Tile(request.start, request.end, request.figure.columns)
    style = _style(sound, request, texts)
    config = request.config
    if config is None or request.view == "wave":
        rate = sound.facts.sample_rate
        envelope = wave_view(sound.waveform, rate, tile)
        return plot_envelope(envelope, (math.floor(request.start * rate) / rate, min(sound.seconds, request.end)), style)
    if request.view == "mfcc":
        shown, _ = renderer.coefficients(sound, config, tile, request.cepstrum or PLAIN)
        return plot_coefficients(_levels(shown), (shown.start_s, shown.end_s), style)
    if request.view == "surface":
        shown, freqs_hz = renderer.surface(sound, config, Tile(request.start, request.end, SURFACE_COLUMNS), request.source)
        edges_s = np.linspace(shown.start_s, shown.end_s, shown.levels.shape[1] + 1)
        angles = (request.figure.elevation, request.figure.azimuth)
        return plot_surface(
            _levels(shown), (edges_s[:-1] + edges_s[1:]) / 2, freqs_hz, _ranged(style, request, shown.high_db), angles
        )
    contours = {name: features[name] for name in request.contours}
    if request.variant:
        found = features[request.variant]
        style = _ranged(style, request, found["high"], "" if found["decibels"] else "PCEN")
        return plot_levels(found["values"], (found["start_s"], found["end_s"]), found["bounds_hz"], style, contours)
    shown, _ = renderer.anchored(request.source, sound, config, tile)
    style = _ranged(style, request, shown.high_db)
    return plot_levels(_levels(shown), (shown.start_s, shown.end_s), row_bounds_hz(request.source, config), style, contours)


def _levels(view: View) -> np.ndarray:
    return view.low_db + view.levels * ((view.high_db - view.low_db) / 255)


def _ranged(style: FigureStyle, request: ExportRequest, high: float, unit: str = "") -> FigureStyle:
    """Return a style with the display's level range; values without dB have their own."""
    figure = request.figure
    if unit:
        return dataclasses.replace(style, level=unit)
    if figure.low is None or figure.high is None or figure.low >= figure.high:
        return style
    return dataclasses.replace(style, levels=(high + figure.low, high + figure.high))


def _style(sound: Sound, request: ExportRequest, texts: Mapping[str, str]) -> FigureStyle:
    figure, config = request.figure, request.config
    channel = "" if sound.facts.channel == MEAN else f" ({sound.facts.channel})"
    reference = {"max": "page.level_axis_max", "full_scale": "page.level_axis_full_scale"}
    return FigureStyle(
        title=f"{sound.name}{channel}: {texts[_NAMES[request.variant or request.view]]}",
        subtitle=_parameters(request, config) if config else f"sr={sound.facts.sample_rate}",
        width_cm=figure.width_cm,
        height_cm=figure.height_cm,
        dpi=figure.dpi,
        colours=figure.colours,
        axis="mel" if request.view == "surface" and request.source == "mel" else figure.axis,
        mel_scale=config.mel_scale if config else "slaney",
        freq_range=figure.freq_range,
        time=texts["save.figure_time"],
        freq=texts["save.figure_freq"],
        level=texts[reference.get(str(config.db_ref), "page.level_axis")] if config else "",
        amplitude=texts["save.figure_amplitude"],
        coefficient=texts["save.figure_coefficient"],
        loudness=texts["save.figure_loudness"],
    )


def _parameters(request: ExportRequest, config: SpectrogramConfig) -> str:
    """Return the parameters of the view by librosa's names."""
    names = ["n_fft", "win_length", "hop_length", "window"]
    if request.source == "mel":
        names += ["n_mels", "fmin", "fmax"]
    values = [f"{name}={getattr(config, name)}" for name in (*names, *(("n_mfcc",) if request.view == "mfcc" else ()), "top_db")]
    return ", ".join([f"sr={config.sample_rate}", *values])
