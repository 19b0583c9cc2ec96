"""Sounds in memory: kept whole, augmented as waveforms, mixed by what the ear hears; against librosa and formulas."""

from __future__ import annotations

import dataclasses

import librosa
import numpy as np
import pytest
import torch

import sounds
import training.train as loop
from esc.audio.io import load_audio
from esc.audio.waveform import fit_clip
from esc.config import ESC50
from esc.dsp.a_weighting import a_weighting_db, max_a_weighted_db
from esc.dsp.spectrogram import mel_db, network_input
from esc.errors import DataError
from test_train import HALF_A_SECOND, HELD_OUT, QUICK, RATE, TRAINING_FOLDS, cache, data, prepared  # noqa: F401, fixtures
from training.augmentation import waveform
from training.augmentation.plan import draw
from training.data.esc50 import read_clips
from training.data.preprocessing import prepare_for, prepare_sounds
from training.engine.batches import network_batch, on_device, pictures_of
from training.recipes import Augmentation
from training.runs.run_dir import read_history

SOUNDS = dataclasses.replace(QUICK, source="sounds", augmentation=dataclasses.replace(QUICK.augmentation, gain_db=6.0))
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def kept(data, cache):  # noqa: F811
    return prepare_sounds(read_clips(data), RATE, HALF_A_SECOND.clip_seconds, cache, jobs=1)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# kept sounds


def test_kept_sounds_are_the_clips(data, kept):  # noqa: F811
    clips = read_clips(data)
    assert (kept.sounds.shape, kept.sounds.dtype, kept.spectrograms_db) == ((100, 4_000), np.int16, None)
    assert isinstance(kept.sounds, np.memmap)
    for index in (0, 41, 99):
        expected = fit_clip(load_audio(clips[index].path, RATE)[0], 4_000)
        peak = np.abs(expected).max()
        assert np.abs(kept.sounds[index] * kept.scales[index] - expected).max() <= 0.51 * peak / 32_767
        assert np.abs(kept.sounds[index].astype(int)).max() == 32_767


def test_the_quietest_sound_keeps_its_picture(tmp_path):
    """Whole numbers at full scale would leave a sound at -70 dBFS with 28 dB; here it keeps all that a picture shows."""
    quiet = 10 ** (-70 / 20) * sounds.busy(5.0)
    sounds.write(tmp_path / "1-1-A-0.wav", quiet, 44_100, "FLOAT")
    (tmp_path / "esc50.csv").write_text("filename,fold,target,category,src_file\n1-1-A-0.wav,1,0,busy,1\n")
    kept = prepare_sounds(read_clips(tmp_path), 44_100, 5.0, tmp_path / "cache", jobs=1)
    back = kept.sounds[0] * kept.scales[0]
    difference = (mel_db(back, ESC50) - mel_db(fit_clip(quiet, 220_500), ESC50)).abs()
    assert float(difference.mean()) < 0.05
    assert float(difference.max()) < 3.0  # at the floor, 80 dB below the loudest


def test_silence_is_kept_as_silence(tmp_path):
    sounds.write(tmp_path / "1-1-A-0.wav", np.zeros(8_000, np.float32), RATE)
    (tmp_path / "esc50.csv").write_text("filename,fold,target,category,src_file\n1-1-A-0.wav,1,0,nothing,1\n")
    kept = prepare_sounds(read_clips(tmp_path), RATE, 0.5, tmp_path / "cache", jobs=1)
    assert not kept.sounds.any()
    assert np.isfinite(kept.scales).all()


def test_kept_sounds_that_were_cut_off_are_told(data, tmp_path):  # noqa: F811
    clips = read_clips(data)[:4]
    prepare_sounds(clips, RATE, 0.5, tmp_path, jobs=1)
    (file,) = tmp_path.rglob("sounds.npy")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError) as caught:
        prepare_sounds(clips, RATE, 0.5, tmp_path, jobs=1)
    assert caught.value.key == "data.cache"
    assert str(file) in str(caught.value)


def test_pictures_of_kept_sounds_are_the_pictures(kept, prepared):  # noqa: F811
    made = pictures_of(on_device(kept, (HELD_OUT,), CPU), SOUNDS)
    theirs = torch.from_numpy(prepared.spectrograms_db[prepared.folds == HELD_OUT])
    assert float((made - theirs).abs().mean()) < 0.02


# moving, mixing


def test_a_waveform_is_turned_around_by_whole_samples(rng):
    waveforms = torch.from_numpy(rng.standard_normal((5, 300)).astype(np.float32))
    plan = draw(Augmentation(), 5, seeded())
    moved = waveform.move(waveforms, plan)
    for before, after, start in zip(waveforms, moved, plan.start, strict=True):
        assert torch.equal(after, before.roll(-int(300 * float(start))))


def test_a_waveform_is_played_faster_and_its_pitch_follows():
    waveforms = torch.from_numpy(sounds.tone(1_000.0, 1.0, RATE)).repeat(6, 1)
    plan = dataclasses.replace(draw(Augmentation(speed=0.2), 6, seeded()), start=torch.zeros(6))
    moved = waveform.move(waveforms, plan)[:, :6_000]
    peaks = torch.fft.rfft(moved * torch.hann_window(6_000)).abs().argmax(dim=1) * RATE / 6_000
    torch.testing.assert_close(peaks, 1_000 * plan.speed, atol=RATE / 6_000, rtol=0)
    assert plan.speed.max() - plan.speed.min() > 0.1


