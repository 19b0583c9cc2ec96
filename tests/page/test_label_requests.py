"""Labels as the page asks the server for them: files, excerpts and edges, and refused where wrong."""

from __future__ import annotations

import io
import json
import zipfile

import httpx
import numpy as np
import pytest
import soundfile

from chromium import Server
from test_endpoints import Functions, functions  # noqa: F401, a fixture

RATE = 22_050
ROW = ["dog", 1.0, 2.0, 100.0, 2000.0, 0.5, -30.0, None, 440.0, None]


@pytest.fixture(scope="module")
def sound(functions: Functions, tmp_path_factory) -> dict:  # noqa: F811, the fixture
    """A tone of 1 kHz from 1 s to 2 s of three."""
    times_s = np.arange(3 * RATE) / RATE
    path = tmp_path_factory.mktemp("labels") / "tone.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 1000 * times_s) * ((times_s >= 1) & (times_s < 2)), RATE)
    with open(path, "rb") as file:
        sent = functions.http.post("/upload", files={"files": ("tone.wav", file)}).json()[0]
    return functions.ask("player", "open_sound", {"path": sent, "name": "tone.wav"})["ok"]


def test_label_file_and_back(functions, sound):  # noqa: F811
    given = {"sound": sound["id"], "labels": json.dumps([ROW])}
    for form in ("audacity", "raven", "csv", "json"):
        file = functions.ask("mel", "label_file", given | {"form": form})["ok"]
        assert file["name"].startswith("tone-labels.")
        found = functions.ask("mel", "read_labels", {"sound": sound["id"], "name": file["name"], "text": file["text"]})["ok"]
        assert found["labels"] == [[*ROW[:5], None if form == "audacity" else 0.5]]
    assert "440.000" in functions.ask("mel", "label_file", given | {"form": "csv"})["ok"]["text"]
    late = functions.ask("mel", "read_labels", {"sound": sound["id"], "name": "a.txt", "text": "4\t5\tx\n"})["ok"]
    assert late == {"labels": [], "problems": [[1, "start", "4", "past"]], "n_problems": 1}


@pytest.mark.parametrize("form", ["audacity", "raven", "csv", "json"])
def test_label_files_have_the_files_own_times(functions, sound, form):  # noqa: F811
    """What is written with one time expansion is read with another, and as other programs open the file."""
    expanded = functions.ask("player", "open_sound", {"sound": sound["id"], "time_expansion": 10.0})["ok"]
    assert (expanded["seconds"], expanded["time_expansion"]) == (pytest.approx(0.3), 10.0)
    slow = ROW[:5]
    fast = ["dog", 0.1, 0.2, 1000.0, 20_000.0]
    readings = {sound["id"]: slow, expanded["id"]: fast}
    texts = []
    for one, row in readings.items():
        given = {"sound": one, "labels": json.dumps([[*row, 0.5, None, None, row[4], None]]), "form": form}
        texts.append(functions.ask("mel", "label_file", given)["ok"]["text"])
        for other, wanted in readings.items():
            found = functions.ask("mel", "read_labels", {"sound": other, "name": "a.txt", "text": texts[-1]})["ok"]
            assert found["problems"] == [] and found["labels"][0][:5] == ["dog", *map(pytest.approx, wanted[1:])]
    assert texts[0] == texts[1]


def test_excerpts_and_snapped_edges(functions, sound, server: Server):  # noqa: F811
    saved = functions.ask("mel", "label_excerpts", {"sound": sound["id"], "labels": json.dumps([ROW])})["ok"]
    assert (saved["name"], saved["excerpts"]) == ("tone-labels.zip", 1)
    with zipfile.ZipFile(io.BytesIO(httpx.get(f"{server.url}/{saved['url']}").content)) as archive:
        assert archive.namelist() == ["dog/tone_1.000-2.000.wav"]
        assert soundfile.info(io.BytesIO(archive.read("dog/tone_1.000-2.000.wav"))).frames == RATE
    snapped = functions.ask("mel", "snap_edges", {"sound": sound["id"], "start": 1.1, "end": 1.9})["ok"]
    assert snapped == {"start": pytest.approx(1.0, abs=0.005), "end": pytest.approx(2.0, abs=0.005)}


@pytest.mark.parametrize(
    "labels",
    [
        "", "{", "[[]]", "[7]", json.dumps([[*ROW, 1]]), json.dumps([["x", 2.0, 1.0, *ROW[3:]]]), "[" * 10_000,
        json.dumps([["x", 1.0, 2.0, 5.0, None, *ROW[5:]]]), json.dumps([["x" * 201, *ROW[1:]]]), "[]",
        json.dumps([[7, *ROW[1:]]]), json.dumps([["x", -1.0, *ROW[2:]]]), json.dumps([["x", True, *ROW[2:]]]),
    ],
)  # fmt: skip
def test_wrong_labels(functions, sound, labels):  # noqa: F811
    answer = functions.ask("mel", "label_file", {"sound": sound["id"], "labels": labels, "form": "csv"})
    assert answer["key"] == ("labels.none" if labels == "[]" else "page.request")


def test_wrong_label_file(functions, sound):  # noqa: F811
    answer = functions.ask("mel", "read_labels", {"sound": sound["id"], "name": "<b>.txt", "text": "no labels"})
    assert answer["key"] == "labels.format"
