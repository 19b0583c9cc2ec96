"""What is taken away of a view: librosa's code, notebooks, tables, arrays and figures, against librosa and as files."""

from __future__ import annotations

import copy
import csv
import io
import json
import struct
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import av
import librosa
import nbformat
import numpy as np
import pytest
import soundfile

import sounds
from esc.config import LIBROSA, PRESETS
from esc.dsp.mfcc import CepstrumConfig
from esc.errors import ParameterError
from esc.example_sounds import example_sounds
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.tabs.base import Services
from esc.views.matrices import mfcc_matrix, spectrogram_matrix

EXAMPLE = "crow"
PART = {"start": 1.0, "end": 2.5}
DB = 3e-3  # dB, or coefficients
DELTA = CepstrumConfig(lifter=22.0, delta=1).to_dict()


class App:
    """The handlers of an app, and an open example."""

    def __init__(self, folder: Path) -> None:
        self.services = Services.create(folder, folder, DEFAULT_CHECKPOINT)
        self.folder = folder / "playable"
        self.token = self.services.store.new_session("en").token
        self.sound = self.ask("open_sound", {"example": EXAMPLE})["ok"]

    def ask(self, name: str, request: dict, token: str | None = None) -> dict:
        (function,) = self.services.handlers.functions(name)
        return function({"token": token or self.token} | request)

    def export(self, kind: str, view: str, preset: str = "librosa", changes: dict | None = None, **more) -> dict:
        config = PRESETS[preset].replace(**changes or {}).to_dict() if view != "wave" else None
        about = {"sound": self.sound["id"], "format": kind, "view": view, "config": config}
        times = {"start": 0.0, "end": self.sound["seconds"]}
        for _ in range(600):
            reply = self.ask("export", about | times | more)
            if "progress" not in reply.get("ok", {}):
                return reply
            time.sleep(0.1)
        raise TimeoutError

    def file(self, *args, **more) -> Path:
        reply = self.export(*args, **more)
        assert "error" not in reply, reply
        return self.folder / reply["ok"]["url"].rsplit("/", 1)[1]

    def arrays(self, *args, **more) -> dict[str, np.ndarray]:
        with np.load(self.file("npz", *args, **more)) as arrays:
            return dict(arrays)

    def code(self, *args, **more) -> str:
        return self.export("code", *args, **more)["ok"]["text"]


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    return App(tmp_path_factory.mktemp("app"))


@pytest.fixture(autouse=True)
def _beside_the_file(monkeypatch):
    """The code names the file alone, and shows no window."""
    monkeypatch.chdir(example_sounds()[EXAMPLE].parent)
    monkeypatch.setenv("MPLBACKEND", "agg")


def assert_equal_levels(computed: np.ndarray, values: np.ndarray) -> None:
    assert computed.shape == values.shape
    assert np.abs(computed - values).max() < DB


def run(code: str) -> dict:
    names: dict = {}
    exec(code, names)
    import matplotlib.pyplot as plt

    plt.close("all")
    return names


@pytest.mark.parametrize("db_ref", [1.0, "max", "full_scale"])
@pytest.mark.parametrize("view", ["stft", "mel", "mfcc"])
@pytest.mark.parametrize("preset", PRESETS)
def test_code_of_views_presets_and_references(app, view, preset, db_ref):
    about = {"changes": {"db_ref": db_ref}}
    code = app.code(view, preset, **about)
    computed = run(code.partition("\n\ntimes =")[0])["view"]  # drawn in `test_whole_code_runs`
    assert_equal_levels(computed, app.arrays(view, preset, **about)["values"])


@pytest.mark.parametrize("db_ref", [1.0, "max", "full_scale"])
@pytest.mark.parametrize(
    ("view", "more"),
    [("stft", {}), ("mel", PART), ("mfcc", {"cepstrum": DELTA} | PART), ("surface", PART), ("surface", {"of": "stft"}),
     ("wave", PART)],
)  # fmt: skip
def test_whole_code_runs(app, view, more, db_ref):
    changes = {"db_ref": db_ref, "mel_scale": "htk", "window": "hamming"}
    code = app.code(view, changes=changes, **more)
    values = app.arrays(view, changes=changes, **more)["values"]
    computed = run(code)["view"]
    assert_equal_levels(computed, values)
    if db_ref == "max" and not more:
        assert values.max() == 0.0


