"""Measurements, spectrum and WAV export of a selection."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from pathlib import Path

import numpy as np

from esc.audio.excerpt import Excerpt, write_excerpt_in_worker
from esc.dsp.decibels import amplitude_to_dbfs, power_to_level_db
from esc.dsp.measurements import mean_spectrum, measure_box, measure_waveform, peak_of, samples_between
from esc.dsp.spectrogram import mel_power, stft_power
from esc.ui.server.public.files import playable_url
from esc.ui.server.rendering import as_base64
from esc.ui.server.requests import MeasureRequest, SpectrumRequest
from esc.ui.sessions.decoding import DECODE_SECONDS
from esc.ui.sessions.kept_files import KeptFiles
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore

KEPT_BYTES = 10**9  # of saved selections, of all sessions


class Measurements:
    """Measurements of one app's sounds, as JSON objects.

    Parameters
    ----------
    store : SoundStore
    """

    def __init__(self, store: SoundStore) -> None:
        self._store = store
        self.kept = KeptFiles(KEPT_BYTES)

    def figures(self, sound: Sound, box: MeasureRequest) -> dict:
        """Return the measurements of a box in the STFT and in the waveform."""
        waveform = self._store.waveform(sound, box.config.sample_rate)
        figures = measure_box(waveform, box.config, box.start, box.end, box.low_hz, box.high_hz)
        wave = measure_waveform(sound.waveform, sound.facts.sample_rate, box.start, box.end)
        return asdict(figures) | {
            "rms_dbfs": amplitude_to_dbfs(wave.rms),
            "amplitude": wave.peak,
            "amplitude_dbfs": amplitude_to_dbfs(wave.peak),
        }

    def spectrum(self, sound: Sound, box: SpectrumRequest) -> dict:
        """Return the mean spectrum between two times, float32 dB of "stft" bins or "mel" bands.

        `peak` is [Hz, dB], and None in silence and for mel bands.
        """
        config = box.config
        waveform = self._store.waveform(sound, config.sample_rate)
        power = mean_spectrum(waveform, config, box.start, box.end, mel_power if box.view == "mel" else stft_power)
        level_db = power_to_level_db(power, config)
        peak = peak_of(power, config) if box.view == "stft" else None
        return {"levels": as_base64(level_db.astype(np.float32)), "rows": len(power), "peak": peak}

    def save(self, sound: Sound, start_s: float, end_s: float, owner: str) -> dict:
        """Write an interval of the open channels as a WAV; return its address and facts."""
        n_samples, rate = sound.facts.n_samples, sound.facts.sample_rate
        first, stop = samples_between(n_samples, rate, start_s, end_s)

        def write(path: Path) -> Excerpt:
            with self._store.decoder.slot(owner):
                return write_excerpt_in_worker(sound.original, path, first, stop, sound.name, DECODE_SECONDS, sound.facts.reading)

        path, written = self._store.companion(sound, f"cut-{secrets.token_hex(8)}.wav", write)
        self.kept.add(path)
        return {"url": playable_url(path), "sample_rate": rate} | asdict(written)
