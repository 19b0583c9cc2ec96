"""Arguments and errors of the named endpoints."""

from __future__ import annotations

import html
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from esc.config import PRESETS, SpectrogramConfig
from esc.dsp.mfcc import PLAIN, CepstrumConfig
from esc.errors import EscError, PageError, ParameterError
from esc.ui.i18n.catalogue import error_message, language_of

log = logging.getLogger(__name__)


def config_of(preset: str, changes: dict | None) -> SpectrogramConfig:
    """Return the config of a preset with changes."""
    if preset not in PRESETS:
        raise ParameterError("parameter.choice", field="preset", value=preset, choices=", ".join(PRESETS))
    if not isinstance(changes, dict | None):
        raise ParameterError("parameter.type", field="changes", value=changes, wanted="JSON object")
    return SpectrogramConfig.from_dict(PRESETS[preset].to_dict() | (changes or {}))


def cepstrum_of(changes: dict | None) -> tuple[CepstrumConfig, dict | None]:
    """Return the cepstrum's config, and the changes for the spectrogram's config."""
    if not isinstance(changes, dict):
        return PLAIN, changes
    shaping = {name: changes[name] for name in PLAIN.to_dict() if name in changes}
    others = {name: value for name, value in changes.items() if name not in shaping}
    return CepstrumConfig.from_dict(PLAIN.to_dict() | shaping), others


def checked_question(label: object, start_s: object) -> tuple[str | None, float | None]:
    """Return the checked class and start in seconds; None: the likeliest class, the first clip."""
    if isinstance(start_s, bool) or not isinstance(start_s, int | float | None):
        raise ParameterError("parameter.type", field="start", value=start_s, wanted="number")
    if not isinstance(label, str | None):
        raise ParameterError("parameter.class", value=label)
    return label or None, None if start_s is None else float(start_s)


@contextmanager
def localized_errors(request: gr.Request | None) -> Iterator[None]:
    """Errors as messages in the caller's language; unexpected ones are logged."""
    language = language_of(request.headers.get("accept-language", "")) if request else "en"
    try:
        yield
    except EscError as error:
        log.info("endpoint: %s", error)
        raise gr.Error(html.escape(error_message(error, language), quote=False), print_exception=False) from error
    except gr.Error:  # Gradio's own message, such as no free GPU
        raise
    except Exception as error:
        log.exception("endpoint failed")
        raise gr.Error(error_message(PageError("page.failed"), language), print_exception=False) from error
