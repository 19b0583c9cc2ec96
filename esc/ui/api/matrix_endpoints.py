"""Named endpoints of a sound's matrices: spectrograms, coefficients, waveform."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch

from esc.audio.channels import MEAN
from esc.config import SpectrogramConfig
from esc.dsp.axes import frame_times_s, stft_freqs_hz
from esc.dsp.mel import mel_freqs_hz
from esc.dsp.mfcc import CepstrumConfig, mfcc, shaped
from esc.dsp.spectrogram import mel_db, stft_db
from esc.dsp.tiles import Tile
from esc.errors import AudioError, PageError, ParameterError
from esc.ui.api import arguments
from esc.ui.api.arguments import lists_formats, localized_errors
from esc.ui.api.downloads import Downloads
from esc.ui.server.rendering import ViewRenderer
from esc.ui.sessions.sound import Sound
from esc.ui.tabs.base import Services

MAX_VALUES = 25_000_000  # of STFT and mel together, computed at once: 8 minutes at librosa's defaults, some 0.5 GB
MAX_SAMPLES = 100_000_000  # of a waveform, returned or transformed at once: 75 minutes at librosa's rate, 0.4 GB
SURFACE_COLUMNS = 320


class MatrixEndpoints:
    """The endpoints that compute a matrix from a sound.

    Parameters
    ----------
    services : Services
    downloads : Downloads
        For .npz files.
    """

    def __init__(self, services: Services, downloads: Downloads) -> None:
        self._store, self._runs, self._downloads = services.store, services.runs, downloads

    @lists_formats
    def mel(
        self,
        sound: str,
        preset: str = "librosa",
        changes: dict | None = None,
        channel: str = MEAN,
        full_scale: float = 1.0,
        time_expansion: float = 1.0,
    ) -> tuple[dict, str]:
        """Mel spectrogram of a sound file, in dB.

        Parameters:
            sound: The file: {ACCEPTED}.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong, bats or clicks.
            changes: Parameters that differ from the preset, for example {"n_mels": 64, "hop_length": 256}.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
            full_scale: Sample value that becomes 1, for integers stored as floats, for example 32768.
            time_expansion: Factor by which a bat detector slowed the sound down, for example 10; times are the original ones.
        Returns:
            A JSON object with times_s, freqs_hz, shape (n_mels, n_frames), config and channel, and an .npz file with the
            float32 matrix as mel_db, its times_s and freqs_hz.
        """
        with self._opened("mel", sound, channel, full_scale, time_expansion) as opened:
            return self._matrix("mel_db", mel_db, mel_freqs_hz, opened, arguments.config_of(preset, changes))

    @lists_formats
    def stft(
        self,
        sound: str,
        preset: str = "librosa",
        changes: dict | None = None,
        channel: str = MEAN,
        full_scale: float = 1.0,
        time_expansion: float = 1.0,
    ) -> tuple[dict, str]:
        """Short-time Fourier transform of a sound file, in dB.

        Parameters:
            sound: The file: {ACCEPTED}.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong, bats or clicks.
            changes: Parameters that differ from the preset, for example {"n_fft": 4096, "hop_length": 256}.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
            full_scale: Sample value that becomes 1, for integers stored as floats, for example 32768.
            time_expansion: Factor by which a bat detector slowed the sound down, for example 10; times are the original ones.
        Returns:
            A JSON object with times_s, freqs_hz, shape (n_freqs, n_frames), config and channel, and an .npz file with the
            float32 matrix as stft_db, its times_s and freqs_hz.
        """
        with self._opened("stft", sound, channel, full_scale, time_expansion) as opened:
            return self._matrix("stft_db", stft_db, stft_freqs_hz, opened, arguments.config_of(preset, changes))

    @lists_formats
    def mfcc(
        self,
        sound: str,
        preset: str = "librosa",
        changes: dict | None = None,
        channel: str = MEAN,
        full_scale: float = 1.0,
        time_expansion: float = 1.0,
    ) -> tuple[dict, str]:
        """Mel-frequency cepstral coefficients of a sound file.

        Parameters:
            sound: The file: {ACCEPTED}.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong, bats or clicks.
            changes: Parameters that differ from the preset, for example {"n_mfcc": 13, "lifter": 22, "delta": 1}: number of
                coefficients, liftering (0: none), order of the time derivative (0, 1 or 2).
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
            full_scale: Sample value that becomes 1, for integers stored as floats, for example 32768.
            time_expansion: Factor by which a bat detector slowed the sound down, for example 10; times are the original ones.
        Returns:
            A JSON object with times_s, shape (n_mfcc, n_frames), config, channel and cepstrum, and an .npz file with the float32
            matrix as mfcc and its times_s.
        """
        with self._opened("mfcc", sound, channel, full_scale, time_expansion) as opened:
            cepstrum, others = arguments.cepstrum_of(changes)
            config = arguments.config_of(preset, others)
            meta, path = self._matrix("mfcc", partial(_coefficients, cepstrum), None, opened, config)
            return meta | {"cepstrum": cepstrum.to_dict()}, path

    @lists_formats
    def surface(
        self,
        sound: str,
        preset: str = "librosa",
        changes: dict | None = None,
        columns: int = SURFACE_COLUMNS,
        channel: str = MEAN,
        full_scale: float = 1.0,
        time_expansion: float = 1.0,
    ) -> tuple[dict, str]:
        """Mel spectrogram of a sound file at the resolution of the 3D view.

        Parameters:
            sound: The file: {ACCEPTED}.
            preset: The preset to start from: librosa, notebook, esc50, speech, birdsong, bats or clicks.
            changes: Parameters that differ from the preset, for example {"n_fft": 4096, "hop_length": 256}.
            columns: Maximum number of columns (time steps), 2 to 2000.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
            full_scale: Sample value that becomes 1, for integers stored as floats, for example 32768.
            time_expansion: Factor by which a bat detector slowed the sound down, for example 10; times are the original ones.
        Returns:
            A JSON object with times_s, freqs_hz, shape (rows, columns), config and channel, and an .npz file with the matrix as
            surface_db, in steps of top_db / 255 below its maximum. Each value is the maximum of the frames and bands
            that share its cell; freqs_hz are the mean centres of the rows, times_s the centres of the columns.
        """
        with self._opened("surface", sound, channel, full_scale, time_expansion) as opened:
            config = arguments.config_of(preset, changes)
            tile = Tile(0.0, opened.seconds, arguments.checked_columns(columns))
            view, freqs_hz = ViewRenderer(self._store).surface(opened, config, tile)
            levels_db = view.low_db + view.levels * ((view.high_db - view.low_db) / 255)
            edges_s = np.linspace(view.start_s, view.end_s, view.levels.shape[1] + 1)
            axes = {"times_s": (edges_s[:-1] + edges_s[1:]) / 2, "freqs_hz": freqs_hz}
            meta, path = self._written("surface_db", {"surface_db": levels_db.astype(np.float32)}, axes)
            return meta | {"config": config.to_dict(), "channel": opened.facts.channel}, path

    @lists_formats
    def waveform(
        self,
        sound: str,
        sample_rate: float | None = None,
        channel: str = MEAN,
        full_scale: float = 1.0,
        time_expansion: float = 1.0,
    ) -> tuple[dict, str]:
        """Waveform of a sound file: the mean of its channels, or one.

        Parameters:
            sound: The file: {ACCEPTED}.
            sample_rate: Sample rate in Hz; that of the file by default.
            channel: mean (of all), left, right, mid, side, or a number from 1; 2:mean of the second sound track.
            full_scale: Sample value that becomes 1, for integers stored as floats, for example 32768.
            time_expansion: Factor by which a bat detector slowed the sound down, for example 10; times are the original ones.
        Returns:
            A JSON object with sample_rate, seconds, channels, channel, peak and rms, and an .npz file with the float32 samples as
            waveform.
        """
        with self._opened("waveform", sound, channel, full_scale, time_expansion) as opened:
            rate = opened.facts.sample_rate if sample_rate is None else sample_rate
            rate = int(rate) if isinstance(rate, float) and rate.is_integer() else rate  # JSON has one kind of number
            waveform = self._waveform(opened, rate)
            path = self._downloads.save("waveform", {"waveform": waveform})
            facts = {name: getattr(opened.facts, name) for name in ("seconds", "channels", "channel", "peak", "rms", "metadata")}
            return {"sample_rate": rate} | facts, path

    def _matrix(
        self,
        quantity: str,
        transform: Callable[[np.ndarray, SpectrogramConfig], torch.Tensor],
        freqs_hz: Callable[[SpectrogramConfig], np.ndarray] | None,
        opened: Sound,
        config: SpectrogramConfig,
    ) -> tuple[dict, str]:
        values = (config.n_freqs + config.n_mels) * config.n_frames(round(opened.seconds * config.sample_rate))
        if values > MAX_VALUES:
            raise ParameterError("parameter.too_much", millions=values / 1e6, limit=MAX_VALUES / 1e6)
        matrix = transform(np.array(self._waveform(opened, config.sample_rate)), config).numpy()
        axes = {"times_s": frame_times_s(matrix.shape[1], config)} | ({"freqs_hz": freqs_hz(config)} if freqs_hz else {})
        meta, path = self._written(quantity, {quantity: matrix}, axes)
        return meta | {"config": config.to_dict(), "channel": opened.facts.channel}, path

    def _written(self, name: str, matrices: dict[str, np.ndarray], axes: dict[str, np.ndarray]) -> tuple[dict, str]:
        """Return the shape and axes of matrices, and the path of their new file."""
        (shape,) = {matrix.shape for matrix in matrices.values()}
        meta = {axis: values.tolist() for axis, values in axes.items()}
        return meta | {"shape": list(shape)}, self._downloads.save(name, matrices | axes)

    @contextmanager
    def _opened(self, action: str, path: str | None, channel: str, full_scale: object, time_expansion: object) -> Iterator[Sound]:
        """Open the file of a request; errors are in the caller's language."""
        with localized_errors(action):
            if not path:
                raise PageError("page.no_sound")
            how = arguments.reading_of(channel, full_scale, time_expansion)
            with self._runs.opened(Path(path), Path(path).name, arguments.caller(), how) as opened:
                yield opened

    def _waveform(self, opened: Sound, sample_rate: float) -> np.ndarray:
        if isinstance(sample_rate, int) and opened.seconds * sample_rate > MAX_SAMPLES:
            minutes, limit = opened.seconds / 60, MAX_SAMPLES / sample_rate / 60
            raise AudioError("audio.too_long", name=opened.name, minutes=minutes, limit_minutes=limit)
        return self._store.waveform(opened, sample_rate)


def _coefficients(cepstrum: CepstrumConfig, waveform: np.ndarray, config: SpectrogramConfig) -> torch.Tensor:
    return torch.from_numpy(shaped(mfcc(waveform, config).numpy(), cepstrum))
