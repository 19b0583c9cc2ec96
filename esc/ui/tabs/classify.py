"""The classify tab: what the network says of the open sound, and what it was given."""

from __future__ import annotations

import math
from pathlib import Path

import gradio as gr

from esc.audio.waveform import SILENCE_PEAK
from esc.classification.classifier import Prediction
from esc.ui.inference.inference import classifier, predict
from esc.ui.server.error_replies import error_reply
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.tabs.player import mount_script

_SAME_LENGTH_S = 0.005


def component(loader: dict) -> gr.HTML:
    """Return the tab's content; its "classify" event brings {"token", "sound", "turn"} and is answered in its value."""
    return gr.HTML(
        html_template='<div class="sg-classify" aria-live="polite"></div>',
        js_on_load=mount_script("tabs/classify.js", events=("classify",)),
        apply_default_css=False,
        elem_id="classify",
        **loader,
    )


def wire(tab: gr.HTML, store: SoundStore, checkpoint: Path) -> None:
    """Let the tab's questions be answered, one at a time with whatever else asks the network."""

    def classify_event(event: gr.EventData) -> dict:
        return answer(store, checkpoint, event._data)

    tab.classify(
        classify_event,
        None,
        tab,
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="always_last",
        concurrency_limit=1,
        concurrency_id="network",
    )


def answer(store: SoundStore, checkpoint: Path, question: object) -> dict:
    """Return what the tab draws for a question of the page, or {"error": sentence}, with its `turn`; nothing is raised.

    Parameters
    ----------
    store : SoundStore
    checkpoint : path
        Folder of the checkpoint.
    question : dict
        {"token", "sound", "turn"}, from the browser and therefore not trusted.
    """
    question = question if isinstance(question, dict) else {}
    language, about = "en", {"sound": question.get("sound"), "turn": question.get("turn")}
    try:
        language = store.session(question.get("token")).language
        sound = store.sound(question["token"], question.get("sound"))
        prediction = predict(checkpoint, sound.waveform, sound.facts.sample_rate)
        return about | _drawable(checkpoint, sound, prediction)
    except Exception as error:
        return about | error_reply("classify", error, language)


def _drawable(checkpoint: Path, sound: Sound, prediction: Prediction) -> dict:
    verdict = verdict_for_page(checkpoint, prediction)
    missing = verdict["clip_seconds"] - sound.seconds
    fit = "whole" if abs(missing) < _SAME_LENGTH_S else "padded" if missing > 0 else "cut"
    return {"sound": sound.id, "fit": fit} | verdict


def verdict_for_page(checkpoint: Path, prediction: Prediction) -> dict:
    """Return a prediction and what its numbers mean, as the page draws them."""
    meta = classifier(checkpoint).checkpoint
    return {
        "verdict": prediction.verdict,
        "top": [list(pair) for pair in prediction.top],
        "calibrated": meta.calibration is not None,
        "count": len(meta.class_names),
        "limit_db": round(20 * math.log10(SILENCE_PEAK)),
        "start": prediction.start_s,
        "clip_seconds": meta.input.clip_seconds,
    }
