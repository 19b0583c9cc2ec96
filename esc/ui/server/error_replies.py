"""Error replies to the page: messages in its language, without a traceback."""

from __future__ import annotations

import html
import logging
import re

import gradio as gr

from esc.errors import CheckpointError, EscError, PageError
from esc.ui.i18n.catalogue import error_message

log = logging.getLogger(__name__)


def error_reply(what: str, error: Exception, language: str) -> dict:
    """Return {"error": sentence, "off": whether no network can be had} and log the failure of `what`.

    Errors of ours speak for themselves, and so do Gradio's: that no GPU is to be lent at the moment. Of any other the page
    learns that something failed; the trace stays in the log.
    """
    if isinstance(error, gr.Error):
        log.info("%s: %s", what, error.message)
        return {"error": html.unescape(re.sub(r"<[^>]*>", "", str(error.message))), "off": False}
    if isinstance(error, EscError):
        log.info("%s: %s", what, error)
    else:
        log.error("%s failed", what, exc_info=error)
        error = PageError("page.failed")
    return {"error": error_message(error, language), "off": isinstance(error, CheckpointError)}
