"""What the app tells of its model: from the checkpoint's own folder, each part by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from esc.classification.checkpoint import read_config
from esc.classification.metrics_file import FILE, write_metrics
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.server.handlers import Handlers
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.tabs.about_model import About, card_text
from test_metrics_file import FIGURES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint's folder without its weights, which nothing here needs, and without figures."""
    return shutil.copytree(DEFAULT_CHECKPOINT, tmp_path / "net", ignore=shutil.ignore_patterns("*.safetensors", FILE))


def asked(folder: Path, tmp_path: Path, language: str = "en") -> dict:
    """Return the answer of the page's function."""
    store = SoundStore(tmp_path / "samples", tmp_path / "playable")
    (answer,) = Handlers(store, tmp_path, {}).wrap(About(store, folder).about)
    return answer({"token": store.new_session(language).token})


def test_what_is_known_without_measurements(folder, tmp_path):
    told, meta = asked(folder, tmp_path)["ok"], read_config(folder)
    assert (told["architecture"], told["classes"]) == (meta.architecture, 50)
    assert told["made"]["train_folds"] == meta.provenance["train_folds"]
    assert (told["figures"], told["wrong"]) == ({}, None)
    assert told["card"].startswith("# ") and "license:" not in told["card"]


def test_measured_parts_are_told_as_they_stand(folder, tmp_path):
    write_metrics(folder, history=FIGURES["history"])
    assert asked(folder, tmp_path)["ok"]["figures"] == {"history": FIGURES["history"]}


@pytest.mark.parametrize(("language", "word"), [("en", "can't be used"), ("ru", "не годятся")])
def test_broken_figures_switch_off_themselves_alone(folder, tmp_path, language, word):
    (folder / FILE).write_text("{")
    told = asked(folder, tmp_path, language)["ok"]
    assert word in told["wrong"] and FILE in told["wrong"]
    assert told["figures"] == {} and told["card"]


def test_a_missing_checkpoint_is_told_with_its_mend(tmp_path):
    answer = asked(tmp_path / "nowhere", tmp_path)
    assert answer["key"] == "checkpoint.missing" and "python -m training train" in answer["error"]


def test_a_stranger_is_told_nothing(folder, tmp_path):
    store = SoundStore(tmp_path / "samples", tmp_path / "playable")
    (answer,) = Handlers(store, tmp_path, {}).wrap(About(store, folder).about)
    assert answer({"token": "guessed"})["key"] == "page.session"


def test_the_card_without_its_front_matter(tmp_path):
    assert card_text(tmp_path) is None
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n\n# A card\n\n---\nmore\n")
    assert card_text(tmp_path) == "# A card\n\n---\nmore"
    (tmp_path / "README.md").write_bytes(b"# \xff broken")
    assert card_text(tmp_path) == "# \ufffd broken"
