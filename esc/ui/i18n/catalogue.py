"""Texts, error messages and class names of the page in English and Russian.

The browser's language selects the static texts, which the page fetches in that language; messages raised on the server
take the language of the session (its Accept-Language header). The texts are in the JSON files beside this module.
"""

from __future__ import annotations

import json
import math
import string
from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from esc.errors import MESSAGES as ERRORS
from esc.errors import AudioError, EscError

LANGUAGES = ("en", "ru")


def _read(name: str) -> dict:
    return json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))


def _messages(language: str) -> MappingProxyType[str, str]:
    """Return the texts of a language by "module.key"."""
    modules = _read(language).items()
    return MappingProxyType({f"{module}.{key}": text for module, texts in modules for key, text in texts.items()})


MESSAGES = MappingProxyType({language: _messages(language) for language in LANGUAGES})
ENGLISH, RUSSIAN = (MESSAGES[language] for language in LANGUAGES)
CLASSES_RUSSIAN = MappingProxyType(_read("class_names.ru"))
ERRORS_RUSSIAN = MappingProxyType(_read("errors.ru")["messages"])
_VALUES_RUSSIAN = MappingProxyType(_read("errors.ru")["values"])  # words that an error's values may be


def language_of(accept_language: str) -> str:
    """Return the supported language that an Accept-Language header prefers, English by default."""
    qualities = dict.fromkeys(LANGUAGES, 0.0)
    for item in accept_language.lower().replace(" ", "").split(","):
        tag, _, quality = item.partition(";q=")
        language = tag.split("-")[0]
        if language in qualities:
            qualities[language] = max(qualities[language], _quality(quality))
    return max(LANGUAGES, key=qualities.__getitem__)


def _quality(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0.0


class _Numbers(string.Formatter):
    """Formatter that writes numbers as a language does: 11,025.5 or 11 025,5."""

    def __init__(self, thousands: str, decimal: str) -> None:
        self._signs = str.maketrans({",": thousands, ".": decimal})

    def format_field(self, value: Any, spec: str) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return super().format_field(value, spec)
        if not spec and value == round(value):
            value = round(value)
        return super().format_field(value, spec.replace(".", ",.") if spec else ",").translate(self._signs)


def error_message(error: EscError, language: str) -> str:
    """Return an error's message in a language."""
    if language != "ru":
        return _Numbers(",", ".").format(ERRORS[error.key], **error.values)
    values = {name: _VALUES_RUSSIAN.get(value, value) for name, value in error.values.items()}
    return _Numbers("\u00a0", ",").format(ERRORS_RUSSIAN[error.key], **values)


def note_messages(keys: Iterable[str], language: str) -> list[str]:
    """Return the messages of a file's `AudioFacts.notes`."""
    return [error_message(AudioError(f"note.{key}"), language) for key in keys]


def class_name(label: str, language: str) -> str:
    """Return a class's display name: its label with spaces, or the translation."""
    plain = label.replace("_", " ")
    return CLASSES_RUSSIAN.get(label, plain) if language == "ru" else plain
