"""The about tab: model card, training and metrics, read from the checkpoint folder."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import gradio as gr
from gradio.i18n import I18nData

from esc.classification.checkpoint_files.config import read_config
from esc.classification.checkpoint_files.metrics import read_metrics
from esc.classification.checkpoint_files.robustness import read_robustness
from esc.errors import CheckpointError
from esc.ui.i18n.catalogue import MESSAGES, error_message
from esc.ui.i18n.language_switch import visitor_language
from esc.ui.server.requests import PageRequest
from esc.ui.tabs.base import Tab

CARD = "README.md"
MAX_CARD = 100_000  # characters
PROVENANCE = ("run", "data", "licence", "initial_weights", "epoch", "hours", "device", "seed", "train_folds", "valid_fold")
log = logging.getLogger(__name__)


class AboutModelTab(Tab):
    """The about tab: the facts of the model in the checkpoint's folder."""

    module = "tabs/about_model.js"
    elem_id = "about"
    template = '<div class="sg-about"></div>'
    functions = ("about",)

    def about(self, request: PageRequest) -> dict:
        """Return configuration and metrics of the network in use; damaged metrics are reported in `wrong`.

        Raises
        ------
        CheckpointError
            The checkpoint is missing or damaged.
        """
        language = self.session(request).language
        checkpoint = self.checkpoint_of(request)
        meta = read_config(checkpoint)
        measured, wrong = {}, None
        for name, read in (("figures", read_metrics), ("robustness", read_robustness)):
            try:
                measured[name] = read(checkpoint)
            except CheckpointError as error:
                log.warning("%s", error)
                wrong = error_message(error, language)
        return {
            "architecture": meta.architecture,
            "classes": len(meta.class_names),
            "clip_seconds": meta.input.clip_seconds,
            "spectrogram": meta.spectrogram.to_dict(),
            "calibration": meta.calibration and meta.calibration.to_dict(),
            "made": {name: meta.provenance.get(name) for name in PROVENANCE},
            "figures": measured.get("figures") or {},
            "robustness": measured.get("robustness"),
            "wrong": wrong,
        }

    def card(self, label: I18nData) -> gr.Accordion:
        """Place the model card, which is read when it is unfolded."""

        def read(request: gr.Request) -> gr.Markdown:
            texts = MESSAGES[visitor_language(request.cookies, request.headers)]
            text = card_text(self.checkpoint) or f"{texts['about_model.missing']} `python -m training card`"
            return gr.Markdown(text, visible=True)

        with gr.Accordion(label, open=False, elem_id="model-card") as accordion:
            text = gr.Markdown(latex_delimiters=[], visible=False)  # its 30 KB of scripts are loaded once it is visible
        accordion.expand(read, None, text, api_visibility="private", show_progress="hidden", queue=False)
        return accordion


def card_text(checkpoint: Path) -> str | None:
    """Return a checkpoint's model card as Markdown without HTML; None if there is none.

    The front matter is left out, and headings are two levels down. Tags are shown as text, and images become links: a card
    loads nothing.
    """
    try:
        text = (checkpoint / CARD).read_text(encoding="utf-8", errors="replace")[:MAX_CARD]
    except OSError:
        return None
    if text.startswith("---\n") and "\n---\n" in text[4:]:
        text = text[4:].split("\n---\n", 1)[1]
    parts = re.split(r"(```.*?```|`[^`\n]+`)", text.strip(), flags=re.DOTALL)  # every second one is code
    for index in range(0, len(parts), 2):
        part = re.sub(r"<(?=[\w/!?])", "&lt;", parts[index]).replace("![", "[")
        parts[index] = re.sub(r"^(?=#{1,4} )", "##", part, flags=re.MULTILINE)
    return "".join(parts)