def test_a_stretch_of_a_waveform_is_repeated():
    ramp = torch.arange(100.0).expand(3, -1)
    plan = dataclasses.replace(draw(Augmentation(), 3, seeded()), start=torch.full((3,), 0.905), stretch=torch.full((3,), 0.25))
    assert waveform.move(ramp, plan)[1].tolist() == [*range(90, 100), *range(15)] * 4


def test_the_weighting_is_librosas():
    freqs_hz = np.array([0.0, 10.0, 100.0, 1_000.0, 4_000.0, 20_000.0])
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(a_weighting_db(freqs_hz), librosa.A_weighting(freqs_hz), atol=1e-3)


def test_a_level_is_that_of_the_loudest_moment(rng):
    """Tokozume et al.'s own loop, written out: Hann windows of 4096 samples, half overlapping, weighted power."""
    waveform = (rng.standard_normal(22_050) * np.linspace(0.01, 0.3, 22_050)).astype(np.float32)
    weights = 10 ** (np.maximum(librosa.A_weighting(np.fft.rfftfreq(4_096, 1 / 44_100)[1:]), -80) / 10)
    levels = []
    for begin in range(0, 22_050 - 4_096 + 1, 2_048):
        spectrum = np.fft.rfft(np.hanning(4_097)[:-1] * waveform[begin : begin + 4_096])
        levels.append(10 * np.log10((np.abs(spectrum[1:]) ** 2 * weights).sum()))
    level_db = max_a_weighted_db(torch.from_numpy(np.stack([waveform, 0.1 * waveform, 0 * waveform])), 44_100)
    assert level_db.tolist() == pytest.approx([max(levels), max(levels) - 20, -80], abs=0.01)


def test_sounds_are_mixed_by_what_the_ear_hears():
    """Equation 2 of between-class learning: a tone 20 dB louder needs a tenth of the other's share to be half of it."""
    loud, soft = sounds.tone(1_000.0, 0.5, RATE, 0.5), sounds.tone(1_100.0, 0.5, RATE, 0.05)
    both = torch.from_numpy(np.stack([loud, soft]))
    gap_db = float(max_a_weighted_db(both, RATE).diff())
    assert gap_db == pytest.approx(-20.0, abs=0.5)
    ratio = torch.tensor([0.5, 0.2, 1.0, 0.0])
    own, other = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    mixed = waveform.mix(both, own, other, ratio, RATE)
    for place, share in ((0, 0.5), (1, 0.2)):
        p = 1 / (1 + 10 ** (-gap_db / 20) * (1 - share) / share)
        np.testing.assert_allclose(mixed[place], (p * loud + (1 - p) * soft) / np.hypot(p, 1 - p), atol=1e-5)
    assert torch.equal(mixed[2], both[0])
    assert torch.equal(mixed[3], both[1])
    spectrum = np.abs(np.fft.rfft(mixed[0].numpy() * np.hanning(4_000)))
    assert spectrum[500] == pytest.approx(spectrum[550], rel=0.1), "heard as loud as each other"


def test_gain_is_decibels():
    plan = dataclasses.replace(draw(Augmentation(), 2, seeded()), gain_db=torch.tensor([-6.0206, 20.0]))
    assert waveform.amplify(torch.full((2, 3), 0.2), plan)[:, 0].tolist() == pytest.approx([0.1, 2.0], rel=1e-4)


# batches


@pytest.mark.parametrize("source", ["pictures", "sounds"])
def test_a_part_of_a_batch_is_that_part(kept, prepared, source):  # noqa: F811
    recipe = dataclasses.replace(SOUNDS, source=source)
    clips = on_device(kept if source == "sounds" else prepared, TRAINING_FOLDS, CPU)
    index = torch.randperm(80, generator=seeded(1))[:16]
    plan = draw(dataclasses.replace(recipe.augmentation, mix_share=1.0), 16, seeded(2))
    whole, soft = network_batch(clips, index, torch.arange(16), plan, recipe, 4)
    assert whole.shape == (16, 1, 32, 32)
    torch.testing.assert_close(soft.sum(dim=1), torch.ones(16))
    for places in (torch.arange(8), torch.arange(8, 16)):
        part, wanted = network_batch(clips, index, places, plan, recipe, 4)
        torch.testing.assert_close(part, whole[places], atol=2e-3, rtol=1e-3)
        torch.testing.assert_close(wanted, soft[places])


def test_without_augmentation_a_batch_is_the_clips(kept, prepared):  # noqa: F811
    index = torch.tensor([3, 70, 12])
    clips = on_device(prepared, TRAINING_FOLDS, CPU)
    batch, soft = network_batch(clips, index, torch.arange(3), None, QUICK, 4)
    chosen = np.flatnonzero(prepared.folds != HELD_OUT)[index]
    expected = network_input(torch.from_numpy(prepared.spectrograms_db[chosen]), HALF_A_SECOND)
    torch.testing.assert_close(batch[:, 0], expected)
    assert soft.argmax(1).tolist() == prepared.targets[chosen].tolist()
    from_sounds, _ = network_batch(on_device(kept, TRAINING_FOLDS, CPU), index, torch.arange(3), None, SOUNDS, 4)
    torch.testing.assert_close(from_sounds, batch, atol=0.05, rtol=0)


def test_a_run_learns_from_sounds(data, cache, tmp_path):  # noqa: F811
    recipe = dataclasses.replace(SOUNDS, epochs=12, augmentation=dataclasses.replace(SOUNDS.augmentation, mix_share=0.2))
    loop.train(prepare_for(recipe, read_clips(data), cache), recipe, TRAINING_FOLDS, HELD_OUT, 1, tmp_path / "run", 12)
    assert read_history(tmp_path / "run")[-1]["valid_accuracy"] > 0.9
