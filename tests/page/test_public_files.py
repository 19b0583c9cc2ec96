"""Addresses of the public files: none holds a path of the server."""

from pathlib import Path

import pytest

from esc.errors import PackageError
from esc.ui.server import public_files


def test_addresses_hold_the_file_name_alone():
    assert public_files.playable_url(Path("/srv/private/a b#1.wav")) == "soundglass/sounds/a%20b%231.wav"
    assert public_files.example_url(Path("/srv/private/crow.flac")) == "soundglass/examples/crow.flac"


def test_missing_plotly_is_named(monkeypatch):
    assert public_files.plotly_script().is_file()
    monkeypatch.setattr(public_files, "find_spec", lambda name: None)
    with pytest.raises(PackageError, match="plotly"):
        public_files.routes(Path("playable"))
