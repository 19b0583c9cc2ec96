"""About the model: its card, how it was made and what was measured, read from the checkpoint's folder when it is asked for."""

from __future__ import annotations

import logging
from pathlib import Path

import gradio as gr

from esc.classification.checkpoint import read_config
from esc.classification.metrics_file import read_metrics
from esc.errors import CheckpointError
from esc.ui.i18n.catalogue import error_message
from esc.ui.server.handlers import Handlers
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.tabs.player import mount_script

CARD = "README.md"
MAX_CARD = 100_000  # characters
TOLD = ("run", "data", "licence", "initial_weights", "epoch", "hours", "device", "seed", "train_folds", "valid_fold")
log = logging.getLogger(__name__)


class About:
    """What one app tells of its checkpoint.

    Parameters
    ----------
    store : SoundStore
    checkpoint : path
        Folder of the checkpoint.
    """

    def __init__(self, store: SoundStore, checkpoint: Path) -> None:
        self._store, self._checkpoint = store, checkpoint

    def component(self, handlers: Handlers, loader: dict) -> gr.HTML:
        """Return the tab's content; it asks for the rest once it is on screen."""
        return gr.HTML(
            html_template='<div class="sg-about"></div>',
            js_on_load=mount_script("tabs/about_model.js"),
            server_functions=handlers.wrap(self.about),
            apply_default_css=False,
            elem_id="about",
            **loader,
        )

    def about(self, request: dict) -> dict:
        """Return what is known of the model; broken figures are told beside the rest.

        Raises
        ------
        CheckpointError
            The checkpoint is missing or damaged.
        """
        language = self._store.session(request.get("token")).language
        meta = read_config(self._checkpoint)
        figures, wrong = None, None
        try:
            figures = read_metrics(self._checkpoint)
        except CheckpointError as error:
            log.warning("%s", error)
            wrong = error_message(error, language)
        return {
            "architecture": meta.architecture,
            "classes": len(meta.class_names),
            "clip_seconds": meta.input.clip_seconds,
            "spectrogram": meta.spectrogram.to_dict(),
            "calibration": meta.calibration and meta.calibration.to_dict(),
            "made": {name: meta.provenance.get(name) for name in TOLD},
            "figures": figures or {},
            "wrong": wrong,
            "card": card_text(self._checkpoint),
        }


def card_text(checkpoint: Path) -> str | None:
    """Return the model card beside a checkpoint without its front matter; None where there is none."""
    try:
        text = (checkpoint / CARD).read_text(encoding="utf-8", errors="replace")[:MAX_CARD]
    except OSError:
        return None
    if text.startswith("---\n") and "\n---\n" in text[4:]:
        text = text[4:].split("\n---\n", 1)[1]
    return text.strip()
