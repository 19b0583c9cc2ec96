"""Prepared waveforms, their augmentation, and batches; against librosa and formulas."""

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
from small_data import HALF_A_SECOND, HELD_OUT, QUICK, RATE, TRAINING_FOLDS, outer
from training.augmentation import waveform
from training.augmentation.plan import draw
from training.data.esc50 import read_clips
from training.data.preprocessing import prepare_for, prepare_waveforms
from training.engine.batches import network_batch, on_device, spectrograms_of
from training.recipes import Augmentation
from training.runs.run_dir import read_history

SOUNDS = dataclasses.replace(QUICK, source="waveforms", augmentation=dataclasses.replace(QUICK.augmentation, gain_db=6.0))
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def kept(clips, cache):
    return prepare_waveforms(clips, RATE, HALF_A_SECOND.clip_seconds, cache, jobs=1)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# prepared waveforms


def test_prepared_waveforms(clips, kept):
    assert (kept.waveforms.shape, kept.waveforms.dtype, kept.spectrograms_db) == ((100, 4_000), np.int16, None)
    assert isinstance(kept.waveforms, np.memmap)
    for index in (0, 41, 99):
        expected = fit_clip(load_audio(clips[index].path, RATE)[0], 4_000)
        peak = np.abs(expected).max()
        assert np.abs(kept.waveforms[index] * kept.scales[index] - expected).max() <= 0.51 * peak / 32_767
        assert np.abs(kept.waveforms[index].astype(int)).max() == 32_767


def test_quiet_clip_keeps_its_dynamic_range(tmp_path):
    """Without normalisation, int16 would leave a sound at -70 dBFS with 28 dB."""
    quiet = 10 ** (-70 / 20) * sounds.busy(5.0)
    sounds.write(tmp_path / "1-1-A-0.wav", quiet, 44_100, "FLOAT")
    (tmp_path / "esc50.csv").write_text("filename,fold,target,category,src_file\n1-1-A-0.wav,1,0,busy,1\n")
    kept = prepare_waveforms(read_clips(tmp_path), 44_100, 5.0, tmp_path / "cache", jobs=1)
    back = kept.waveforms[0] * kept.scales[0]
    difference = (mel_db(back, ESC50) - mel_db(fit_clip(quiet, 220_500), ESC50)).abs()
    assert float(difference.mean()) < 0.05
    assert float(difference.max()) < 3.0  # at the floor, 80 dB below the loudest


def test_silent_clip(tmp_path):
    sounds.write(tmp_path / "1-1-A-0.wav", np.zeros(8_000, np.float32), RATE)
    (tmp_path / "esc50.csv").write_text("filename,fold,target,category,src_file\n1-1-A-0.wav,1,0,nothing,1\n")
    kept = prepare_waveforms(read_clips(tmp_path), RATE, 0.5, tmp_path / "cache", jobs=1)
    assert not kept.waveforms.any()
    assert np.isfinite(kept.scales).all()


def test_truncated_waveform_cache(clips, tmp_path):
    clips = clips[:4]
    prepare_waveforms(clips, RATE, 0.5, tmp_path, jobs=1)
    (file,) = tmp_path.rglob("waveforms.npy")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError) as caught:
        prepare_waveforms(clips, RATE, 0.5, tmp_path, jobs=1)
    assert caught.value.key == "data.cache"
    assert str(file) in str(caught.value)


def test_spectrograms_of_prepared_waveforms(kept, prepared):
    made = spectrograms_of(on_device(kept, (HELD_OUT,), CPU), SOUNDS)
    theirs = torch.from_numpy(prepared.spectrograms_db[prepared.folds == HELD_OUT])
    assert float((made - theirs).abs().mean()) < 0.02


# moving, mixing


def test_time_shift_by_whole_samples(rng):
    waveforms = torch.from_numpy(rng.standard_normal((5, 300)).astype(np.float32))
    plan = draw(Augmentation(), 5, seeded())
    moved = waveform.shift_time(waveforms, plan)
    for before, after, start in zip(waveforms, moved, plan.start, strict=True):
        assert torch.equal(after, before.roll(-int(300 * float(start))))


def test_speed_changes_pitch():
    waveforms = torch.from_numpy(sounds.tone(1_000.0, 1.0, RATE)).repeat(6, 1)
    plan = dataclasses.replace(draw(Augmentation(speed=0.2), 6, seeded()), start=torch.zeros(6))
    moved = waveform.shift_time(waveforms, plan)[:, :6_000]
    peaks = torch.fft.rfft(moved * torch.hann_window(6_000)).abs().argmax(dim=1) * RATE / 6_000
    torch.testing.assert_close(peaks, 1_000 * plan.speed, atol=RATE / 6_000, rtol=0)
    assert plan.speed.max() - plan.speed.min() > 0.1


def test_looped_segment_of_a_waveform():
    ramp = torch.arange(100.0).expand(3, -1)
    plan = dataclasses.replace(draw(Augmentation(), 3, seeded()), start=torch.full((3,), 0.905), segment=torch.full((3,), 0.25))
    assert waveform.shift_time(ramp, plan)[1].tolist() == [*range(90, 100), *range(15)] * 4


