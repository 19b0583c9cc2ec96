"""A visitor's language: of the page's cookie, or of the browser."""

from __future__ import annotations

from collections.abc import Mapping

from esc.ui.i18n.catalogue import LANGUAGES, language_of

LANGUAGE_COOKIE = "soundglass_language"


def visitor_language(cookies: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the language of a request: of its cookie, else of its Accept-Language header."""
    chosen = cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else language_of(headers.get("accept-language", ""))
