"""Every word on the screen, in English and in Russian, and what errors say in Russian.

The browser's language chooses: static words travel to the page in both languages, messages raised on the server take
the language that the session came with (its Accept-Language header). The words themselves stand in `esc.ui.i18n`.
"""

from __future__ import annotations

from types import MappingProxyType

from esc.errors import EscError
from esc.ui.i18n import (
    about_model,
    batch,
    classify,
    features,
    live,
    measurements,
    page,
    parameter_advice,
    parameters,
    playback,
    player,
    saliency,
    similar_sounds,
    surface,
    timeline,
    viewer,
    viewer_toolbar,
)
from esc.ui.i18n.class_names import CLASSES_RUSSIAN
from esc.ui.i18n.errors import ERRORS_RUSSIAN, VALUES_RUSSIAN

LANGUAGES = ("en", "ru")
PARTS = (
    page,
    player,
    playback,
    viewer,
    viewer_toolbar,
    measurements,
    surface,
    parameters,
    parameter_advice,
    batch,
    features,
    classify,
    timeline,
    saliency,
    about_model,
    similar_sounds,
    live,
)

_BOTH = MappingProxyType({key: texts for part in PARTS for key, texts in part.WORDS.items()})
ENGLISH = MappingProxyType({key: english for key, (english, _) in _BOTH.items()})
RUSSIAN = MappingProxyType({key: russian for key, (_, russian) in _BOTH.items()})
WORDS = MappingProxyType({"en": ENGLISH, "ru": RUSSIAN})


def language_of(accept_language: str) -> str:
    """Return "ru" or "en", whichever a browser's Accept-Language header prefers."""
    first = accept_language.split(",")[0].strip().lower()
    return "ru" if first.startswith("ru") else "en"


def say(error: EscError, language: str) -> str:
    """Return an error's sentence in a language."""
    if language != "ru":
        return str(error)
    values = {name: VALUES_RUSSIAN.get(value, value) for name, value in error.values.items()}
    return ERRORS_RUSSIAN[error.key].format(**values)


def class_name(label: str, language: str) -> str:
    """Return a class's name for people: the data set's name with spaces, or its translation."""
    plain = label.replace("_", " ")
    return CLASSES_RUSSIAN.get(label, plain) if language == "ru" else plain