@pytest.mark.parametrize("view", ["mel", "stft"])
@pytest.mark.parametrize("variant", ["constant_q", "reassigned", "pcen", "harmonic", "percussive"])
def test_code_of_variants(app, view, variant):
    more = {"features": [variant], "changes": {"db_ref": "max"}}
    arrays = app.arrays(view, **more)
    values = arrays["values"]
    with np.errstate(all="ignore"):
        computed = run(app.code(view, **more).partition("\n\ntimes =")[0])["view"]
    if variant == "constant_q":  # it has a silent row at each end
        values = values[1:-1]
    assert_equal_levels(computed, values)


def test_code_and_table_of_contours(app):
    names = ["pitch", "centroid", "loudness", "onsets"]
    arrays = app.arrays("mel", features=names)
    computed = run(app.code("mel", features=names))
    for key, name in {"pitch_f0_hz": "f0", "centroid_centroid_hz": "centroid", "centroid_bandwidth_hz": "bandwidth",
                      "loudness_level_db": "loudness", "onsets_times_s": "onsets"}.items():  # fmt: skip
        np.testing.assert_allclose(arrays[key], computed[name], rtol=2e-3, atol=2e-3)
    table = list(csv.DictReader(app.file("features_csv", "mel", features=names).read_text().splitlines()))
    pitch = [float(row["value"] or "nan") for row in table if row["quantity"] == "f0_hz"]
    np.testing.assert_allclose(pitch, arrays["pitch_f0_hz"], rtol=1e-4)
    assert {row["feature"] for row in table} == set(names)
    shown = app.arrays("mel", features=["onsets"], **PART)["onsets_times_s"]
    assert np.array_equal(shown, [time_s for time_s in arrays["onsets_times_s"] if 1.0 <= time_s <= 2.5])


@pytest.mark.parametrize("view", ["stft", "mel", "mfcc", "wave", "surface"])
def test_notebook(app, view):
    notebook = nbformat.reads(app.export("ipynb", view, **PART)["ok"]["text"], as_version=4)
    nbformat.validate(notebook)
    names: dict = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
    np.testing.assert_allclose(names["view"], app.arrays(view, **PART)["values"], atol=DB)


@pytest.mark.parametrize("more", [{}, PART], ids=["whole", "on screen"])
def test_tables_and_arrays_equal_librosas(app, more):
    samples, _ = librosa.load(example_sounds()[EXAMPLE], sr=LIBROSA.sample_rate)
    wanted = librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=LIBROSA.sample_rate))
    times_s = librosa.times_like(wanted, sr=LIBROSA.sample_rate)
    inside = (times_s >= more.get("start", 0.0)) & (times_s <= more.get("end", np.inf))
    arrays = app.arrays("mel", **more)
    np.testing.assert_allclose(arrays["values"], wanted[:, inside], atol=DB)
    np.testing.assert_allclose(arrays["times_s"], times_s[inside], atol=1e-9)
    np.testing.assert_allclose(arrays["freqs_hz"], librosa.mel_frequencies(130, fmin=0, fmax=11_025)[1:-1], atol=1e-6)
    assert np.array_equal(np.load(app.file("npy", "mel", **more)), arrays["values"])
    rows = list(csv.reader(io.StringIO(app.file("csv", "mel", **more).read_text())))
    np.testing.assert_allclose(np.array(rows[0][1:], float), arrays["times_s"], atol=1e-6)
    table = np.array(rows[1:], float)
    np.testing.assert_allclose(table[:, 0], arrays["freqs_hz"], atol=1e-3)
    np.testing.assert_allclose(table[:, 1:], arrays["values"], atol=1e-4)


