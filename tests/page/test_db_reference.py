"""The dB reference in every view, value and measurement, against librosa's `ref`."""

from __future__ import annotations

import base64

import librosa
import numpy as np
import pytest

from esc.config import LIBROSA
from esc.example_sounds import example_sounds
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.tabs.base import Services
from esc.views import mfcc_view, spectrogram_view

FULL_SCALE = (LIBROSA.win_length / 4) ** 2  # of a sine of amplitude 1 under a periodic Hann window


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A function (name, changes) -> reply of a handler about an example, and librosa's power spectrograms."""
    folder = tmp_path_factory.mktemp("app")
    services = Services.create(folder, folder, DEFAULT_CHECKPOINT)
    token = services.store.new_session("en").token

    def ask(name: str, **request) -> dict:
        (function,) = services.handlers.functions(name)
        reply = function({"token": token} | request)
        return reply["ok"]

    sound = ask("open_sound", example="crow")
    samples, _ = librosa.load(example_sounds()["crow"], sr=LIBROSA.sample_rate)
    power = np.abs(librosa.stft(samples)) ** 2
    mel = librosa.feature.melspectrogram(S=power, sr=LIBROSA.sample_rate)
    about = {"sound": sound["id"], "start": 0.0, "end": sound["seconds"]}
    return (lambda name, **more: ask(name, **about | more)), {"mel": mel, "stft": power}


@pytest.mark.parametrize("db_ref", [1.0, "max", "full_scale"])
def test_reference_everywhere(opened, db_ref):
    ask, powers = opened
    config = LIBROSA.replace(db_ref=db_ref).to_dict()
    ref = {"max": np.max, "full_scale": FULL_SCALE}.get(db_ref, db_ref)
    levels_db = {view: librosa.power_to_db(power, ref=ref) for view, power in powers.items()}
    for view, of in (("mel", "mel"), ("stft", "stft"), ("surface", "mel")):
        shown = ask(f"{view}_view", config=config, columns=400)
        assert [shown["low_db"], shown["high_db"]] == pytest.approx([levels_db[of].max() - 80, levels_db[of].max()], abs=0.01)
    frame, time_s = 40, 40 * LIBROSA.hop_length / LIBROSA.sample_rate
    for view, row in (("mel", {"band": 30}), ("stft", {"hz": 30 * LIBROSA.sample_rate / LIBROSA.n_fft})):
        value = ask("level", config=config, view=view, time=time_s, **row)["value"]
        assert value == pytest.approx(levels_db[view][30, frame], abs=0.01)
        spectrum = ask("spectrum", config=config, view=view, start=time_s, end=time_s)
        there = np.frombuffer(base64.b64decode(spectrum["levels"]), np.float32)
        assert np.maximum(there, levels_db[view].min()) == pytest.approx(levels_db[view][:, frame], abs=0.01)
    assert ask("measure", config=config)["peak_db"] == pytest.approx(levels_db["stft"].max(), abs=0.01)
    coefficient = ask("level", config=config, view="mfcc", time=time_s, band=0, cepstrum={"lifter": 0.0, "delta": 0})["value"]
    assert coefficient == pytest.approx(librosa.feature.mfcc(S=levels_db["mel"])[0, frame], abs=0.05)


def test_a_change_computes_the_frames_once(opened, monkeypatch):
    ask, _ = opened
    plain = {"cepstrum": {"lifter": 0.0, "delta": 0}}
    config = LIBROSA.replace(n_mels=90)
    ask("mfcc_view", config=config.to_dict(), columns=400, **plain)
    ask("stft_view", config=config.to_dict(), columns=400)
    computed = []
    for module in (mfcc_view, spectrogram_view):

        def counted(waveform, config, numbers, transform, power_frames=module.power_frames):
            computed.append(len(numbers))
            return power_frames(waveform, config, numbers, transform)

        monkeypatch.setattr(module, "power_frames", counted)
    n_frames = LIBROSA.n_frames(5 * LIBROSA.sample_rate)
    shown = ask("mfcc_view", config=config.replace(n_mfcc=13).to_dict(), columns=400, **plain)
    assert sum(computed) == n_frames  # the maximum is known
    few = ask("mfcc_view", config=config.replace(n_mfcc=13).to_dict(), columns=40, **plain)
    assert [few["low_db"], few["high_db"]] == [shown["low_db"], shown["high_db"]]
    assert sum(computed) == 2 * n_frames
    other = config.replace(n_mfcc=12).to_dict()
    few = ask("mfcc_view", config=other, columns=40, **plain)  # the other way round
    shown = ask("mfcc_view", config=other, columns=400, **plain)
    assert [few["low_db"], few["high_db"]] == [shown["low_db"], shown["high_db"]]
    computed.clear()
    close = {"start": 1.0, "end": 1.5, "columns": 400}
    ask("stft_view", config=config.replace(top_db=55.0).to_dict(), **close)
    assert sum(computed) < n_frames
