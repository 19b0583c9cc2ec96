"""Errors: messages, pickling, and their display by page and command line."""

from __future__ import annotations

import os
import pickle
import re
import string

import gradio as gr
import pytest

import esc.cli.main
from esc.cli.console import describe_os_error
from esc.errors import MESSAGES, AudioError, CheckpointError, DataError, EscError, PageError, ParameterError
from esc.ui.server.error_replies import RequestLog, error_reply


def named_in(sentence: str) -> dict[str, str]:
    """Return the fields of a sentence with their format codes."""
    return {name: code for _, name, code, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", MESSAGES)
def test_message_format_and_pickling(key):
    values = {name: 12.5 if code.endswith("f") else f"<{name}>" for name, code in named_in(MESSAGES[key]).items()}
    error = AudioError(key, **values)
    assert "{" not in str(error)
    for name, value in values.items():
        assert (format(value, named_in(MESSAGES[key])[name]) if isinstance(value, float) else value) in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is AudioError
    assert (copy.key, copy.values, str(copy)) == (error.key, error.values, str(error))


@pytest.mark.parametrize("key", MESSAGES)
def test_message_punctuation(key):
    sentence = MESSAGES[key]
    assert sentence[0].isupper() or sentence[0] == "{" or sentence.startswith(("win_length", "fmin", "fmax", "n_mfcc", "db_ref"))
    assert sentence.endswith(".")


@pytest.mark.parametrize("kind", [AudioError, CheckpointError, DataError, PageError, ParameterError])
def test_error_classes(kind):
    assert issubclass(kind, EscError)
    assert not issubclass(kind, ValueError)


def test_unknown_message_key():
    with pytest.raises(KeyError):
        EscError("audio.no_such_key")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_page_error_and_logged_traceback(language, caplog):
    assert error_reply(CheckpointError("checkpoint.missing", path="here"), language)["off"]
    refused = error_reply(ParameterError("parameter.class", value="unicorn"), language)
    assert "unicorn" in refused["error"]
    assert not refused["off"]
    assert "Traceback" not in caplog.text
    caplog.set_level("INFO")
    with RequestLog("explain") as record:
        try:
            {}["of all things"]
        except KeyError as error:
            failed = error_reply(record.failure(error), language)
    assert "of all things" not in failed["error"]
    assert not failed["off"]
    assert "explain failed" in caplog.text
    assert "Traceback" in caplog.text
    assert "of all things" in caplog.text


def test_gradio_error_as_text():
    error = gr.Error("You have exceeded your GPU quota. <a href='https://x.org'>Subscribe &amp; go on</a>")
    said = error_reply(RequestLog("classify").failure(error), "en")
    assert said == {"error": "You have exceeded your GPU quota. Subscribe & go on.", "key": "page.gradio", "off": False}


def test_log_line_without_content(caplog):
    caplog.set_level("INFO")
    with RequestLog("open_sound") as record:
        record.failure(AudioError("audio.empty", name="secret.wav"))
    (line,) = caplog.messages
    assert re.fullmatch(r"[0-9a-f]{8} open_sound: audio.empty in \d+\.\d{3} s", line)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, os.strerror(28)), "No space left on device"),
        (OSError(30, os.strerror(30), "/media/x.npz"), "/media/x.npz: Read-only file system"),
        (OSError("12 requested and 0 written\nand more"), "12 requested and 0 written"),
        (OSError(), "OSError"),
    ],
)
def test_os_error_in_one_line(error, said, monkeypatch, capsys):
    def failing():
        raise error

    assert describe_os_error(error) == said
    monkeypatch.setattr(esc.cli.main, "app", failing)
    with pytest.raises(SystemExit) as ended:
        esc.cli.main.main()
    assert (ended.value.code, capsys.readouterr().err) == (2, f"error: {said}\n")
