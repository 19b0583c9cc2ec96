"""Channels: tones that differ by channel, channels that cancel each other, two classes left and right."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
import soundfile

import sounds
from command_line import classify
from esc.audio.excerpt import write_excerpt
from esc.audio.facts import Reading
from esc.audio.io import load_audio, open_audio
from esc.audio.transcode import channels_path, decode
from esc.batch.options import BatchOptions
from esc.batch.runner import classify_files
from esc.errors import AudioError, ParameterError
from esc.paths import ROOT

RATE = 44_100
TONES_HZ = [440.0, 1_000.0, 2_500.0]
EXAMPLES = ROOT / "assets" / "examples"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sounds of one, two and three channels."""
    folder = tmp_path_factory.mktemp("channels")
    tones = np.stack([sounds.tone(hz, 1.0, RATE) for hz in TONES_HZ], axis=1)
    sounds.write(folder / "three.wav", tones, RATE)
    sounds.write(folder / "two.flac", tones[:, :2], RATE)
    sounds.write(folder / "one.wav", tones[:, 0], RATE)
    sounds.write(folder / "opposed.wav", np.stack([tones[:, 0], -tones[:, 0]], axis=1), RATE)
    return folder


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory):
    """Rain on the left, a siren on the right."""
    rain, rate = load_audio(EXAMPLES / "rain.flac")
    siren, _ = load_audio(EXAMPLES / "siren.flac", rate)
    length = min(len(rain), len(siren))
    path = tmp_path_factory.mktemp("stereo") / "both.wav"
    return sounds.write(path, np.stack([rain[:length], siren[:length]], axis=1), rate)


def amplitudes(waveform):
    """Return the amplitude of each of the tones, by their correlation with a complex exponential."""
    times_s = np.arange(len(waveform)) / RATE
    return [2 * abs(np.mean(waveform * np.exp(-2j * np.pi * hz * times_s))) for hz in TONES_HZ]


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("mean", [1 / 6, 1 / 6, 1 / 6]),
        ("left", [0.5, 0, 0]),
        ("right", [0, 0.5, 0]),
        ("mid", [0.25, 0.25, 0]),
        ("side", [0.25, 0.25, 0]),
        ("1", [0.5, 0, 0]),
        (3, [0, 0, 0.5]),
    ],
)
def test_tones_by_channel(folder, channel, expected):
    waveform, rate = load_audio(folder / "three.wav", channel=channel)
    assert rate == RATE
    np.testing.assert_allclose(amplitudes(waveform), expected, atol=1e-3)


def test_mid_and_side_give_left_and_right(folder):
    left, right, mid, side = (load_audio(folder / "two.flac", channel=channel)[0] for channel in ("left", "right", "mid", "side"))
    np.testing.assert_allclose(mid + side, left, atol=1e-6)
    np.testing.assert_allclose(mid - side, right, atol=1e-6)


def test_out_of_phase_channels(folder):
    rms = {}
    notes = {}
    for channel in ("mean", "left", "side"):
        facts, blocks = open_audio(folder / "opposed.wav", channel=channel)
        rms[channel] = np.sqrt(np.mean(np.concatenate(list(blocks)).astype(float) ** 2))
        notes[channel] = facts.notes
    assert rms["mean"] < 1e-4
    assert rms["left"] == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)
    assert rms["side"] == pytest.approx(rms["left"], rel=1e-3)
    assert notes == {"mean": ("phase",), "left": (), "side": ()}


@pytest.mark.parametrize(
    ("file", "channel", "has"),
    [
        ("one.wav", "left", "it has mean, 1"),
        ("one.wav", 2, "it has mean, 1"),
        ("two.flac", "3", "it has mean, left, right, mid, side, 1, 2"),
    ],
)
def test_missing_channel(folder, file, channel, has):
    with pytest.raises(AudioError, match=f"{file} has no channel {channel}; {has}"):
        load_audio(folder / file, channel=channel)


@pytest.fixture(scope="module")
def two_tracks(tmp_path_factory):
    """A track of 440 Hz, and one of 1 kHz on the left and 3 kHz on the right."""
    stereo = np.stack([sounds.tone(freq_hz, 1.0, RATE) for freq_hz in (1_000.0, 3_000.0)], axis=1)
    path = tmp_path_factory.mktemp("tracks") / "two.mp4"
    return sounds.write_tracks(path, [sounds.tone(440.0, 1.0, RATE), stereo], RATE)


