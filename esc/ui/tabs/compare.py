"""The comparison of two sounds, or of one with two settings, on locked axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esc.audio.io import MAX_BYTES
from esc.example_sounds import example_sounds
from esc.ui.server.parameters import parameters_for_page
from esc.ui.tabs.base import Tab


class CompareTab(Tab):
    """The compare tab: the open sound is A; its module opens B beside it."""

    module = "tabs/compare/compare.js"
    elem_id = "compare"
    template = '<div class="sg-compare"></div>'

    def props(self) -> dict[str, Any]:
        return {
            "parameters": parameters_for_page(),
            "examples": list(example_sounds()),
            "most_bytes": MAX_BYTES,
        }

    def server_functions(self) -> list[Callable[[Any], dict]]:
        return self.services.handlers.functions("open_sound", "slowed_copy", "compare_view", "compare_align", "compare_loudness")
