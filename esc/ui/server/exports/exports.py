"""Views as files: figures, tables, arrays, librosa's code and notebooks."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import numpy as np

from esc.config import LIBROSA
from esc.dsp.mfcc import PLAIN
from esc.ui.i18n.catalogue import MESSAGES
from esc.ui.server.exports.librosa_code import ViewState, as_notebook, librosa_code
from esc.ui.server.exports.request import ExportRequest
from esc.ui.server.features import FeatureOverlays
from esc.ui.server.public.files import playable_url
from esc.ui.server.rendering import ViewRenderer
from esc.ui.server.requests import FeatureRequest
from esc.ui.sessions.fair_turns import FairTurns
from esc.ui.sessions.kept_files import KeptFiles
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.views.matrices import Matrix, as_csv, contours_csv, mfcc_matrix, spectrogram_matrix, waveform_matrix

KEPT_BYTES = 10**9  # of all sessions
SLOTS = 2  # exports computed at a time, apart from the views
WAIT_SECONDS = 60.0
CONTOUR_COLUMNS = 4_096  # frames of a contour
VARIANT_VALUES = 1_000_000  # of a feature that is a spectrogram: its columns are pooled beyond


class Exports:
    """Exports of one app's sounds.

    Parameters
    ----------
    store : SoundStore
    renderer : ViewRenderer
    features : FeatureOverlays
    """

    def __init__(self, store: SoundStore, renderer: ViewRenderer, features: FeatureOverlays) -> None:
        self._store, self._renderer, self._features = store, renderer, features
        self._turns = FairTurns(SLOTS)
        self.kept = KeptFiles(KEPT_BYTES)

    def export(self, sound: Sound, request: ExportRequest, language: str) -> dict:
        """Return a view as {"url"} of a file or as {"text"} of code.

        While its features are computed the reply is {"progress"}; the page asks again.
        """
        if request.format in ("code", "ipynb"):
            return {"text": self._code(sound, request)}
        texts = MESSAGES[language]
        found = self._computed(sound, request)
        if isinstance(found, float):
            return {"progress": found}

        def write(path: Path) -> None:
            with self._turns.turn(request.token, WAIT_SECONDS):
                self._write(path, sound, request, found, texts)

        ending = request.format.removeprefix("features_")
        path, _ = self._store.companion(sound, f"export-{secrets.token_hex(8)}.{ending}", write)
        self.kept.add(path)
        return {"url": playable_url(path)}

    def _code(self, sound: Sound, request: ExportRequest) -> str:
        config = request.config
        rate = config.sample_rate if config else sound.facts.sample_rate
        parts = librosa_code(
            ViewState(
                view=request.view,
                file_name=sound.name,
                config=config or LIBROSA,
                n_samples=len(self._store.lazy_waveform(sound, rate)),
                seconds=sound.seconds,
                start_s=request.start,
                end_s=request.end,
                cepstrum=request.cepstrum or PLAIN,
                features=tuple(request.features),
                source=request.source,
                channel=sound.facts.channel,
                full_scale=sound.facts.full_scale,
                time_expansion=sound.facts.time_expansion,
                colours=request.figure.colours,
            )
        )
        if request.format == "ipynb":
            return json.dumps(as_notebook(parts, sound.name), ensure_ascii=False, indent=1)
        return "\n\n".join(parts) + "\n"

    def _computed(self, sound: Sound, request: ExportRequest) -> dict[str, dict] | float:
        """Return the arrays of the features, or their least progress."""
        found, progress = {}, []
        figure = request.format in ("png", "svg")
        for feature in request.features:
            assert request.config is not None
            variant = feature == request.variant
            if variant and request.format == "features_csv":
                continue
            rows = request.config.n_mels if request.source == "mel" else request.config.n_freqs
            columns = min(CONTOUR_COLUMNS, max(1, VARIANT_VALUES // rows)) if variant else CONTOUR_COLUMNS
            fixed = self._renderer.fixed(sound, request.config, request.source)
            columns = min(columns, request.figure.columns) if figure else columns
            asked = FeatureRequest.model_construct(
                token=request.token,
                sound=request.sound,
                start=request.start,
                end=request.end,
                columns=columns,
                config=fixed,
                view=request.source,
                feature=feature,
            )
            result = self._features.exact(sound, asked)
            if isinstance(result, float):
                progress.append(result)
            else:
                found[feature] = _between(result, request) if feature == "onsets" else result
        return min(progress) if progress else found

    def _write(self, path: Path, sound: Sound, request: ExportRequest, found: dict[str, dict], texts: Any) -> None:
        contours = {feature: found[feature] for feature in request.contours}
        if request.format in ("png", "svg"):
            from esc.ui.server.exports.figures import draw  # Matplotlib loads in a second, and few visitors need it

            draw(self._renderer, sound, request, found, texts).savefig(path, format=request.format)
        elif request.format == "features_csv":
            path.write_text(contours_csv(contours), encoding="utf-8")
        else:
            matrix = self._variant(found[request.variant]) if request.variant else self._matrix(sound, request)
            if request.format == "csv":
                path.write_text(as_csv(matrix), encoding="utf-8")
            elif request.format == "npy":
                np.save(path, matrix.values)
            else:
                overlays = {f"{name}_{key}": values for name, arrays in contours.items() for key, values in arrays.items()}
                np.savez_compressed(path, **matrix.arrays(), **overlays)  # type: ignore[arg-type]

    def _matrix(self, sound: Sound, request: ExportRequest) -> Matrix:
        config, times = request.config, (request.start, request.end)
        if config is None or request.view == "wave":
            return waveform_matrix(sound.waveform, sound.facts.sample_rate, *times)
        waveform = self._store.waveform(sound, config.sample_rate)
        source = "mel" if request.view == "mfcc" else request.source

        def long_peak() -> float:
            return 10 ** (self._renderer.peak_db(sound, config.replace(db_ref=1.0), source) / 10)

        if request.view == "mfcc":
            return mfcc_matrix(waveform, config, *times, request.cepstrum or PLAIN, long_peak)
        return spectrogram_matrix(source, waveform, config, *times, long_peak)

    @staticmethod
    def _variant(result: dict) -> Matrix:
        """Return a feature that is a spectrogram as a matrix."""
        values, bounds_hz = result["values"], result["bounds_hz"]
        edges_s = np.linspace(result["start_s"], result["end_s"], values.shape[1] + 1)
        return Matrix(values, (edges_s[:-1] + edges_s[1:]) / 2, (bounds_hz[:-1] + bounds_hz[1:]) / 2)


def _between(onsets: dict, request: ExportRequest) -> dict:
    times_s = onsets["times_s"]
    return {"times_s": times_s[(times_s >= request.start) & (times_s <= request.end)]}
