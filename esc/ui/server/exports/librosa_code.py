"""Python code with librosa that reproduces a view, as text and as a Jupyter notebook."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from esc.audio.channels import MEAN, split_track
from esc.config import LIBROSA, SpectrogramConfig
from esc.dsp.frames import frames_between
from esc.dsp.mfcc import PLAIN, CepstrumConfig
from esc.features.contours import PITCH_HZ
from esc.features.spectrograms import BINS_PER_OCTAVE, HPSS_FRAMES, LOWEST_HZ, PCEN_SCALE, constant_q_bins

_IMPORTS = """import librosa
import librosa.display
import matplotlib.pyplot as plt
import numpy as np"""


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """State of a view of a file."""

    view: str  # "wave", "stft", "mel", "mfcc" or "surface"
    file_name: str
    config: SpectrogramConfig
    n_samples: int  # of the whole sound at the config's rate, or of a waveform at the file's
    seconds: float
    start_s: float
    end_s: float
    cepstrum: CepstrumConfig = PLAIN
    features: tuple[str, ...] = ()
    source: str = "mel"  # the spectrogram of a surface
    colours: str = "magma"
    channel: str = MEAN
    full_scale: float = 1.0
    time_expansion: float = 1.0

    @property
    def whole(self) -> bool:
        """Whether all of the sound is shown."""
        return self.start_s <= 0 and self.end_s >= self.seconds - 1e-6


def librosa_code(state: ViewState) -> list[str]:
    """Return the code in parts, one a cell of a notebook.

    The variables are named as in librosa's documentation: `y`, `sr`, `D`, `S`, `S_db`, `mfccs`; the view's values end up in
    `view`.
    """
    if state.view == "wave":
        return _wave(state)
    parts = [_load(state), _values(state), *map(_contour(state), _contours(state)), _plot(state)]
    return [part for part in parts if part]


def as_notebook(parts: list[str], title: str) -> dict:
    """Return code in parts as a notebook of nbformat 4.5."""
    heading = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": f"# {title}"}
    cells: list[dict] = [
        {"cell_type": "code", "id": f"part-{i}", "metadata": {}, "execution_count": None, "outputs": [], "source": part}
        for i, part in enumerate(parts, 1)
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    about = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": [heading, *cells]}


def _load(state: ViewState) -> str:
    config = state.config
    return f"""{_IMPORTS}

{_read(state, config.sample_rate)}"""


def _read(state: ViewState, rate: int | None, y: str = "y", sr: str = "sr") -> str:
    """Return the lines that read the view's channel of a file."""
    name, (track, channel) = _quoted(state.file_name), split_track(state.channel)
    if track:  # librosa reads only the default one
        options = f"'-map', '0:a:{track - 1}', '-c:a', 'pcm_f32le'"
        first = f"subprocess.run(['ffmpeg', '-y', '-i', {name}, {options}, 'track{track}.wav'], check=True)"
        return (
            f"import subprocess\n\n{first}\n{_read(replace(state, file_name=f'track{track}.wav', channel=channel), rate, y, sr)}"
        )
    divided = "" if state.full_scale == 1.0 else f"\n{y} /= {state.full_scale!r}"
    asked: float | None = rate
    if state.time_expansion != 1.0:  # the file's rate and times are those of the slowed sound
        asked = None if rate is None else rate / state.time_expansion
        divided += f"\n{sr} = round({sr} * {state.time_expansion:g})  # time expansion"
    if channel == MEAN:
        return f"{y}, {sr} = librosa.load({name}, sr={asked}){divided}"
    mixed = {"left": "[0]", "right": "[1]", "mid": "[:2].mean(axis=0)", "side": "[:2].T @ [0.5, -0.5]"}
    part = mixed.get(channel) or f"[{int(channel) - 1}]"
    load = f"channels, {sr} = librosa.load({name}, sr={asked}, mono=False)"
    return f"{load}\n{y} = np.atleast_2d(channels){part}  # {state.channel}{divided}"


def _wave(state: ViewState) -> list[str]:
    part = "" if state.whole else f"\nview = y[round({state.start_s!r} * sr) : round({state.end_s!r} * sr)]"
    return [
        f"""{_IMPORTS}

{_read(state, None)}
view = y{part}""",
        f"""fig, ax = plt.subplots(figsize=(10, 3))
librosa.display.waveshow(view, sr=sr, offset={0.0 if state.whole else state.start_s!r}, ax=ax)
ax.set(xlabel="time, s", ylabel="amplitude")
plt.show()""",
    ]


def _stft(config: SpectrogramConfig) -> str:
    return (
        f"D = librosa.stft(y, n_fft={config.n_fft}, win_length={config.win_length}, hop_length={config.hop_length}, "
        f"window={_quoted(config.window)})"
    )