def test_a_weighting_equals_librosa():
    freqs_hz = np.array([0.0, 10.0, 100.0, 1_000.0, 4_000.0, 20_000.0])
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(a_weighting_db(freqs_hz), librosa.A_weighting(freqs_hz), atol=1e-3)


def test_level_of_the_loudest_frame(rng):
    """Tokozume et al.'s own loop, written out: Hann windows of 4096 samples, half overlapping, weighted power."""
    waveform = (rng.standard_normal(22_050) * np.linspace(0.01, 0.3, 22_050)).astype(np.float32)
    weights = 10 ** (np.maximum(librosa.A_weighting(np.fft.rfftfreq(4_096, 1 / 44_100)[1:]), -80) / 10)
    levels = []
    for begin in range(0, 22_050 - 4_096 + 1, 2_048):
        spectrum = np.fft.rfft(np.hanning(4_097)[:-1] * waveform[begin : begin + 4_096])
        levels.append(10 * np.log10((np.abs(spectrum[1:]) ** 2 * weights).sum()))
    level_db = max_a_weighted_db(torch.from_numpy(np.stack([waveform, 0.1 * waveform, 0 * waveform])), 44_100)
    assert level_db.tolist() == pytest.approx([max(levels), max(levels) - 20, -80], abs=0.01)


def test_mix_by_perceived_level():
    """Equation 2 of between-class learning: a tone 20 dB louder needs a tenth of the other's share to be half of it."""
    loud, soft = sounds.tone(1_000.0, 0.5, RATE, 0.5), sounds.tone(1_100.0, 0.5, RATE, 0.05)
    both = torch.from_numpy(np.stack([loud, soft]))
    gap_db = float(max_a_weighted_db(both, RATE).diff())
    assert gap_db == pytest.approx(-20.0, abs=0.5)
    ratio = torch.tensor([0.5, 0.2, 1.0, 0.0])
    own, other = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    mixed = waveform.mix(both, own, other, ratio, RATE)
    for index, share in ((0, 0.5), (1, 0.2)):
        p = 1 / (1 + 10 ** (-gap_db / 20) * (1 - share) / share)
        np.testing.assert_allclose(mixed[index], (p * loud + (1 - p) * soft) / np.hypot(p, 1 - p), atol=1e-5)
    assert torch.equal(mixed[2], both[0])
    assert torch.equal(mixed[3], both[1])
    spectrum = np.abs(np.fft.rfft(mixed[0].numpy() * np.hanning(4_000)))
    assert spectrum[500] == pytest.approx(spectrum[550], rel=0.1), "equally loud"


def test_gain_is_decibels():
    plan = dataclasses.replace(draw(Augmentation(), 2, seeded()), gain_db=torch.tensor([-6.0206, 20.0]))
    assert waveform.amplify(torch.full((2, 3), 0.2), plan)[:, 0].tolist() == pytest.approx([0.1, 2.0], rel=1e-4)


# batches


@pytest.mark.parametrize("source", ["spectrograms", "waveforms"])
def test_part_of_a_batch(kept, prepared, source):
    recipe = dataclasses.replace(SOUNDS, source=source)
    clips = on_device(kept if source == "waveforms" else prepared, TRAINING_FOLDS, CPU)
    index = torch.randperm(80, generator=seeded(1))[:16]
    plan = draw(dataclasses.replace(recipe.augmentation, mix_share=1.0), 16, seeded(2))
    whole, soft = network_batch(clips, index, torch.arange(16), plan, recipe, 4)
    assert whole.shape == (16, 1, 32, 32)
    torch.testing.assert_close(soft.sum(dim=1), torch.ones(16))
    for part in (torch.arange(8), torch.arange(8, 16)):
        images, wanted = network_batch(clips, index, part, plan, recipe, 4)
        torch.testing.assert_close(images, whole[part], atol=2e-3, rtol=1e-3)
        torch.testing.assert_close(wanted, soft[part])


def test_batch_without_augmentation(kept, prepared):
    index = torch.tensor([3, 70, 12])
    clips = on_device(prepared, TRAINING_FOLDS, CPU)
    batch, soft = network_batch(clips, index, torch.arange(3), None, QUICK, 4)
    chosen = np.flatnonzero(prepared.folds != HELD_OUT)[index]
    expected = network_input(torch.from_numpy(prepared.spectrograms_db[chosen]), HALF_A_SECOND)
    torch.testing.assert_close(batch[:, 0], expected)
    assert soft.argmax(1).tolist() == prepared.targets[chosen].tolist()
    from_sounds, _ = network_batch(on_device(kept, TRAINING_FOLDS, CPU), index, torch.arange(3), None, SOUNDS, 4)
    torch.testing.assert_close(from_sounds, batch, atol=0.05, rtol=0)


@pytest.mark.slow
def test_training_on_waveforms(clips, cache, tmp_path):
    recipe = dataclasses.replace(SOUNDS, epochs=12, augmentation=dataclasses.replace(SOUNDS.augmentation, mix_share=0.2))
    loop.train(prepare_for(recipe, clips, cache), outer(recipe), tmp_path / "run", loop.Validation(12))
    assert read_history(tmp_path / "run")[-1]["valid_accuracy"] > 0.9
