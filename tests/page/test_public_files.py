"""Addresses of the public files: none holds a path of the server."""

from pathlib import Path

import pytest
from gradio.route_utils import API_PREFIX

from esc.errors import PackageError
from esc.ui.server.public import files as public_files


def test_addresses_hold_the_file_name_alone():
    assert public_files.playable_url(Path("/srv/private/a b#1.wav")) == "gradio_api/soundglass/sounds/a%20b%231.wav"
    assert public_files.example_url(Path("/srv/private/crow.flac")) == "gradio_api/soundglass/examples/crow.flac"


def test_missing_plotly_is_named(monkeypatch):
    assert public_files.plotly_script().is_file()
    monkeypatch.setattr(public_files, "find_spec", lambda name: None)
    with pytest.raises(PackageError, match="plotly"):
        public_files.routes(Path("playable"), dict)


def test_addresses_pass_the_front_server_of_ssr():
    addresses = (
        public_files.script_url("first"),
        public_files.texts_url("en"),
        public_files.PLOTLY,
        public_files.playable_url(Path("a")),
        public_files.example_url(Path("a")),
    )
    assert all(f"/{address}".startswith(f"{API_PREFIX}/") for address in addresses)
