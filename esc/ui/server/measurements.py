"""Measurements, spectrum and WAV export of a selection."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from esc.audio.excerpt import write_excerpt_in_worker
from esc.config import SpectrogramConfig
from esc.dsp.decibels import amplitude_to_dbfs, power_to_level_db
from esc.dsp.measurements import mean_spectrum, measure_box, measure_waveform, peak_of, samples_between
from esc.dsp.spectrogram import mel_power, stft_power
from esc.ui.server.public_files import playable_url
from esc.ui.server.rendering import as_base64
from esc.ui.sessions.decoding import DECODE_SECONDS
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore

KEPT_BYTES = 10**9  # of saved selections, of all sessions; the oldest are deleted first


@dataclass(frozen=True)
class Box:
    """A selection as the page sends it: seconds, and Hz or None for all frequencies."""

    start_s: float
    end_s: float
    low_hz: float | None
    high_hz: float | None


class Measurements:
    """Measurements of one app's sounds, as JSON objects.

    Parameters
    ----------
    store : SoundStore
    """

    def __init__(self, store: SoundStore) -> None:
        self._store = store
        self._kept: deque[tuple[Path, int]] = deque()
        self._lock = threading.Lock()

    def figures(self, sound: Sound, config: SpectrogramConfig, box: Box) -> dict:
        """Return the measurements of a box in the STFT and in the waveform."""
        waveform = self._store.waveform(sound, config.sample_rate)
        figures = measure_box(waveform, config, box.start_s, box.end_s, box.low_hz, box.high_hz)
        wave = measure_waveform(sound.waveform, sound.facts.sample_rate, box.start_s, box.end_s)
        return asdict(figures) | {
            "rms_dbfs": amplitude_to_dbfs(wave.rms),
            "amplitude": wave.peak,
            "amplitude_dbfs": amplitude_to_dbfs(wave.peak),
        }

    def spectrum(self, view: str, sound: Sound, config: SpectrogramConfig, start_s: float, end_s: float) -> dict:
        """Return the mean spectrum between two times, float32 dB of "stft" bins or "mel" bands.

        `peak` is [Hz, dB], and None in silence and for mel bands.
        """
        waveform = self._store.waveform(sound, config.sample_rate)
        power = mean_spectrum(waveform, config, start_s, end_s, mel_power if view == "mel" else stft_power)
        level_db = power_to_level_db(power, config)
        peak = peak_of(power, config) if view == "stft" else None
        return {"levels": as_base64(level_db.astype(np.float32)), "rows": len(power), "peak": peak}

    def save(self, sound: Sound, box: Box) -> dict:
        """Write the box's interval of the file as a WAV; return its address and facts."""
        n_samples, rate = sound.facts.n_samples, sound.facts.sample_rate
        first, stop = samples_between(n_samples, rate, box.start_s, box.end_s)
        path = self._store.companion_path(sound, f"cut-{secrets.token_hex(8)}.wav")
        try:
            with self._store.decoder.slot():
                written = write_excerpt_in_worker(sound.original, path, first, stop, sound.name, DECODE_SECONDS)
            self._store.keep_companion(sound, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._keep(path)
        return {"url": playable_url(path), "sample_rate": rate} | asdict(written)

    def _keep(self, path: Path) -> None:
        with self._lock:
            self._kept.append((path, path.stat().st_size))
            while len(self._kept) > 1 and sum(size for _, size in self._kept) > KEPT_BYTES:
                self._kept.popleft()[0].unlink(missing_ok=True)
