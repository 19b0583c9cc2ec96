"""Files as recorders, phones, pipes and editors write them, against FFmpeg's decoders and the sounds that they were made from."""

from __future__ import annotations

import csv
from pathlib import Path

import av
import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sounds
from esc.audio import io
from esc.audio.facts import AudioFacts, integer_scale
from esc.audio.io import load_audio, open_audio
from esc.audio.transcode import decode
from esc.errors import AudioError, ParameterError

FILES = Path(__file__).resolve().parents[1] / "files"
CASES = {row["file"]: row for row in csv.DictReader((FILES / "cases.csv").read_text(encoding="utf-8").splitlines())}
INCOMPLETE = {"cut_off", "damaged"}  # notes that something is missing


def read(path: Path) -> tuple[AudioFacts, np.ndarray]:
    facts, blocks = open_audio(path)
    return facts, np.concatenate(list(blocks))


def onsets(waveform: np.ndarray, rate: int) -> list[float]:
    """Return the times at which bursts begin, at least 0.1 s apart."""
    loud = np.flatnonzero(np.abs(waveform) > 0.1)
    return [round(float(start) / rate, 2) for start in loud[np.diff(loud, prepend=-rate) > rate // 10]]


def decoded_by_ffmpeg(path: Path) -> float:
    """Return the seconds in all frames of all packets that FFmpeg's decoder accepts."""
    seconds = 0.0
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.best("audio")):
            try:
                seconds += sum(frame.samples / frame.rate for frame in packet.decode())
            except av.FFmpegError:
                continue
    return seconds


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    case = CASES[name]
    if case["expect"] == "refuse":
        with pytest.raises(AudioError) as caught:
            load_audio(FILES / name)
        assert caught.value.key == "audio.scale"
        return
    facts, waveform = read(FILES / name)
    assert np.isfinite(waveform).all()
    if case["seconds"]:
        assert facts.seconds == pytest.approx(float(case["seconds"]), abs=0.05)
        assert facts.seconds == pytest.approx(decoded_by_ffmpeg(FILES / name), abs=0.05)
    assert not INCOMPLETE & set(facts.notes) or case["expect"] == "cut_off"
    assert ("phase" in facts.notes) == (case["expect"] == "phase")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chained.ogg", [0.5, 1.0, 2.0, 3.5, 4.0, 5.0]),
        ("joined.mp3", [0.5, 1.0, 2.0, 3.53, 4.03, 5.03]),
        ("granule8000.opus", [0.5, 1.0, 2.0]),
        ("delay2s.m4a", [2.5, 3.0, 4.0]),
        ("unknown_total.flac", [0.5, 1.0, 2.0]),
        ("size0.wav", [0.5, 1.0, 2.0]),
    ],
)
def test_onsets(name, expected):
    facts, waveform = read(FILES / name)
    assert onsets(waveform, facts.sample_rate) == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("name", ["corrupt_packet.m4a", "adts_cut.aac"])
def test_damaged_packet_is_noted(name):
    assert "damaged" in read(FILES / name)[0].notes


def test_opus_header_rate_is_no_sample_rate():
    facts, waveform = read(FILES / "opus_header0.opus")
    spectrum = np.abs(np.fft.rfft(waveform))
    level = {
        freq: spectrum[round(freq * facts.seconds) - 60 : round(freq * facts.seconds) + 60].max() for freq in (1_000, 10_000)
    }
    assert facts.sample_rate == 48_000
    assert level[10_000] > level[1_000] / 2


def test_default_track_of_several():
    facts, _ = read(FILES / "two_tracks_second_default.mp4")
    assert (facts.tracks, facts.steady) == (2, False)
    assert "tracks" in facts.notes


