"""Replies to failed requests, and one line in the log for each request."""

from __future__ import annotations

import html
import logging
import math
import re
import secrets
import time
from typing import Any

import gradio as gr

from esc.audio.sandbox import is_disk_full
from esc.errors import CheckpointError, EscError, PageError, ParameterError
from esc.ui.i18n.catalogue import error_message

log = logging.getLogger(__name__)


class RequestLog:
    """The line of a request: id, action, outcome and duration.

    Neither content nor names of files are logged.

    Parameters
    ----------
    action : str
        What was requested, by a name of ours.
    """

    def __init__(self, action: str) -> None:
        self._action, self._id, self._outcome = action, secrets.token_hex(4), "ok"
        self._began = time.monotonic()

    def __enter__(self) -> RequestLog:
        return self

    def __exit__(self, *error: object) -> None:
        if isinstance(error[1], GeneratorExit) and self._outcome == "ok":
            self._outcome = "cancelled"
        log.info("%s %s: %s in %.3f s", self._id, self._action, self._outcome, time.monotonic() - self._began)

    def failure(self, error: Exception) -> EscError:
        """Return an error as one of ours; an unexpected one's traceback is logged."""
        if isinstance(error, gr.Error):  # such as no free GPU
            text = html.unescape(re.sub(r"<[^>]*>", "", str(error.message)))
            error = PageError("page.gradio", reason=text.rstrip("."))
        elif is_disk_full(error):
            error = PageError("page.disk_full")
        elif not isinstance(error, EscError):
            log.error("%s %s failed", self._id, self._action, exc_info=error)
            error = PageError("page.failed")
        self._outcome = error.key
        return error


def error_reply(error: EscError, language: str) -> dict[str, Any]:
    """Return {"error": message, "key": its key, "off": no network available}."""
    return {"error": error_message(error, language), "key": error.key, "off": isinstance(error, CheckpointError)}


def fix(error: EscError) -> dict[str, Any] | None:
    """Return the change of a parameter that fixes an error, or None."""
    if not isinstance(error, ParameterError):
        return None
    values: dict[str, Any] = error.values
    if error.key == "parameter.window":
        return {"win_length": values["n_fft"]}
    if error.key == "parameter.nyquist":
        return {"fmax": values["nyquist"]}
    if error.key == "parameter.delta":
        return {"delta": 0}
    if error.key == "parameter.range" and isinstance(values["value"], int | float) and math.isfinite(values["value"]):
        return {values["field"]: min(max(values["value"], values["low"]), values["high"])}
    return None


def fields(error: EscError) -> list[str]:
    """Return the names of the parameters that an error concerns."""
    concerned = {
        "parameter.window": ["win_length"],
        "parameter.nyquist": ["fmax"],
        "parameter.band": ["fmin", "fmax"],
        "parameter.delta": ["delta"],
    }
    return concerned.get(error.key, [str(error.values["field"])] if "field" in error.values else [])
