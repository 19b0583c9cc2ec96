"""The page's texts: the same keys and placeholders in both languages, and exactly those that the page uses."""

import re
import string
from collections.abc import Mapping
from pathlib import Path

import pytest

from esc.classification.checkpoint_files.config import read_config
from esc.errors import MESSAGES as ERRORS
from esc.paths import ASSETS, DEFAULT_CHECKPOINT
from esc.ui.i18n.catalogue import CLASSES_RUSSIAN, ENGLISH, ERRORS_RUSSIAN, RUSSIAN, language_of

UI = Path(__file__).resolve().parents[2] / "esc" / "ui"
VARIANTS = ("", "_touch", "_hint")  # suffixes that the page adds to a key


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(("english", "russian"), [(ENGLISH, RUSSIAN), (ERRORS, ERRORS_RUSSIAN)], ids=["page", "errors"])
def test_same_keys_and_placeholders_in_both_languages(english: Mapping[str, str], russian: Mapping[str, str]):
    assert set(english) == set(russian)
    assert {key for key in english if placeholders(english[key]) != placeholders(russian[key])} == set()


def used_keys() -> tuple[set[str], set[str]]:
    """Return the keys in the browser's modules and in the page, and the beginnings of those that are put together."""
    modules = "|".join({key.split(".")[0] for key in ENGLISH})
    whole, beginnings = set(), set()
    for path in [*(ASSETS / "js").rglob("*.js"), *UI.rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        keys = re.findall(rf"""['"]((?:{modules})\.\w+)['"]""", text)
        whole |= {key for key in keys if not key.endswith("_")}
        beginnings |= {key for key in keys if key.endswith("_")} | set(re.findall(rf"""[`"]((?:{modules})\.\w+)\$\{{""", text))
    # Gradio's own texts are named without "page." in page.py
    page = (UI / "page.py").read_text(encoding="utf-8")
    whole |= {f"page.{key}" for key in re.findall(r'\btexts\("(\w+)"\)', page)}
    return whole, beginnings


def test_no_key_is_unused():
    whole, beginnings = used_keys()
    named = {key + variant for key in whole for variant in VARIANTS}
    assert {key for key in ENGLISH if key not in named and not key.startswith(tuple(beginnings))} == set()


def test_no_key_is_unknown():
    whole, beginnings = used_keys()
    known = {key.removesuffix(variant) for key in ENGLISH for variant in VARIANTS}
    files = {f"{path.stem}.{path.suffix[1:]}" for path in ASSETS.rglob("*.*")}
    assert {key for key in whole if key not in known | set(ERRORS) | files} == set()
    assert {start for start in beginnings if not any(key.startswith(start) for key in ENGLISH)} == set()


def test_every_class_has_a_russian_name():
    assert set(CLASSES_RUSSIAN) == set(read_config(DEFAULT_CHECKPOINT).class_names)
    assert len(set(CLASSES_RUSSIAN.values())) == 50


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("uk,ru;q=0.8,en;q=0.5", "ru"),
        ("de,en;q=0.5,ru;q=0.8", "ru"),
        ("en-US,ru;q=0.5", "en"),
        ("ru;q=0,en;q=0.1", "en"),
        ("ru; q=0.9, en; q=0.4", "ru"),
        ("ru;q=high", "en"),
        ("rum", "en"),
        ("", "en"),
        ("de", "en"),
    ],
)
def test_language_of_an_accept_language_header(header: str, language: str):
    assert language_of(header) == language
