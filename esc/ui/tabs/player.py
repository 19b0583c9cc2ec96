"""The sound of the session: a gr.HTML component over assets/js/player/player.js."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from esc.audio.io import ACCEPTED, MAX_BYTES, MAX_SECONDS
from esc.ui.i18n.catalogue import CLASSES_RUSSIAN, LANGUAGES, MESSAGES, class_name
from esc.ui.server.handlers import Handlers


def component(handlers: Handlers, examples: dict[str, Path], loader: dict) -> gr.HTML:
    """Return the player; its value becomes {"token": ...} once the session has begun."""
    return gr.HTML(
        html_template='<div class="sg-player"></div>',
        js_on_load=mount_script("player/player.js"),
        server_functions=handlers.functions("open_sound"),
        apply_default_css=False,
        elem_id="player",
        messages={language: dict(texts) for language, texts in MESSAGES.items()},
        class_names={language: {name: class_name(name, language) for name in CLASSES_RUSSIAN} for language in LANGUAGES},
        examples={name: {language: class_name(name, language) for language in LANGUAGES} for name in examples},
        limits={"bytes": MAX_BYTES, "seconds": MAX_SECONDS, "accepted": ACCEPTED},
        **loader,
    )


def mount_script(module: str, events: tuple[str, ...] = ()) -> str:
    """Return the script that fetches one of our modules and mounts it on its component.

    Gradio finds a component's own events by their quoted names in its script, hence the list.
    """
    return f"""
        const events = {list(events)!r};
        const base = new URL('gradio_api/file=', document.baseURI).href;
        import(base + props.assets + '/{module}')
          .then((module) => module.mount(element, {{ server, upload, watch, trigger, props, files: base }}))
          .catch((error) => console.error('{module}', error));
    """
