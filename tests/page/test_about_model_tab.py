"""The about tab: read from the checkpoint's folder, each part by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from esc.classification.checkpoint_files.config import read_config
from esc.classification.checkpoint_files.metrics import FILE, write_metrics
from esc.classification.checkpoint_files.robustness import FILE as ROBUSTNESS_FILE
from esc.classification.checkpoint_files.robustness import write_robustness
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.tabs.about_model import AboutModelTab, card_text
from esc.ui.tabs.base import Services
from test_metrics_file import FIGURES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint's folder without its weights, which nothing here needs, and without figures."""
    return shutil.copytree(
        DEFAULT_CHECKPOINT, tmp_path / "net", ignore=shutil.ignore_patterns("*.safetensors", FILE, ROBUSTNESS_FILE)
    )


def asked(folder: Path, tmp_path: Path, language: str = "en") -> dict:
    """Return the answer of the page's function."""
    tab = AboutModelTab(Services.create(tmp_path / "app", tmp_path, folder))
    (answer,) = tab.server_functions()
    return answer({"token": tab.store.new_session(language).token})


def test_about_without_metrics(folder, tmp_path):
    reply, meta = asked(folder, tmp_path)["ok"], read_config(folder)
    assert (reply["architecture"], reply["classes"]) == (meta.architecture, 50)
    assert reply["made"]["train_folds"] == meta.provenance["train_folds"]
    assert (reply["figures"], reply["wrong"]) == ({}, None)
    card = card_text(folder)
    assert card.startswith("### ") and "license:" not in card


def test_metrics_are_returned_unchanged(folder, tmp_path):
    write_metrics(folder, history=FIGURES["history"])
    assert asked(folder, tmp_path)["ok"]["figures"] == {"history": FIGURES["history"]}


def test_robustness_is_returned_beside_damaged_metrics(folder, tmp_path):
    assert asked(folder, tmp_path)["ok"]["robustness"] is None
    measured = {"run": "a", "fold": 5, "clips": 400, "accuracy": {"as it is": 0.9}}
    write_robustness(folder, measured)
    (folder / FILE).write_text("{")
    assert asked(folder, tmp_path)["ok"]["robustness"] == measured


@pytest.mark.parametrize(("language", "word"), [("en", "can't be used"), ("ru", "не годятся")])
def test_damaged_metrics_leave_the_rest(folder, tmp_path, language, word):
    (folder / FILE).write_text("{")
    reply = asked(folder, tmp_path, language)["ok"]
    assert word in reply["wrong"] and FILE in reply["wrong"]
    assert reply["figures"] == {}


def test_missing_checkpoint_names_the_command(tmp_path):
    answer = asked(tmp_path / "nowhere", tmp_path)
    assert answer["key"] == "checkpoint.missing" and "python -m training train" in answer["error"]


def test_unknown_session(folder, tmp_path):
    (answer,) = AboutModelTab(Services.create(tmp_path / "app", tmp_path, folder)).server_functions()
    assert answer({"token": "guessed"})["key"] == "page.session"


def test_card_without_front_matter(tmp_path):
    assert card_text(tmp_path) is None
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n\n# A card\n\n---\nmore\n")
    assert card_text(tmp_path) == "### A card\n\n---\nmore"
    (tmp_path / "README.md").write_bytes(b"# \xff broken")
    assert card_text(tmp_path) == "### \ufffd broken"


def test_card_shows_tags_as_text_and_loads_nothing(tmp_path):
    (tmp_path / "README.md").write_text("## Use <b> ![x](https://example.org/x.png)\n\n`<NAME>`\n\n```\n# <tag>\n```\n")
    assert card_text(tmp_path) == "#### Use &lt;b> [x](https://example.org/x.png)\n\n`<NAME>`\n\n```\n# <tag>\n```"
