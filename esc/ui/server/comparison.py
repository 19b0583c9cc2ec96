"""Comparisons of two open sounds: levels on one grid, difference, alignment, loudness."""

from __future__ import annotations

from typing import Any

import numpy as np

from esc.config import SpectrogramConfig
from esc.dsp.alignment import align
from esc.dsp.loudness import loudness_lufs
from esc.dsp.mfcc import CepstrumConfig
from esc.dsp.tiles import Tile
from esc.ui.server.answer_cache import AnswerCache, packed_bytes
from esc.ui.server.rendering import ViewRenderer, as_base64
from esc.ui.server.requests import CompareRequest
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.views.comparison import Compared, Comparison, compare

KEPT_BYTES, KEPT_FACTS = 32 * 2**20, 512
_STEPS = 254  # between the levels 1 and 255; 0 is where there is nothing


class Comparisons:
    """Comparisons of one app's sounds, as JSON objects.

    Parameters
    ----------
    store : SoundStore
    renderer : ViewRenderer
    """

    def __init__(self, store: SoundStore, renderer: ViewRenderer) -> None:
        self._store, self._renderer = store, renderer
        self._views: AnswerCache[dict] = AnswerCache(KEPT_BYTES, packed_bytes)
        self._facts: AnswerCache[Any] = AnswerCache(KEPT_FACTS)

    def view(self, a: Sound, b: Sound, request: CompareRequest) -> dict:
        """Return levels of A, B and A minus B in base64.

        They are 1 to 255 over their range, and 0 where there is nothing. A and B share one range, from `low_db` (level 0) to
        `high_db`; that of the difference is `difference_low` to `difference_high`, with 0 in the middle. `mean` and `rms`
        are those of the difference in the tile, None without an overlap. Both have the reference of A's config.
        """
        key = request.model_copy(update={"token": ""})
        return self._views.get(key, lambda: self._view(a, b, request))

    def align(self, a: Sound, b: Sound, sample_rate: int) -> dict:
        """Return the `offset` at which B is most like A, and the `correlation`."""

        def compute() -> dict:
            waveform_a, waveform_b = (self._store.lazy_waveform(sound, sample_rate) for sound in (a, b))
            found = align(waveform_a, waveform_b, sample_rate)
            return {"offset": found.offset_s, "correlation": found.correlation}

        return self._facts.get(("align", a.id, b.id, sample_rate), compute)

    def loudness(self, sound: Sound) -> float | None:
        """Return a sound's loudness in LUFS."""
        return self._facts.get(("loudness", sound.id), lambda: loudness_lufs(sound.waveform, sound.facts.sample_rate))

    def _view(self, a: Sound, b: Sound, request: CompareRequest) -> dict:
        view, largest = request.view, request.config.db_ref == "max"  # of both: one of them has 0 dB
        reference = 1.0 if largest else request.config.db_ref
        side_a = self._side(view, a, request.config.replace(db_ref=reference), request.cepstrum)
        side_b = self._side(view, b, request.other_config.replace(db_ref=reference), request.other_cepstrum)
        sides = [side_a, side_b]
        compared = compare(view, side_a, side_b, request.offset, request.tile)
        low, high, unit = compared.floor_db, max(side.peak_db for side in sides), request.range_db
        if view == "mfcc":
            ranges = [self._mfcc_range(sound, side) for sound, side in zip((a, b), sides, strict=True)]
            low, high = min(least for least, _ in ranges), max(most for _, most in ranges)
            unit = max(1e-6, (high - low) / 2)
        shift = high if largest and view != "mfcc" else 0.0
        return (
            {
                "a": _levels(compared.a, low, high),
                "b": _levels(compared.b, low, high),
                "difference": _levels(compared.difference, -unit, unit),
                "low_db": _of_level_0(low, high) - shift,
                "high_db": high - shift,
                "difference_low": _of_level_0(-unit, unit),
                "difference_high": unit,
            }
            | _axes(view, compared, sides)
            | _summary(compared.difference)
        )

    def _mfcc_range(self, sound: Sound, side: Compared) -> tuple[float, float]:
        """Return the range of the whole sound's coefficients, by which its own view is coloured."""
        one_frame, _ = self._renderer.coefficients(sound, side.config, Tile(0.0, 0.0, 1), side.cepstrum)
        return one_frame.low_db, one_frame.high_db

    def _side(self, view: str, sound: Sound, config: SpectrogramConfig, cepstrum: CepstrumConfig) -> Compared:
        peak_db = self._renderer.peak_db(sound, config, "stft" if view == "stft" else "mel")
        return Compared(self._store.lazy_waveform(sound, config.sample_rate), config, peak_db, cepstrum)


def _levels(values: np.ndarray, low: float, high: float) -> str:
    """Return values as levels 1 to 255, and 0 for NaN."""
    shares = np.clip((values - low) / max(high - low, 1e-9), 0.0, 1.0)
    return as_base64(np.where(np.isnan(shares), 0, np.rint(1 + _STEPS * np.nan_to_num(shares))).astype(np.uint8))


def _of_level_0(low: float, high: float) -> float:
    """Return the value of level 0, where 1 is `low` and 255 `high`."""
    return low - (high - low) / _STEPS


def _axes(view: str, compared: Comparison, sides: list[Compared]) -> dict:
    configs = [side.config for side in sides]
    nyquists = [config.sample_rate / 2 for config in configs]
    rows, columns = compared.a.shape
    return {
        "rows": rows,
        "columns": columns,
        "start": compared.start_s,
        "end": compared.end_s,
        "bounds_hz": compared.bounds.round(3).tolist(),
        "low_hz": min(config.fmin for config in configs) if view == "mel" else 0.0,
        "high_hz": max([config.fmax for config in configs] if view == "mel" else nyquists),
        "mel_scale": configs[0].mel_scale,
    }


def _summary(difference: np.ndarray) -> dict:
    values = difference[~np.isnan(difference)].astype(np.float64)
    if not values.size:
        return {"mean": None, "rms": None}
    return {"mean": float(values.mean()), "rms": float(np.sqrt(np.square(values).mean()))}
