"""The words on the screen: both languages say the same things, with the same blanks."""

import string

import pytest

from esc.classification.checkpoint import read_config
from esc.errors import MESSAGES
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.i18n.catalogue import CLASSES_RUSSIAN, ENGLISH, ERRORS_RUSSIAN, PARTS, RUSSIAN, language_of


def blanks(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(("english", "russian"), [(ENGLISH, RUSSIAN), (MESSAGES, ERRORS_RUSSIAN)], ids=["words", "errors"])
def test_both_languages_say_the_same(english, russian):
    assert set(english) == set(russian)
    assert {key for key in english if blanks(english[key]) != blanks(russian[key])} == set()


def test_no_two_parts_of_the_page_use_one_key_for_two_texts():
    assert sum(len(part.WORDS) for part in PARTS) == len(ENGLISH)


def test_every_class_has_a_russian_name():
    assert set(CLASSES_RUSSIAN) == set(read_config(DEFAULT_CHECKPOINT).class_names)
    assert len(set(CLASSES_RUSSIAN.values())) == 50


@pytest.mark.parametrize(
    ("header", "language"), [("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("en-US,ru;q=0.5", "en"), ("", "en"), ("de", "en")]
)
def test_language_of_a_browser(header, language):
    assert language_of(header) == language
