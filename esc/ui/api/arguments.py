"""Arguments and errors of the named endpoints."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any, TypeVar

import gradio as gr
from gradio.context import LocalContext

from esc.audio.channels import check_channel
from esc.audio.facts import AS_IT_IS, Reading
from esc.audio.io import ACCEPTED, FULL_SCALES, TIME_EXPANSIONS
from esc.config import PRESETS, SpectrogramConfig
from esc.dsp.mfcc import PLAIN, CepstrumConfig
from esc.errors import ParameterError, check_choice, check_range
from esc.ui.i18n.catalogue import error_message
from esc.ui.i18n.language_switch import visitor_language
from esc.ui.server.error_replies import RequestLog

MAX_COLUMNS = 2000
Function = TypeVar("Function", bound=Callable)


def lists_formats(function: Function) -> Function:
    """Return an endpoint whose docstring lists the accepted formats.

    Gradio shows it to users of the API and MCP.
    """
    function.__doc__ = function.__doc__ and function.__doc__.replace("{ACCEPTED}", ACCEPTED)
    return function


def config_of(preset: str, changes: dict | None) -> SpectrogramConfig:
    """Return the config of a preset with changes."""
    check_choice("preset", preset, tuple(PRESETS))
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


def checked_number(field: str, value: object) -> float | None:
    """Return a number, or None for the default."""
    if isinstance(value, bool) or not isinstance(value, int | float | None):
        raise ParameterError("parameter.type", field=field, value=value, wanted="number")
    return value


def checked_columns(value: object) -> int:
    """Return a number of columns; JSON has one kind of number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer():
        raise ParameterError("parameter.type", field="columns", value=value, wanted="whole number")
    check_range("columns", value, 2, MAX_COLUMNS)
    return int(value)


def checked_labels(value: object) -> list[str]:
    """Return a list of a class, or an empty one for the likeliest."""
    if not isinstance(value, str | None):
        raise ParameterError("parameter.class", value=value)
    return [value] if value else []


def reading_of(channel: str, full_scale: object, time_expansion: object) -> Reading:
    """Return how a file is to be read."""
    scale: Any = AS_IT_IS.full_scale if full_scale is None else full_scale
    expansion: Any = AS_IT_IS.time_expansion if time_expansion is None else time_expansion
    check_range("full_scale", scale, *FULL_SCALES)
    check_range("time_expansion", expansion, *TIME_EXPANSIONS, Real)
    return Reading(check_channel(channel), float(scale), float(expansion))


def caller() -> object:
    """Return who shares turns with others: the caller's session."""
    request = LocalContext.request.get(None)
    return request and (request.session_hash or request.client)


@contextmanager
def localized_errors(action: str) -> Iterator[None]:
    """Errors as messages in the caller's language."""
    request = LocalContext.request.get(None)
    language = visitor_language(request.cookies, request.headers) if request else "en"
    with RequestLog(action) as record:
        try:
            yield
        except Exception as error:
            message = html.escape(error_message(record.failure(error), language), quote=False)
            raise gr.Error(message, print_exception=False) from error
