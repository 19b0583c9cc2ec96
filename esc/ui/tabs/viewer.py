"""The linked viewers of the open sound, one a tab, each with its parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esc.ui.server.parameters import parameters_for_page
from esc.ui.server.public.files import PLOTLY
from esc.ui.tabs.base import Services, Tab

# what every viewer asks the server for, in addition to its view
FUNCTIONS = (
    "level", "measure", "spectrum", "save_selection", "feature_start", "feature_state", "feature_cancel",
    "read_labels", "label_file", "label_excerpts", "snap_edges", "export",
)  # fmt: skip
VIEWS, FIRST_VIEW = ("wave", "stft", "mel", "mfcc", "surface"), "mel"  # in the order of the tabs, and the one that opens
SECOND = ("wave_view", "stft_view", "mel_view", "mfcc_view")  # may be drawn above any view


class ViewerTab(Tab):
    """One of the `VIEWS`: it asks the server for the visible part and draws it."""

    template = '<div class="sg-viewer"></div>'

    def __init__(self, services: Services, view: str) -> None:
        super().__init__(services)
        self.elem_id, self.module = view, "surface/surface.js" if view == "surface" else "viewer/views.js"

    def props(self) -> dict[str, Any]:
        return {"view": self.elem_id, "parameters": parameters_for_page(), "plotly": PLOTLY}

    def server_functions(self) -> list[Callable[[Any], dict]]:
        own = {f"{self.elem_id}_view", *SECOND}
        return self.services.handlers.functions(*sorted(own), *FUNCTIONS)
