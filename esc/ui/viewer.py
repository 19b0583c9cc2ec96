"""The linked spectrogram viewer and its parameters: a gr.HTML component over assets/viewer.js."""

from __future__ import annotations

import gradio as gr

from esc.ui.player import mount_script
from esc.ui.requests import Requests, parameters_for_page


def component(requests: Requests, loader: dict) -> gr.HTML:
    """Return the mel viewer: it asks the server for what is on screen and draws the rest itself."""
    return gr.HTML(
        html_template='<div class="sg-viewer"></div>',
        js_on_load=mount_script("viewer.js"),
        server_functions=requests.functions("mel_picture", "level"),
        apply_default_css=False,
        elem_id="mel",
        parameters=parameters_for_page(),
        **loader,
    )