def _mel(config: SpectrogramConfig) -> str:
    return (
        f"librosa.feature.melspectrogram(\n    S=np.abs(D) ** 2, sr=sr, n_fft={config.n_fft}, n_mels={config.n_mels}, "
        f"fmin={config.fmin!r}, fmax={config.fmax!r}, htk={config.mel_scale == 'htk'}\n)"
    )


def _reference(config: SpectrogramConfig) -> str:
    if config.db_ref == "full_scale":  # power of a sine of amplitude 1
        return f"(librosa.filters.get_window({_quoted(config.window)}, {config.win_length}).sum() / 2) ** 2"
    return "np.max" if config.db_ref == "max" else repr(config.db_ref)


def _values(state: ViewState) -> str:
    config, kind = state.config, "stft" if "stft" in (state.view, state.source) else "mel"
    lines = [_stft(config), f"S = {'np.abs(D) ** 2' if kind == 'stft' else _mel(config)}"]
    lines.append(f"S_db = librosa.power_to_db(S, ref={_reference(config)}, top_db={config.top_db!r})")
    name = "S_db"
    variant = next((feature for feature in state.features if feature in _VARIANTS), None)
    if state.view == "mfcc":
        lifter, delta = state.cepstrum.lifter, state.cepstrum.delta
        lines.append(f"mfccs = librosa.feature.mfcc(S=S_db, n_mfcc={config.n_mfcc}, lifter={lifter!r})")
        if delta:
            lines.append(f"mfccs = librosa.feature.delta(mfccs, order={delta})")
        name = "mfccs"
    elif variant:
        lines.append(_VARIANTS[variant](config, kind))
        name = "variant"
    part = ""
    if not state.whole:
        frames = _frames(state)
        part = f"[:, {frames.start}:{frames.stop}]  # the frames on screen"
    return "\n".join([*lines, f"view = {name}{part}"])


def _frames(state: ViewState) -> range:
    return frames_between(range(state.n_samples), state.config, state.start_s, state.end_s)  # type: ignore[arg-type]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _in_rows(config: SpectrogramConfig, kind: str, values: str) -> str:
    if kind == "stft":
        return values
    mel = f"n_fft={config.n_fft}, n_mels={config.n_mels}, fmin={config.fmin!r}, fmax={config.fmax!r}"
    return f"librosa.filters.mel(sr=sr, {mel}, htk={config.mel_scale == 'htk'}) @ {values}"


def _to_db(config: SpectrogramConfig, power: str, floor: str) -> str:
    reference = "S.max()" if config.db_ref == "max" else _reference(config)
    return (
        f"variant = librosa.power_to_db({power}, ref={reference}, top_db=None)\n"
        f"variant = np.maximum(variant, {floor} - {config.top_db!r})"
    )


def _separated(part: int, config: SpectrogramConfig, kind: str) -> str:
    power = _in_rows(config, kind, f"librosa.decompose.hpss(np.abs(D), kernel_size={HPSS_FRAMES})[{part}] ** 2")
    return _to_db(config, power, "S_db.max()")


def _pcen(config: SpectrogramConfig, kind: str) -> str:
    magnitude = _in_rows(config, kind, "np.abs(D)")
    return f"variant = librosa.pcen({magnitude} * {PCEN_SCALE!r}, sr=sr, hop_length={config.hop_length})"


def _constant_q(config: SpectrogramConfig, kind: str) -> str:
    about = (
        f"sr=sr, hop_length={config.hop_length}, fmin={LOWEST_HZ!r}, n_bins={constant_q_bins(config)}, "
        f"bins_per_octave={BINS_PER_OCTAVE}"
    )
    return f"C = np.abs(librosa.cqt(y, {about})) ** 2\n" + _to_db(config, "C", "variant.max()")


def _reassigned(config: SpectrogramConfig, kind: str) -> str:
    lengths = (
        f"n_fft={config.n_fft}, hop_length={config.hop_length}, win_length={config.win_length}, window={_quoted(config.window)}"
    )
    step_hz = config.sample_rate / config.n_fft
    edges = f"(np.arange({config.n_freqs + 1}) - 0.5) * {step_hz!r}"
    if kind == "mel":
        mels = f"*librosa.hz_to_mel(np.array([{config.fmin!r}, {config.fmax!r}]), htk={config.mel_scale == 'htk'})"
        step = f"(np.arange({config.n_mels + 1}) + 0.5) / {config.n_mels + 1}"
        edges = f"librosa.mel_to_hz(np.interp({step}, [0, 1], [{mels}]), htk={config.mel_scale == 'htk'})"
    return f"""freqs, times, mags = librosa.reassigned_spectrogram(y=y, sr=sr, {lengths})  # divides by 0 in silence
inside = np.isfinite(freqs) & np.isfinite(times)
edges_hz = {edges}
edges_s = (np.arange(D.shape[1] + 1) - 0.5) * {config.hop_length} / sr
P = np.histogram2d(freqs[inside], times[inside], bins=[edges_hz, edges_s], weights=mags[inside] ** 2)[0]
{_to_db(config, "P", "variant.max()")}"""