def loudest_hz(waveform, rate):
    return float(np.abs(np.fft.rfft(waveform)).argmax()) * rate / len(waveform)


@pytest.mark.parametrize(
    ("asked", "channel", "freq_hz"),
    [("mean", "mean", 440), ("1:mean", "mean", 440), ("2:left", "2:left", 1_000), ("2:2", "2:2", 3_000)],
)
def test_channel_of_a_sound_track(two_tracks, tmp_path, asked, channel, freq_hz):
    waveform, rate = load_audio(two_tracks, channel=asked)
    assert loudest_hz(waveform, rate) == pytest.approx(freq_hz, abs=5)
    facts = decode(two_tracks, tmp_path / "two.f32", tmp_path / "two.flac", how=Reading(asked))
    assert (facts.channel, facts.tracks, facts.default_track) == (channel, 2, 1)
    assert ("tracks" in facts.notes) == (channel == "mean")
    copy, _ = soundfile.read(tmp_path / "two.flac")
    assert len(copy) == facts.n_samples and loudest_hz(copy, rate) == pytest.approx(freq_hz, abs=5), "the one drawn plays"
    cut = write_excerpt(two_tracks, tmp_path / "cut.wav", 0, 20_000, how=Reading(asked))
    assert cut.channels == 1 and loudest_hz(soundfile.read(tmp_path / "cut.wav")[0], rate) == pytest.approx(freq_hz, abs=5)


def test_whole_sound_track_keeps_its_channels(two_tracks, tmp_path):
    facts = decode(two_tracks, tmp_path / "two.f32", tmp_path / "two.flac", how=Reading("2:mean"))
    assert (facts.channel, facts.channels) == ("2:mean", 2)
    assert soundfile.info(tmp_path / "two.flac").channels == 2
    assert channels_path(tmp_path / "two.f32").exists()


def test_missing_sound_track(two_tracks, folder):
    with pytest.raises(AudioError, match=r"two.mp4 has no sound track 3; it has 2\."):
        load_audio(two_tracks, channel="3:mean")
    with pytest.raises(AudioError, match=r"two.mp4 has no channel 2:3; it has 2:mean, 2:left, .* 2:2, mean\."):
        load_audio(two_tracks, channel="2:3")
    with pytest.raises(AudioError, match=r"two.mp4 has no channel left; it has mean, 1, 2:mean\."):
        load_audio(two_tracks, channel="left")
    with pytest.raises(AudioError, match=r"one.wav has no sound track 2; it has 1\."):
        load_audio(folder / "one.wav", channel="2:mean")
    with pytest.raises(ParameterError, match="2:centre"):
        load_audio(two_tracks, channel="2:centre")


def test_command_line_classifies_a_sound_track(two_tracks):
    (row,) = json.loads(classify(two_tracks, "--channel", "2:right", "--format", "json").stdout)
    assert row["channel"] == "2:right"


@pytest.mark.parametrize("channel", ["", "0", "-1", "Left", "1.0", "²", 0, "each"])
def test_channel_that_is_none(folder, channel):
    with pytest.raises(ParameterError, match=r"channel = .* is not possible: choose one of mean, left, right, mid, side, 1, 2"):
        load_audio(folder / "two.flac", channel=channel)


def test_each_channel_equals_the_channel_as_a_file(two_classes, tmp_path):
    left, right = classify_files([two_classes], BatchOptions(channel="each"))
    assert [left.channel, right.channel] == ["1", "2"]
    assert [left.verdict, right.verdict] == ["rain", "siren"]
    for result in (left, right):
        waveform, rate = load_audio(two_classes, channel=result.channel)
        (alone,) = classify_files([sounds.write(tmp_path / "alone.wav", waveform, rate, "FLOAT")], BatchOptions())
        integers = sounds.write(tmp_path / "integers.wav", 32_768 * waveform, rate, "FLOAT")
        (divided,) = classify_files([integers], BatchOptions(full_scale=32_768))
        assert divided.top == alone.top
        assert alone.verdict == result.verdict
        assert dict(alone.top) == pytest.approx(dict(result.top), abs=1e-4)


def test_command_line_names_both_classes(two_classes):
    rows = json.loads(classify(two_classes, "--channel", "each", "--format", "json").stdout)
    assert [(row["channel"], row["verdict"]) for row in rows] == [("1", "rain"), ("2", "siren")]