def test_samples_as_a_table(app):
    arrays = app.arrays("wave", **PART)
    samples, rate = librosa.load(example_sounds()[EXAMPLE], sr=None)
    np.testing.assert_allclose(arrays["values"], samples[rate : round(2.5 * rate)], atol=1e-7)
    table = np.genfromtxt(app.file("csv", "wave", **PART), delimiter=",", names=True)
    np.testing.assert_allclose(table["amplitude"], arrays["values"], atol=1e-7)
    np.testing.assert_allclose(table["time_s"], arrays["times_s"], atol=1e-6)


@pytest.mark.parametrize(
    ("channel", "full_scale", "time_expansion"),
    [("left", 1.0, 1.0), ("side", 32_768.0, 1.0), ("2", 1.0, 1.0), ("mean", 1.0, 2.0), ("left", 4.0, 2.5)],
)
def test_code_reads_the_file_as_the_page(app, channel, full_scale, time_expansion, monkeypatch, rng):
    path = app.folder.parent / "stereo.wav"
    soundfile.write(path, full_scale * rng.integers(-16_384, 16_384, (22_050, 2)) / 32_768, 22_050, "FLOAT")
    monkeypatch.chdir(path.parent)
    about = {"path": str(path), "name": path.name, "channel": channel, "full_scale": full_scale, "time_expansion": time_expansion}
    mine = copy.copy(app)  # in a session of its own, which keeps few sounds
    mine.token = app.services.store.new_session("en").token
    sound = mine.ask("open_sound", about)["ok"]
    about = {"sound": sound["id"], "end": sound["seconds"]}
    computed = run(mine.code("mel", features=["onsets"], **about).partition("\n\ntimes =")[0])["view"]
    assert_equal_levels(computed, mine.arrays("mel", **about)["values"])
    assert np.array_equal(run(mine.code("wave", **about))["view"], mine.arrays("wave", **about)["values"])


FIGURE = {"width_cm": 12.0, "height_cm": 7.0, "dpi": 150, "colours": "viridis", "low": -60.0, "high": 0.0, "axis": "log"}


@pytest.mark.parametrize(
    ("view", "more"),
    [("wave", {}), ("stft", {}), ("mel", {"features": ["onsets", "loudness"]}), ("mel", {"features": ["pcen"]}), ("mfcc", PART),
     ("surface", {"of": "stft"})],
)  # fmt: skip
def test_figures(app, view, more):
    figure = FIGURE | {"low_hz": 100.0, "high_hz": 4_000.0}
    header = app.file("png", view, figure=figure, **more).read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    assert struct.unpack(">II", header[16:]) == pytest.approx((12 / 2.54 * 150, 7 / 2.54 * 150), abs=1)
    root = ElementTree.parse(app.file("svg", view, figure=figure, **more)).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert [float(root.get(side).removesuffix("pt")) for side in ("width", "height")] == pytest.approx(
        [12 / 2.54 * 72, 7 / 2.54 * 72]
    )


def test_a_name_with_signs_of_formulas_is_a_title(app, monkeypatch):
    sound = app.services.store.sound(app.token, app.sound["id"])
    monkeypatch.setattr(sound, "name", "$a_{$ 'b' \\x.wav")
    assert app.file("png", "mel", figure={"dpi": 72}).stat().st_size > 1_000
    assert json.dumps(sound.name) in app.code("mel")


WRONG = {
    "format": {"format": "exe"},
    "view": {"view": "attic"},
    "config": {"config": None},
    "dpi": {"figure": {"dpi": 5_000}},
    "colours": {"figure": {"colours": "jet"}},
    "features": {"features": ["pitch"], "view": "mfcc"},
    "end": {"start": 3.0, "end": 1.0},
}


@pytest.mark.parametrize("field", WRONG)
def test_wrong_requests_name_the_field(app, field):
    reply = app.export(**{"kind": "csv", "view": "mel"} | WRONG[field]) if field != "config" else app.ask(
        "export", {"sound": app.sound["id"], "start": 0.0, "end": 1.0, "format": "csv", "view": "mel"}
    )  # fmt: skip
    assert reply["key"] == "page.request"
    assert field in reply["error"]


