"""The page's style sheets, joined to one.

Gradio would send its `css` inside the page and apply each rule twice, made specific by a script: 30 ms of each page load.
"""

from __future__ import annotations

import re
from functools import cache

from esc.paths import ASSETS

STYLES = (
    "base.css",
    "viewer_toolbar.css",
    "playback.css",
    "selection.css",
    "tabs/saliency.css",
    "tabs/about_model.css",
    "tabs/similar_sounds.css",
    "parameter_advice.css",
    "feature_overlays.css",
    "tabs/live.css",
    "tabs/compare.css",
    "tabs/timeline.css",
    "labels.css",
    "tabs/batch.css",
    "tabs/teach.css",
    "tabs/learn.css",
    "surface.css",
    "export.css",
    "layout.css",
)  # in the order in which they apply
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_INDENT = re.compile(r"\s*\n\s*")
_KEYFRAMES = re.compile(r"@keyframes [\w-]+ \{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")  # must not be nested
_OUTRANKING = ":root:root:root"  # Gradio's own rules


@cache
def style_sheet() -> str:
    """Return the style sheet."""
    text = "\n".join((ASSETS / "css" / name).read_text(encoding="utf-8") for name in STYLES)
    text = _COMMENT.sub("", text)
    keyframes = "\n".join(_KEYFRAMES.findall(text))
    return _INDENT.sub("\n", f"{keyframes}\n{_OUTRANKING} {{\n{_KEYFRAMES.sub('', text)}\n}}\n").lstrip()
