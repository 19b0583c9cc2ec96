"""Plots of one clip: waveform, STFT, mel spectrogram in 2D and 3D, MFCC."""

from __future__ import annotations

from pathlib import Path

from esc.audio.io import load_audio
from esc.audio.resampling import resample
from esc.config import SpectrogramConfig
from esc.dsp.mfcc import mfcc
from esc.dsp.spectrogram import mel_db, stft_db
from esc.errors import DataError
from esc.plotting.sounds import plot_mel, plot_mel_surface, plot_mfcc, plot_stft, plot_waveform
from training.data.esc50 import data_folder, read_clips
from training.runs.disk import save_figure

MAX_SECONDS = 60.0  # longer sounds are cut


def find_clip(clip: str, data: Path | None) -> Path:
    """Return a file's path, or that of the ESC-50 clip of this name."""
    path = Path(clip)
    if path.is_file() or path.name != clip:
        return path
    found = next((row.path for row in read_clips(data_folder(data)) if Path(row.name).stem == path.stem), None)
    if found is None:
        raise DataError("data.no_clip", name=clip)
    return found


def plot_clip(path: Path, config: SpectrogramConfig, folder: Path) -> list[Path]:
    """Write five plots of a sound into a folder, and return their paths."""
    waveform, own_rate = load_audio(path)
    seconds = len(waveform) / own_rate
    waveform = waveform[: int(MAX_SECONDS * own_rate)]
    length = f"the first {MAX_SECONDS:g} s of {seconds:.1f} s" if seconds > MAX_SECONDS else f"{seconds:.2f} s"
    samples = resample(waveform, own_rate, config.sample_rate)
    frame = f"window {config.win_length} of {config.n_fft}, hop {config.hop_length} samples at {config.sample_rate} Hz"
    levels_db = mel_db(samples, config).numpy()
    figures = {
        "1-waveform": plot_waveform(waveform, own_rate, f"{path.name}: waveform at {own_rate} Hz, {length}"),
        "2-stft": plot_stft(stft_db(samples, config).numpy(), config, f"{path.name}: STFT, {frame}"),
        "3-mel": plot_mel(levels_db, config, f"{path.name}: mel spectrogram, {config.n_mels} bands, {frame}"),
        "4-mel-3d": plot_mel_surface(levels_db, config, f"{path.name}: mel spectrogram"),
        "5-mfcc": plot_mfcc(mfcc(samples, config).numpy(), config, f"{path.name}: {config.n_mfcc} MFCC, {frame}"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.png")
    return [folder / f"{name}.png" for name in figures]