def test_command_line_table_and_csv_name_the_channel(two_classes):
    assert "(right)" in classify(two_classes, "--channel", "right").stdout.replace("\n", "")
    ended = classify(two_classes, "--channel", "right", "--format", "csv", "--timeline")
    rows = list(csv.DictReader(io.StringIO(ended.stdout)))
    assert {(row["channel"], row["label"]) for row in rows} == {("right", "siren")}


def test_label_tracks_of_each_channel(two_classes, tmp_path):
    classify(two_classes, "--channel", "each", "--format", "audacity", "--output", tmp_path)
    labels = {path.name: path.read_text().split()[-1] for path in tmp_path.iterdir()}
    assert labels == {"both_1.txt": "rain", "both_2.txt": "siren"}


def test_raven_table_of_each_channel(two_classes):
    table = classify(two_classes, "--channel", "each", "--format", "raven").stdout
    rows = list(csv.DictReader(io.StringIO(table), delimiter="\t"))
    assert [(row["Channel"], row["Species"], row["Begin Time (s)"]) for row in rows] == [
        ("1", "rain", "0.000"),
        ("2", "siren", "0.000"),
    ]


def test_command_line_refuses_a_channel(folder):
    lacking = classify(folder / "one.wav", "--channel", "left")
    assert lacking.returncode == 1
    assert "one.wav has no channel left; it has mean, 1, each." in lacking.stderr
    unknown = classify(folder / "one.wav", "--channel", "centre")
    assert unknown.returncode == 2
    assert "channel = centre is not possible" in unknown.stderr and unknown.stderr.endswith("2:mean, ..., each.\n")
    with_ray = classify(folder, "--channel", "each", "--engine", "ray", "--output", folder / "all.csv")
    assert with_ray.returncode == 2
    assert "--channel" in with_ray.stderr


def test_damaged_file_of_each_channel_is_reported_once(tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"no sound at all" * 100)
    (error,) = classify_files([tmp_path / "broken.wav"], BatchOptions(channel="each"))
    assert isinstance(error, AudioError)


@pytest.mark.parametrize(("channel", "kept"), [("left", [0.5, 0, 0]), ("3", [0, 0, 0.5]), ("side", [0.25, 0.25, 0])])
def test_decoded_channel_and_its_copy(folder, tmp_path, channel, kept):
    target, copy = tmp_path / "out.f32", tmp_path / "copy.flac"
    facts = decode(folder / "three.wav", target, copy, how=Reading(channel))
    assert facts.channel == channel and facts.copied
    np.testing.assert_allclose(amplitudes(np.fromfile(target, np.float32)), kept, atol=1e-3)
    played, _ = soundfile.read(copy, always_2d=True)
    assert played.shape[1] == 1
    np.testing.assert_allclose(amplitudes(played[:, 0]), kept, atol=1e-3)
    assert not channels_path(target).exists(), "one channel is drawn alone"
    np.testing.assert_allclose(facts.channel_rms, 0.5 / np.sqrt(2), rtol=1e-3)


def test_channels_without_room_are_left_out(folder, tmp_path):
    enough = 4 * RATE + 2 * 2 * RATE
    for target, room in ((tmp_path / "with.f32", enough), (tmp_path / "without.f32", enough - 1)):
        decode(folder / "two.flac", target, max_bytes=room)
        assert target.stat().st_size == 4 * RATE
    assert channels_path(tmp_path / "with.f32").stat().st_size == 2 * 2 * RATE
    assert not channels_path(tmp_path / "without.f32").exists()


@pytest.mark.parametrize(
    ("channel", "shape", "kept"),
    [("mean", 3, None), ("right", 1, [0, 0.5, 0]), ("3", 1, [0, 0, 0.5]), ("side", 1, [0.25, 0.25, 0])],
)
def test_excerpt_of_a_channel(folder, tmp_path, channel, shape, kept):
    written = write_excerpt(folder / "three.wav", tmp_path / "cut.wav", 0, RATE, how=Reading(channel))
    samples, _ = soundfile.read(tmp_path / "cut.wav", always_2d=True)
    assert written.channels == samples.shape[1] == shape and written.n_samples == RATE
    if kept:
        np.testing.assert_allclose(amplitudes(samples[:, 0]), kept, atol=1e-3)
