"""Errors cross process borders and every sentence can be said."""

from __future__ import annotations

import pickle
import string

import pytest

from esc.errors import MESSAGES, AudioError, CheckpointError, DataError, EscError, PageError, ParameterError


def named_in(sentence: str) -> dict[str, str]:
    """Return the fields of a sentence with their format codes."""
    return {name: code for _, name, code, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", MESSAGES)
def test_every_sentence_is_said_and_survives_pickling(key):
    values = {name: 12.5 if code.endswith("f") else f"<{name}>" for name, code in named_in(MESSAGES[key]).items()}
    error = AudioError(key, **values)
    assert "{" not in str(error)
    for name, value in values.items():
        assert (format(value, named_in(MESSAGES[key])[name]) if isinstance(value, float) else value) in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is AudioError
    assert (copy.key, copy.values, str(copy)) == (error.key, error.values, str(error))


@pytest.mark.parametrize("key", MESSAGES)
def test_every_sentence_reads_like_one(key):
    sentence = MESSAGES[key]
    assert sentence[0].isupper() or sentence[0] == "{" or sentence.startswith(("win_length", "fmin", "fmax", "n_mfcc"))
    assert sentence.endswith(".")


@pytest.mark.parametrize("kind", [AudioError, CheckpointError, DataError, PageError, ParameterError])
def test_one_family(kind):
    assert issubclass(kind, EscError)
    assert not issubclass(kind, ValueError)


def test_an_unknown_key_is_a_fault_of_the_programmer():
    with pytest.raises(KeyError):
        EscError("audio.no_such_key")
