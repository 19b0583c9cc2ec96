"""What speaks for a class: the picture that the network was given, with heat maps over it, for one clip of the open sound."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import soundfile

from esc.classification.checkpoint import Checkpoint
from esc.classification.first_clip import Clip
from esc.classification.metrics_file import read_metrics
from esc.classification.saliency import Explanation, cell_size, explain
from esc.errors import CheckpointError, PageError, ParameterError
from esc.ui.inference.inference import classifier
from esc.ui.inference.zero_gpu import on_gpu
from esc.ui.server.error_replies import error_reply
from esc.ui.server.rendering import as_base64
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.tabs.player import mount_script

MAX_LABELS = 8
LIKELIEST = 5  # classes whose maps are sent unasked
_SAME_LENGTH_S = 0.005
log = logging.getLogger(__name__)


def add(store: SoundStore, checkpoint: Path, loader: dict) -> gr.HTML:
    """Place the panel; its "explain" event brings {"token", "sound", "start", "labels"} and is answered in its value."""
    component = gr.HTML(
        html_template='<section class="sg-why" hidden></section>',
        js_on_load=mount_script("tabs/saliency.js", events=("explain",)),
        apply_default_css=False,
        elem_id="why",
        **loader,
    )

    def explain_event(event: gr.EventData) -> dict:
        return answer(store, checkpoint, event._data)

    component.explain(
        explain_event,
        None,
        component,
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="always_last",
        concurrency_limit=1,  # a place of its own: what speaks for a class must not wait for an hour of timeline
        concurrency_id="why",
    )
    return component


def answer(store: SoundStore, checkpoint: Path, question: object) -> dict:
    """Return what the panel draws for a question of the page, or {"error": sentence}; nothing is raised."""
    question = question if isinstance(question, dict) else {}
    language, asked = "en", question.get("sound")
    try:
        language = store.session(question.get("token")).language
        sound = store.sound(question["token"], asked)
        start_s, labels = _start(question), _labels(question)
        explanation = explained(checkpoint, sound.waveform, sound.facts.sample_rate, start_s, labels)
        return _drawable(store, checkpoint, sound, explanation) | {"asked": start_s}
    except Exception as error:
        return {"sound": asked} | error_reply("explain", error, language)


def explained(path: Path, waveform: np.ndarray, sample_rate: int, start_s: float | None, labels: Sequence[str]) -> Explanation:
    """Return what speaks for classes by the checkpoint in `path`, as `esc.classification.saliency.explain` does.

    The likeliest `LIKELIEST` are looked at in any case.
    """
    listener = classifier(path)
    if start_s is None:
        clip = listener.first_clip(waveform, sample_rate)
    else:
        begins_s = listener.clip_start(waveform.shape[-1], sample_rate, start_s)
        clip = Clip(begins_s, listener.clip(waveform, sample_rate, begins_s))
    # no more than the clip crosses the border to a borrowed GPU
    prediction, probabilities, maps = _explained(path, clip.samples, tuple(labels))
    return Explanation(replace(prediction, start_s=clip.start_s), probabilities, maps)


@on_gpu
def _explained(path: Path, clip: np.ndarray, labels: tuple[str, ...]) -> tuple:
    listener = classifier(path)
    found = explain(listener, clip, listener.checkpoint.spectrogram.sample_rate, labels=labels, likeliest=LIKELIEST)
    return found.prediction, found.probabilities, found.maps


def _drawable(store: SoundStore, checkpoint: Path, sound: Sound, explanation: Explanation) -> dict:
    meta, prediction = classifier(checkpoint).checkpoint, explanation.prediction
    common = {"sound": sound.id, "start": prediction.start_s, "verdict": prediction.verdict}
    if not explanation.maps:
        return common | {"maps": {}}
    spectrogram, spectrogram_db = meta.spectrogram, prediction.spectrogram_db
    share = (spectrogram_db - spectrogram_db.max()) / spectrogram.top_db + 1.0
    clip_path = store.companion_path(sound, "clip.flac")
    soundfile.write(clip_path, prediction.clip.clip(-1, 1), spectrogram.sample_rate)
    store.keep_companion(sound, clip_path)
    missing = meta.input.clip_seconds - sound.seconds
    bands, frames = cell_size()
    return common | {
        "top": [list(pair) for pair in prediction.top[:LIKELIEST]],
        "probabilities": explanation.probabilities,
        "levels": as_base64(_bytes(share.clip(0, 1))),
        "maps": {label: as_base64(_bytes(heat)) for label, heat in explanation.maps.items()},
        "rows": spectrogram_db.shape[0],
        "columns": spectrogram_db.shape[1],
        "hop_s": spectrogram.hop_length / spectrogram.sample_rate,
        "low_hz": spectrogram.fmin,
        "high_hz": spectrogram.fmax,
        "mel_scale": spectrogram.mel_scale,
        "before_s": clip_offset_s(meta, len(sound.waveform), sound.facts.sample_rate),
        "clip": str(clip_path),
        "clip_seconds": meta.input.clip_seconds,
        "fit": "whole" if abs(missing) < _SAME_LENGTH_S else "padded" if missing > 0 else "cut",
        "cell_s": frames * spectrogram.hop_length / spectrogram.sample_rate,
        "cell_bands": bands,
        "deletion": _deletion(checkpoint),
    }


def clip_offset_s(meta: Checkpoint, n_samples: int, sample_rate: int) -> float:
    """Return how many seconds were mirrored before the start of a sound that is shorter than a clip; else 0."""
    rate = meta.spectrogram.sample_rate
    missing = round(meta.input.clip_seconds * rate) - math.ceil(n_samples * rate / sample_rate)
    return max(0, -(-missing // 2)) / rate


def _bytes(shares: np.ndarray) -> np.ndarray:
    """Return shares between 0 and 1 as whole numbers up to 255."""
    return np.rint(shares * 255).astype(np.uint8)


def _deletion(checkpoint: Path) -> dict | None:
    """Return what the deletion test found, where it was made; the About tab tells of a broken file."""
    try:
        return (read_metrics(checkpoint) or {}).get("deletion")
    except CheckpointError as error:
        log.warning("%s", error)
        return None


def check_question(label: object, start_s: object) -> tuple[str | None, float | None]:
    """Return a class, or None for the likeliest, and a start in seconds, or None for the opening; else raise ParameterError."""
    if isinstance(start_s, bool) or not isinstance(start_s, int | float | None):
        raise ParameterError("parameter.type", field="start", value=start_s, wanted="number")
    if not isinstance(label, str | None):
        raise ParameterError("parameter.class", value=label)
    return label or None, None if start_s is None else float(start_s)


def _start(question: dict) -> float:
    start_s = question.get("start", 0.0)
    if isinstance(start_s, bool) or not isinstance(start_s, int | float):
        raise PageError("page.request", reason="start")
    return float(start_s)


def _labels(question: dict) -> list[str]:
    labels = question.get("labels", [])
    if not isinstance(labels, list) or len(labels) > MAX_LABELS or not all(isinstance(label, str) for label in labels):
        raise PageError("page.request", reason="labels")
    return labels