_VARIANTS = {
    "harmonic": lambda config, kind: _separated(0, config, kind),
    "percussive": lambda config, kind: _separated(1, config, kind),
    "pcen": _pcen,
    "constant_q": _constant_q,
    "reassigned": _reassigned,
}


def _contours(state: ViewState) -> list[str]:
    return [feature for feature in state.features if feature not in _VARIANTS]


def _contour(state: ViewState):
    config = state.config
    rate = LIBROSA.sample_rate
    low, high = PITCH_HZ
    slow = "y22, sr22 = y, sr" if config.sample_rate == rate else _read(state, rate, "y22", "sr22")
    codes = {
        "pitch": f"{slow}\nf0, voiced_flag, voiced_probs = librosa.pyin(y22, fmin={low}, fmax={high}, sr=sr22)\n"
        "f0_times = librosa.times_like(f0, sr=sr22)",
        "onsets": f'{slow}\nonsets = librosa.onset.onset_detect(y=y22, sr=sr22, units="time")',
        "centroid": f"centroid = librosa.feature.spectral_centroid(S=np.abs(D), sr=sr, n_fft={config.n_fft})[0]\n"
        f"bandwidth = librosa.feature.spectral_bandwidth(S=np.abs(D), sr=sr, n_fft={config.n_fft})[0]",
        "loudness": f"""# A-weighted level in dB below full scale, by Parseval's theorem
freqs = librosa.fft_frequencies(sr=sr, n_fft={config.n_fft})
weights = 2 * 10 ** (librosa.A_weighting(freqs, min_db=None) / 10)
weights[0] /= 2{chr(10) + "weights[-1] /= 2" if config.n_fft % 2 == 0 else ""}
weights /= {config.n_fft} * np.sum(librosa.filters.get_window({_quoted(config.window)}, {config.win_length}) ** 2)
loudness = 10 * np.log10(np.maximum(weights @ np.abs(D) ** 2, 1e-10))""",
    }
    return lambda feature: codes[feature]


def _plot(state: ViewState) -> str:
    config = state.config
    first = "np.arange(view.shape[1])" if state.whole else f"({_frames(state).start} + np.arange(view.shape[1]))"
    times = f"times = {first} * {config.hop_length} / sr"
    if state.view == "surface":
        kind = "stft" if state.source == "stft" else "mel"
        return f"""{times}
freqs = {_freqs(config, kind)}
ax = plt.figure(figsize=(9, 6)).add_subplot(projection="3d")
ax.plot_surface(*np.meshgrid(times, freqs), view, cmap={_quoted(state.colours)}, rcount=160, ccount=320)
ax.set(xlabel="time, s", ylabel="frequency, Hz", zlabel="level, dB")
plt.show()"""
    variant = next((feature for feature in state.features if feature in _VARIANTS), None)
    axes = {"mel": f', y_axis="mel", fmin={config.fmin!r}, fmax={config.fmax!r}, htk={config.mel_scale == "htk"}'}
    y_axis = axes.get(state.view, ', y_axis="linear"' if state.view == "stft" else "")
    if variant == "constant_q" and state.view != "mfcc":
        y_axis = f', y_axis="cqt_hz", fmin={LOWEST_HZ!r}, bins_per_octave={BINS_PER_OCTAVE}'
    lines = "".join(_LINES[feature].replace("{hop}", str(config.hop_length)) for feature in _contours(state))
    shown = f'view, sr=sr, x_coords=times, x_axis="time"{y_axis}, cmap={_quoted(state.colours)}, ax=ax'
    return f"""{times}
fig, ax = plt.subplots(figsize=(10, 4))
img = librosa.display.specshow({shown})
fig.colorbar(img, ax=ax){lines}
plt.show()"""


_LINES = {
    "pitch": '\nax.plot(f0_times, f0, color="cyan")',
    "onsets": '\nax.vlines(onsets, *ax.get_ylim(), color="white", linestyle="--")',
    "centroid": '\nax.plot(librosa.times_like(centroid, sr=sr, hop_length={hop}), centroid, color="yellowgreen")',
    "loudness": '\nax.twinx().plot(librosa.times_like(loudness, sr=sr, hop_length={hop}), loudness, color="pink")',
}


def _freqs(config: SpectrogramConfig, kind: str) -> str:
    if kind == "stft":
        return f"librosa.fft_frequencies(sr=sr, n_fft={config.n_fft})"
    htk = config.mel_scale == "htk"
    return f"librosa.mel_frequencies({config.n_mels + 2}, fmin={config.fmin!r}, fmax={config.fmax!r}, htk={htk})[1:-1]"
