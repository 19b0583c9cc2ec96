"""The linked spectrogram viewer and its parameters: a gr.HTML component over assets/js/viewer/views.js."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import gradio as gr

from esc.ui.server.handlers import Handlers, parameters_for_page
from esc.ui.tabs.player import mount_script

# what every viewer asks the server for beside its picture
FUNCTIONS = ("level", "measure", "spectrum", "save_selection", "feature_start", "feature_state", "feature_cancel")
VIEWS = ("mel", "stft", "mfcc", "wave", "surface")
# the copy that the Python package carries; Gradio has another version of its own, which it loads late
PLOTLY = Path(find_spec("plotly").submodule_search_locations[0]) / "package_data" / "plotly.min.js"


def component(view: str, handlers: Handlers, loader: dict) -> gr.HTML:
    """Return one of `VIEWS`: it asks the server for what is on screen and draws the rest itself."""
    return gr.HTML(
        html_template='<div class="sg-viewer"></div>',
        js_on_load=mount_script("surface/surface.js" if view == "surface" else "viewer/views.js"),
        server_functions=handlers.functions(f"{view}_view", *FUNCTIONS),
        apply_default_css=False,
        elem_id=view,
        view=view,
        parameters=parameters_for_page(),
        plotly=str(PLOTLY),
        **loader,
    )
