"""Error replies to the page: messages in its language, without a traceback."""

from __future__ import annotations

import html
import logging
import re

import gradio as gr

from esc.errors import CheckpointError, EscError, PageError
from esc.ui.i18n.catalogue import error_message

log = logging.getLogger(__name__)


def error_reply(action: str, error: Exception, language: str) -> dict:
    """Return {"error": message, "off": no network available} and log the failed action.

    Our errors and Gradio's (such as no free GPU) keep their messages. For any other the page shows a general message, and
    the traceback is logged.
    """
    if isinstance(error, gr.Error):
        log.info("%s: %s", action, error.message)
        return {"error": html.unescape(re.sub(r"<[^>]*>", "", str(error.message))), "off": False}
    if isinstance(error, EscError):
        log.info("%s: %s", action, error)
    else:
        log.error("%s failed", action, exc_info=error)
        error = PageError("page.failed")
    return {"error": error_message(error, language), "off": isinstance(error, CheckpointError)}