def test_a_part_of_a_long_sound(monkeypatch):
    """Where the whole sound is too long for a search, its peak is given."""
    waveform = np.concatenate([sounds.tone(1_000.0, 1.0, 22_050, 0.1), sounds.tone(1_000.0, 1.0, 22_050, 1.0)])
    whole = spectrogram_matrix("stft", waveform, LIBROSA, 0.0, 2.0)
    monkeypatch.setattr("esc.views.matrices.MAX_PEAK_VALUES", 1_000)
    with pytest.raises(ParameterError):
        spectrogram_matrix("stft", waveform, LIBROSA, 0.0, 0.5)
    part = spectrogram_matrix("stft", waveform, LIBROSA, 0.0, 0.5, lambda: 10 ** (whole.values.max() / 10))
    np.testing.assert_allclose(part.values, whole.values[:, : part.values.shape[1]], atol=1e-3)


@pytest.mark.parametrize("delta", [0, 1])
def test_mfcc_of_a_part_of_a_long_sound(monkeypatch, delta):
    """Only the part is computed, with the context of its derivatives."""
    waveform = sounds.busy(4.0, LIBROSA.sample_rate)
    cepstrum = CepstrumConfig(delta=delta)
    whole = mfcc_matrix(waveform, LIBROSA, 0.0, 4.0, cepstrum)
    levels = spectrogram_matrix("mel", waveform, LIBROSA, 0.0, 4.0).values
    for field, limit in {"MAX_PEAK_VALUES": 1_000, "MAX_VALUES": 20_000}.items():
        monkeypatch.setattr(f"esc.views.matrices.{field}", limit)
    for start_s, end_s in ((0.0, 0.0), (0.1, 0.1), (1.0, 2.0), (3.5, 4.0)):
        part = mfcc_matrix(waveform, LIBROSA, start_s, end_s, cepstrum, lambda: 10 ** (levels.max() / 10))
        first = round(part.times_s[0] * LIBROSA.sample_rate / LIBROSA.hop_length)
        np.testing.assert_allclose(part.values, whole.values[:, first : first + part.values.shape[1]], atol=DB)


def test_others_have_no_access_and_size_is_limited(app, monkeypatch):
    other = app.services.store.new_session("en").token
    about = {"sound": app.sound["id"], "start": 0.0, "end": 1.0, "format": "npy", "view": "wave", "config": None}
    assert app.ask("export", about, other)["key"] == "page.gone"
    monkeypatch.setattr("esc.views.matrices.MAX_CSV_VALUES", 1_000)
    reply = app.export("csv", "mel")
    assert reply["key"] == "export.too_much"
    assert not [path for path in app.folder.iterdir() if path.suffix == ".csv" and path.stat().st_size == 0]
    assert json.loads(app.export("ipynb", "mel")["ok"]["text"])["nbformat"] == 4


def test_code_reads_the_sound_track(app, monkeypatch):
    tones = [sounds.tone(freq_hz, 1.0, 22_050) for freq_hz in (440.0, 2_000.0)]
    path = sounds.write_tracks(app.folder.parent / "tracks.mp4", tones, 22_050)
    monkeypatch.chdir(path.parent)
    sound = app.ask("open_sound", {"path": str(path), "name": path.name, "channel": "2:mean", "full_scale": 4.0})["ok"]

    def ffmpeg(command, check):  # of which only the arguments are ours
        options = ["-map", "0:a:1", "-c:a", "pcm_f32le"]
        assert command == ["ffmpeg", "-y", "-i", "tracks.mp4", *options, "track2.wav"] and check
        with av.open(command[3]) as source:
            frames = [frame.to_ndarray()[0] for frame in source.decode(source.streams.audio[1])]
        soundfile.write(command[-1], np.concatenate(frames)[: round(sound["seconds"] * 22_050)], 22_050, "FLOAT")

    monkeypatch.setattr("subprocess.run", ffmpeg)
    about = {"sound": sound["id"], "end": sound["seconds"]}
    computed = run(app.code("wave", **about))["view"]
    np.testing.assert_allclose(computed, app.arrays("wave", **about)["values"], atol=1e-6)