@pytest.mark.parametrize(
    ("name", "copied"),
    [
        ("delay2s.m4a", True), ("vbr_by_pipe.mp3", True), ("joined.mp3", True), ("total_double.flac", True), ("size0.wav", True),
        ("off44.wav", True), ("two_tracks_second_default.mp4", True), ("video10s_audio3s.mp4", False), ("outofphase.wav", False),
    ],
)  # fmt: skip
def test_browsers_play_a_copy_where_their_clock_may_differ(tmp_path, name, copied):
    facts = decode(FILES / name, tmp_path / "out.f32", tmp_path / "copy.flac")
    assert facts.copied is copied
    if copied:
        assert soundfile.info(tmp_path / "copy.flac").frames == facts.n_samples


def bursts(rate: int, channels: int) -> np.ndarray:
    waveform = np.zeros(3 * rate, np.float32)
    for start_s, freq_hz in ((0.5, 1_000.0), (1.0, 2_000.0), (2.0, 3_000.0)):
        start = round(start_s * rate)
        waveform[start : start + rate // 5] = sounds.tone(freq_hz, 0.2, rate)
    return sounds.in_channels(waveform, channels)


@pytest.mark.parametrize("kind", ["ogg VORBIS", "opus OPUS", "oga FLAC"])
@pytest.mark.parametrize("second", [(48_000, 1), (48_000, 2), (24_000, 1)], ids=str)
def test_chained_links_of_other_rates_and_channels(tmp_path, kind, second):
    ending, codec = kind.split()
    contents = b""
    for rate, channels in ((48_000, 1), second):
        if codec == "FLAC":
            contents += sounds.write_av(tmp_path / "one.oga", bursts(rate, channels), rate, "flac").read_bytes()
        else:
            contents += sounds.write(tmp_path / f"one.{ending}", bursts(rate, channels), rate, codec).read_bytes()
    path = tmp_path / f"chained.{ending}"
    path.write_bytes(contents)
    facts, waveform = read(path)
    assert (facts.sample_rate, facts.channels, facts.notes) == (48_000, 1, ())
    assert onsets(waveform, 48_000) == pytest.approx([0.5, 1.0, 2.0, 3.5, 4.0, 5.0], abs=0.02)


# a header's fault: what it does to a WAV's or FLAC's bytes, and whether something is missing then


def _with_size(data: bytes, size: int) -> bytes:
    at = data.index(b"data") + 4
    return data[:at] + size.to_bytes(4, "little") + data[at + 4 :]


def _flac_total(data: bytes, samples: int) -> bytes:
    return data[:21] + bytes([data[21] & 0xF0]) + samples.to_bytes(4, "big") + data[26:]


WAV_FAULTS = {
    "none": (lambda data: data, False),
    "size 0": (lambda data: _with_size(data, 0), False),
    "size of a pipe": (lambda data: _with_size(data, 0xFFFF_FFFF), False),
    "size of another pipe": (lambda data: _with_size(data, 0x7FFF_FFFF - 36), False),
    "some bytes too long": (lambda data: _with_size(data, len(data)), False),
    "twice as long": (lambda data: _with_size(data, 2 * len(data)), True),
    "half of it": (lambda data: data[: len(data) // 2], True),
    "LIST after it": (lambda data: data + b"LIST" + (4).to_bytes(4, "little") + b"INFO", False),
}
FLAC_FAULTS = {
    "none": (lambda data: data, False),
    "total 0": (lambda data: _flac_total(data, 0), False),
    "total too large": (lambda data: _flac_total(data, 2**31), True),
    "total too small": (lambda data: _flac_total(data, 1_000), False),
    "half of it": (lambda data: data[: len(data) // 2], True),
    "ID3 before it": (lambda data: b"ID3\x04\x00\x00\x00\x00\x02\x00" + bytes(256) + data, False),
}
FAULTS = [("wav", fault) for fault in WAV_FAULTS] + [("flac", fault) for fault in FLAC_FAULTS]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    fault=st.sampled_from(FAULTS),
    width=st.sampled_from(["PCM_16", "PCM_24"]),
    rate=st.sampled_from([8_000, 22_050, 44_100, 96_000]),
    channels=st.integers(1, 8),
)
def test_lossless_samples_survive_a_wrong_header(tmp_path, fault, width, rate, channels):
    ending, name = fault
    alter, incomplete = {"wav": WAV_FAULTS, "flac": FLAC_FAULTS}[ending][name]
    samples = np.random.default_rng(rate + channels).uniform(-0.5, 0.5, (2 * rate, channels)).astype(np.float32)
    path = sounds.write(tmp_path / f"a.{ending}", samples, rate, width)
    whole = soundfile.read(path, dtype="float64", always_2d=True)[0].mean(axis=1).astype(np.float32)
    path.write_bytes(alter(path.read_bytes()))
    facts, waveform = read(path)
    assert (facts.sample_rate, facts.channels) == (rate, channels)
    assert bool(INCOMPLETE & set(facts.notes)) == incomplete
    assert len(waveform) == len(whole) if name != "half of it" else 0 < len(waveform) < 1.2 * rate
    np.testing.assert_array_equal(waveform, whole[: len(waveform)])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(
    kind=st.sampled_from(
        [("m4a", "aac"), ("aac", "aac"), ("mp3", "libmp3lame"), ("flac", "flac"), ("caf", "alac"), ("wv", "wavpack")]
    ),
    rate=st.sampled_from([24_000, 48_000]),
    channels=st.sampled_from([1, 2]),
    place=st.floats(0.3, 0.6),
)
def test_bad_bytes_cost_only_their_packets(tmp_path, kind, rate, channels, place):
    ending, codec = kind
    path = sounds.write_av(tmp_path / f"a.{ending}", bursts(rate, channels), rate, codec)
    data = bytearray(path.read_bytes())
    at = round(place * len(data))
    data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    facts, waveform = read(path)
    assert 0.9 < facts.seconds < 3.1  # a packet of WavPack lasts half a second, and a false header of AAC may span several
    assert INCOMPLETE & set(facts.notes) or facts.seconds > 2.9
    assert np.isfinite(waveform).all()


def test_a_lost_page_is_noted(tmp_path):
    samples = np.random.default_rng(0).uniform(-0.5, 0.5, 480_000).astype(np.float32)
    path = sounds.write(tmp_path / "a.opus", samples, 48_000, "OPUS")
    data = path.read_bytes()
    pages = [at for at in range(len(data)) if data.startswith(b"OggS", at)]
    middle = len(pages) // 2
    path.write_bytes(data[: pages[middle]] + data[pages[middle + 1] :])
    facts, _ = read(path)
    assert facts.notes == ("damaged",)
    assert 5.0 < facts.seconds < 10.0


@pytest.mark.parametrize(("weight", "noted"), [(-1.0, True), (-0.9, True), (0.0, False), (0.5, False), (1.0, False)])
def test_channels_that_cancel_are_noted(tmp_path, rng, weight, noted):
    left = 0.1 * rng.standard_normal(20_000)
    path = sounds.write(tmp_path / "a.wav", np.stack([left, weight * left], axis=1), 44_100, "PCM_16")
    assert ("phase" in read(path)[0].notes) is noted


@pytest.mark.parametrize("channels", [2, 6, 16])
def test_unrelated_channels_do_not_cancel(tmp_path, rng, channels):
    path = sounds.write(tmp_path / "a.wav", 0.1 * rng.standard_normal((20_000, channels)), 44_100, "PCM_16")
    assert read(path)[0].notes == ()


def test_integers_as_floats_are_noted(tmp_path):
    path = sounds.write(tmp_path / "a.wav", 32_768 * sounds.tone(), 44_100, "FLOAT")
    assert read(path)[0].notes == ("scale",)
    waveform, _ = load_audio(path, full_scale=32_768)
    np.testing.assert_array_equal(waveform, sounds.tone())
    plain = sounds.write(tmp_path / "b.wav", sounds.tone(), 44_100, "FLOAT")
    facts, blocks = open_audio(plain, full_scale=32_768)
    assert list(blocks) and facts.notes == ("divided",)
    for wrong in (0, 0.5, 2**32, float("nan"), "32768", True):
        with pytest.raises(ParameterError, match="full_scale"):
            load_audio(path, full_scale=wrong)
    assert read(sounds.write(tmp_path / "b.wav", 8 * sounds.tone(), 44_100, "FLOAT"))[0].notes == ()


@pytest.mark.parametrize("rate", [1_000, 44_100, 96_000])
def test_time_expansion(tmp_path, rate):
    """Samples stay, the rate is multiplied, and resampling starts from it."""
    path = sounds.write(tmp_path / "bat.wav", sounds.tone(0.1 * rate, 1.0, rate), rate, "PCM_16")
    slowed, _ = load_audio(path)
    waveform, expanded = load_audio(path, time_expansion=8)
    assert expanded == 8 * rate
    np.testing.assert_array_equal(waveform, slowed)
    facts, blocks = open_audio(path, time_expansion=8)
    assert list(blocks) and (facts.seconds, facts.notes) == (0.125, ("band",) if rate > 12_500 else ())
    resampled, _ = load_audio(path, 4 * rate, time_expansion=8)
    np.testing.assert_allclose(resampled, librosa.resample(slowed, orig_sr=8 * rate, target_sr=4 * rate), atol=1e-6)
    spectrum = np.abs(np.fft.rfft(resampled * np.hanning(len(resampled))))
    assert spectrum.argmax() * 4 * rate / len(resampled) == pytest.approx(0.8 * rate, rel=0.01)
    for wrong in (0, 0.5, 101, float("nan"), "10", True):
        with pytest.raises(ParameterError, match="time_expansion"):
            load_audio(path, time_expansion=wrong)


def test_time_expansion_beyond_the_rates(tmp_path):
    path = sounds.write(tmp_path / "a.wav", sounds.tone(), 44_100, "PCM_16")
    with pytest.raises(AudioError, match="44100 Hz, which a time expansion of 20 makes 882000 Hz; accepted are 1000 to 768000"):
        load_audio(path, time_expansion=20)


@pytest.mark.parametrize(("bits", "key"), [(24, "audio.integers"), (32, "audio.integers"), (64, "audio.scale")])
def test_wide_integers_as_floats_are_refused_unless_divided(tmp_path, bits, key):
    scale = 2.0 ** (bits - 1)
    path = sounds.write(tmp_path / "a.wav", scale * sounds.tone(), 44_100, "FLOAT")
    with pytest.raises(AudioError) as caught:
        load_audio(path)
    assert caught.value.key == key and (str(2 ** (bits - 1)) in str(caught.value)) == (bits < 64)
    assert integer_scale(scale) == (scale if bits < 64 else None)
    if bits < 64:
        np.testing.assert_array_equal(load_audio(path, full_scale=scale)[0], sounds.tone())


def test_no_array_beyond_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(io, "MAX_WAVEFORM_BYTES", 100_000)
    for name in ("a.wav", "a.flac"):
        path = sounds.write(tmp_path / name, sounds.tone(), 44_100, "PCM_16")
        with pytest.raises(AudioError) as caught:
            load_audio(path)
        assert caught.value.key == "audio.memory"
        assert len(load_audio(path, 22_050)[0]) == 22_050


@pytest.mark.parametrize("rate", [1_000, 4_000, 250_000, 384_000, 500_000, 768_000])
def test_rates_of_loggers_and_bat_detectors(tmp_path, rate):
    path = sounds.write(tmp_path / "a.wav", sounds.tone(rate / 8, 0.5, rate), rate, "PCM_16")
    facts = decode(path, tmp_path / "out.f32", tmp_path / "copy.flac")
    assert (facts.sample_rate, facts.n_samples, facts.copied) == (rate, rate // 2, True)
    assert ("band" in facts.notes) == (rate > 100_000)
    copy = soundfile.info(tmp_path / "copy.flac")
    assert copy.samplerate == (192_000 if rate > 192_000 else 48_000)  # what slow playback makes audible is in it
    assert copy.duration == pytest.approx(0.5, abs=1e-3)
