"""The player: opens, records and plays a sound; brings the texts of the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from esc.audio.io import ACCEPTED, MAX_BYTES, MAX_SECONDS
from esc.classification.checkpoint_files.config import read_config
from esc.errors import CheckpointError
from esc.example_sounds import example_sounds
from esc.ui.i18n.catalogue import CLASSES_RUSSIAN, LANGUAGES, MESSAGES, class_name
from esc.ui.i18n.language_switch import LANGUAGE_COOKIE
from esc.ui.server.public.files import texts_url
from esc.ui.tabs.base import Tab


class PlayerTab(Tab):
    """The player; its value becomes {"token": ...} once the session has begun."""

    module = "player/player.js"
    elem_id = "player"
    template = '<div class="sg-player"></div>'

    def props(self) -> dict[str, Any]:
        return {
            "texts": {language: texts_url(language) for language in LANGUAGES},
            "examples": list(example_sounds()),
            "language_cookie": LANGUAGE_COOKIE,
            "limits": {"bytes": MAX_BYTES, "seconds": MAX_SECONDS, "accepted": ACCEPTED},
        }

    def texts(self, language: str) -> dict[str, Any]:
        """Return the page's texts in a language, and names in all languages."""
        names = {each: {label: class_name(label, each) for label in self._labels()} for each in LANGUAGES}
        tabs = [{key: text for key, text in texts.items() if key.startswith("page.tab_")} for texts in MESSAGES.values()]
        return {
            "messages": dict(MESSAGES[language]),
            "class_names": names[language],
            "tabs": tabs,
            "all_class_names": list(names.values()),
        }

    def _labels(self) -> tuple[str, ...]:
        """Return all translated classes, then those of the checkpoint.

        Their order gives each its colour.
        """
        try:
            own = read_config(self.checkpoint).class_names
        except CheckpointError:  # the page says so where something is classified
            own = ()
        return tuple(dict.fromkeys((*CLASSES_RUSSIAN, *own)))

    def server_functions(self) -> list[Callable[[Any], dict]]:
        return self.services.handlers.functions("open_sound", "slowed_copy")
