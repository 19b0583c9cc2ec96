"""Audio input: containers, sample formats, rates, channels and broken files."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

import sounds
from esc.audio import io
from esc.audio.io import load_audio, open_audio
from esc.audio.resampling import resample
from esc.audio.waveform import fit_clip, is_silent, to_mono
from esc.errors import MESSAGES, AudioError, ParameterError

FREQ_HZ = 440.0
ALL_RATES = (8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000)
MP3_RATES, OPUS_RATES = (8_000, 11_025, 22_050, 44_100, 48_000), (8_000, 12_000, 16_000, 24_000, 48_000)
AAC_RATES = (8_000, 11_025, 22_050, 44_100, 48_000, 96_000)
ALL_CHANNELS = (1, 2, 6, 8)
# name: (file, libsndfile's subtype or FFmpeg's codec, rates, channels, tolerance of the level)
SOUNDFILE = {
    "wav 8 bit": ("a.wav", "PCM_U8", ALL_RATES, ALL_CHANNELS, 0.02),
    "wav 16 bit": ("a.wav", "PCM_16", ALL_RATES, ALL_CHANNELS, 1e-3),
    "wav 24 bit": ("a.wav", "PCM_24", ALL_RATES, ALL_CHANNELS, 1e-3),
    "wav 32 bit": ("a.wav", "PCM_32", ALL_RATES, ALL_CHANNELS, 1e-3),
    "wav float": ("a.wav", "FLOAT", ALL_RATES, ALL_CHANNELS, 1e-3),
    "wav double": ("a.wav", "DOUBLE", ALL_RATES, ALL_CHANNELS, 1e-3),
    "flac": ("a.flac", "PCM_16", ALL_RATES, ALL_CHANNELS, 1e-3),
    "flac 24 bit": ("a.flac", "PCM_24", ALL_RATES, ALL_CHANNELS, 1e-3),
    "aiff": ("a.aiff", "PCM_16", ALL_RATES, ALL_CHANNELS, 1e-3),
    "ogg vorbis": ("a.ogg", "VORBIS", ALL_RATES, ALL_CHANNELS, 0.1),
    "ogg opus": ("a.opus", "OPUS", OPUS_RATES, ALL_CHANNELS, 0.1),
    "mp3": ("a.mp3", "MPEG_LAYER_III", MP3_RATES, (1, 2), 0.1),
}
FFMPEG = {
    "m4a aac": ("a.m4a", "aac", AAC_RATES, ALL_CHANNELS, 0.2),
    "m4a alac": ("a.m4a", "alac", ALL_RATES, (1, 2, 6), 1e-3),
    "aac": ("a.aac", "aac", AAC_RATES, ALL_CHANNELS, 0.2),
    "webm opus": ("a.webm", "libopus", OPUS_RATES, ALL_CHANNELS, 0.2),
    "mka flac": ("a.mka", "flac", ALL_RATES, ALL_CHANNELS, 1e-3),
    "mka opus": ("a.mka", "libopus", OPUS_RATES, ALL_CHANNELS, 0.2),
}
FILMS = {"mp4 film": ("a.mp4", "aac", 48_000), "webm film": ("a.webm", "libopus", 48_000), "mkv film": ("a.mkv", "flac", 44_100)}


def make(folder: Path, kind: str, sample_rate: int, channels: int, seconds: float = 1.0) -> Path:
    table = SOUNDFILE if kind in SOUNDFILE else FFMPEG
    file, codec, *_ = table[kind]
    samples = sounds.in_channels(sounds.tone(FREQ_HZ, seconds, sample_rate), channels)
    if kind in SOUNDFILE:
        return sounds.write(folder / file, samples, sample_rate, codec)
    return sounds.write_av(folder / file, samples, sample_rate, codec)


def loudest_hz(waveform: np.ndarray, sample_rate: int) -> float:
    padded = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform)), 8 * len(waveform)))
    return float(padded.argmax() * sample_rate / (8 * len(waveform)))


def check_tone(path: Path, sample_rate: int, channels: int, tolerance: float, lossless: bool) -> None:
    facts, blocks = open_audio(path)
    waveform = np.concatenate(list(blocks))
    assert waveform.dtype == np.float32
    assert waveform.ndim == 1
    assert (facts.sample_rate, facts.channels) == (sample_rate, channels)
    assert facts.n_samples == len(waveform)
    assert not facts.cut_off
    assert loudest_hz(waveform, sample_rate) == pytest.approx(FREQ_HZ, abs=2.0)
    # a codec may add its delay and fill up its last frame: some 1024 samples each
    assert len(waveform) == (sample_rate if lossless else pytest.approx(sample_rate, abs=2_400))
    middle = waveform[len(waveform) // 4 : 3 * len(waveform) // 4]
    mean_gain = 0.75 if channels > 1 else 1.0
    assert np.sqrt(2 * np.mean(middle**2)) == pytest.approx(0.5 * mean_gain, rel=tolerance)


@pytest.mark.parametrize(
    ("kind", "sample_rate"), [(kind, rate) for table in (SOUNDFILE, FFMPEG) for kind, row in table.items() for rate in row[2]]
)
def test_every_rate(tmp_path, kind, sample_rate):
    path = make(tmp_path, kind, sample_rate, 1)
    *_, tolerance = (SOUNDFILE | FFMPEG)[kind]
    decoded_rate = 48_000 if "opus" in kind else sample_rate  # whatever the rate before encoding was (RFC 7845, 5.1)
    check_tone(path, decoded_rate, 1, tolerance, lossless=tolerance < 0.1)


@pytest.mark.parametrize(
    ("kind", "channels"), [(kind, n) for table in (SOUNDFILE, FFMPEG) for kind, row in table.items() for n in row[3] if n > 1]
)
def test_every_number_of_channels(tmp_path, kind, channels):
    path = make(tmp_path, kind, 48_000, channels)
    *_, tolerance = (SOUNDFILE | FFMPEG)[kind]
    lossless = tolerance < 0.1
    if not lossless and channels > 2:
        tolerance = 0.3  # a codec keeps only the lowest frequencies of the bass channel
    check_tone(path, 48_000, channels, tolerance, lossless)


@pytest.mark.parametrize("kind", FILMS)
def test_sound_of_a_film(tmp_path, kind):
    file, codec, sample_rate = FILMS[kind]
    samples = sounds.in_channels(sounds.tone(FREQ_HZ, 1.0, sample_rate), 2)
    check_tone(sounds.write_av(tmp_path / file, samples, sample_rate, codec, video=True), sample_rate, 2, 0.2, codec == "flac")


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 8])
def test_downmix_equals_librosas(tmp_path, rng, channels):
    samples = 0.2 * rng.standard_normal((5_000, channels)).astype(np.float32)
    path = sounds.write(tmp_path / "a.wav", samples, 22_050, "FLOAT")
    waveform, sample_rate = load_audio(path)
    theirs, _ = librosa.load(path, sr=None, mono=True)
    assert sample_rate == 22_050
    np.testing.assert_allclose(waveform, theirs, atol=1e-7)
    resampled, sample_rate = load_audio(path, 16_000)
    theirs, _ = librosa.load(path, sr=16_000, mono=True)
    assert sample_rate == 16_000
    np.testing.assert_allclose(resampled, theirs, atol=1e-6)


@pytest.mark.parametrize(
    "rates", [(44_100, 22_050), (48_000, 44_100), (8_000, 192_000), (11_025, 48_000), (44_100, 16_000)], ids=str
)
@pytest.mark.parametrize("n_samples", [2, 1_001, 9_999])
def test_resample_equals_librosas(rng, rates, n_samples):
    waveform = rng.standard_normal(n_samples).astype(np.float32)
    ours = resample(waveform, *rates)
    theirs = librosa.resample(waveform, orig_sr=rates[0], target_sr=rates[1], res_type="soxr_hq")
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_resample_to_the_same_rate_changes_nothing(tone):
    assert resample(tone, 44_100, 44_100) is tone


def test_a_long_file_is_read_in_blocks_without_a_seam(tmp_path, rng):
    samples = 0.1 * rng.standard_normal((700_001, 2)).astype(np.float32)
    facts, blocks = open_audio(sounds.write(tmp_path / "a.wav", samples, 44_100, "FLOAT"))
    blocks = list(blocks)
    assert len(blocks) > 1
    np.testing.assert_allclose(np.concatenate(blocks), samples.mean(axis=1), atol=1e-7)
    assert facts.n_samples == 700_001
    assert facts.peak == pytest.approx(np.abs(samples).max())
    assert facts.rms == pytest.approx(np.sqrt(np.mean(samples.mean(axis=1, dtype=np.float64) ** 2)), rel=1e-5)


def test_facts_of_a_known_tone(tmp_path):
    facts, blocks = open_audio(sounds.write(tmp_path / "a.wav", sounds.tone(amplitude=0.5), 44_100, "PCM_16"))
    list(blocks)
    assert (facts.container, facts.codec, facts.channels, facts.seconds) == ("wav", "pcm_s16le", 1, 1.0)
    assert facts.peak == pytest.approx(0.5, abs=1e-4)
    assert facts.rms == pytest.approx(0.353553, abs=1e-4)


# what is wrong with a file


def refusal(path: Path, **options) -> AudioError:
    with pytest.raises(AudioError) as caught:
        load_audio(path, **options)
    assert caught.value.key in MESSAGES
    assert path.name in str(caught.value)
    return caught.value


def test_missing(tmp_path):
    assert refusal(tmp_path / "nowhere.wav").key == "audio.missing"
    (tmp_path / "folder.wav").mkdir()
    assert refusal(tmp_path / "folder.wav").key == "audio.missing"


def test_empty(tmp_path):
    (tmp_path / "a.wav").touch()
    assert refusal(tmp_path / "a.wav").key == "audio.empty"


@pytest.mark.parametrize("file", ["a.wav", "a.mp3", "a.m4a", "a.webm", "a.txt", "a.csv", "a"])
def test_text_under_any_name(tmp_path, file):
    (tmp_path / file).write_text("This is not a sound, whatever it is called.\n" * 100)
    error = refusal(tmp_path / file)
    assert error.key == "audio.unreadable"
    assert "WAV, FLAC, OGG" in str(error)


@pytest.mark.parametrize("file", ["a.wav", "a.mp3", "a.flac", "a.bin"])
def test_random_bytes_under_any_name(tmp_path, rng, file):
    (tmp_path / file).write_bytes(rng.bytes(20_000))
    assert refusal(tmp_path / file).key in ("audio.unreadable", "audio.no_track", "audio.no_samples", "audio.rate")


NAMES = (
    "12:30.%s", "2026-11-28T12:30:00.%s", "data:x.%s", "http:.%s", "pipe:0.%s", "a\nb.%s", "a\r\tb.%s", "\x1b[31mred.%s",
    "[1] {a,b} *?.%s", "con.%s", "a\\b.%s", "%%03d.%s", "caf\udce9.%s", "-x.%s", "--help.%s", " .%s", "\u202egnp.%s", "дождь.%s",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["wav", "m4a", "avr"])
def test_any_name(tmp_path, tone, monkeypatch, name, kind):
    """By FFmpeg's libraries and by libsndfile, also relative to the working directory."""
    plain = tmp_path / f"plain.{kind}"
    if kind == "m4a":
        sounds.write_av(plain, tone, 44_100, "aac")
    else:
        sounds.write(plain, tone, 44_100)
    monkeypatch.chdir(tmp_path)
    expected, _ = load_audio(plain)
    Path(name % kind).write_bytes(plain.read_bytes())
    for path in (Path(name % kind), tmp_path / (name % kind)):
        waveform, rate = load_audio(path)
        assert (rate, waveform.tobytes()) == (44_100, expected.tobytes())


def test_name_in_messages(tmp_path):
    (tmp_path / "tmp8271").touch()
    with pytest.raises(AudioError, match=r"^rain\.wav is empty"):
        open_audio(tmp_path / "tmp8271", name="rain.wav")


def test_a_truncated_wav_gives_what_it_holds(tmp_path, tone):
    path = sounds.write(tmp_path / "a.wav", tone, 44_100, "PCM_16")
    whole = path.read_bytes()
    path.write_bytes(whole[: 44 + 2 * 10_000])
    facts, blocks = open_audio(path)
    waveform = np.concatenate(list(blocks))
    assert facts.cut_off
    assert len(waveform) == 10_000
    np.testing.assert_allclose(waveform, tone[:10_000], atol=1e-4)


def test_an_odd_number_of_bytes_is_not_cut_off(tmp_path):
    facts, blocks = open_audio(sounds.write(tmp_path / "a.wav", sounds.tone()[:999], 44_100, "PCM_U8"))
    assert sum(map(len, blocks)) == 999
    assert not facts.cut_off


def test_a_truncated_aiff_gives_what_it_holds(tmp_path, tone):
    path = sounds.write(tmp_path / "a.aiff", tone, 44_100, "PCM_16")
    path.write_bytes(path.read_bytes()[:20_054])
    facts, blocks = open_audio(path)
    assert sum(map(len, blocks)) == pytest.approx(10_000, abs=30)
    assert facts.cut_off


def test_a_playlist_cannot_make_the_reader_open_other_files(tmp_path, tone):
    sounds.write_av(tmp_path / "secret.aac", tone, 44_100, "aac")
    playlist = tmp_path / "a.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nsecret.aac\n#EXT-X-ENDLIST\n")
    assert refusal(playlist).key == "audio.unreadable"
    concat = tmp_path / "a.ffconcat"
    concat.write_text("ffconcat version 1.0\nfile secret.aac\n")
    assert refusal(concat).key == "audio.unreadable"


def test_a_truncated_flac_gives_what_it_holds(tmp_path, rng):
    noise = 0.1 * rng.standard_normal(88_200).astype(np.float32)
    path = sounds.write(tmp_path / "a.flac", noise, 44_100, "PCM_16")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    facts, blocks = open_audio(path)
    waveform = np.concatenate(list(blocks))
    assert facts.cut_off
    assert 30_000 < len(waveform) < 50_000
    np.testing.assert_allclose(waveform[:30_000], noise[:30_000], atol=1e-4)


def test_a_recording_that_was_never_finished_is_unreadable(tmp_path):
    path = make(tmp_path, "m4a aac", 44_100, 1)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"moov") - 8])  # the table of contents comes last
    assert refusal(path).key == "audio.unreadable"


@pytest.mark.parametrize("kind", [*SOUNDFILE, *FFMPEG])
def test_truncated_file_gives_sound_or_a_clear_error(tmp_path, kind):
    path = make(tmp_path, kind, 48_000, 2, seconds=0.4)
    whole = path.read_bytes()
    for length in (1, 3, 11, 43, 44, 47, 200, len(whole) // 3, len(whole) // 2, len(whole) - 7, len(whole) - 1):
        path.write_bytes(whole[:length])
        try:
            waveform, sample_rate = load_audio(path)
        except AudioError as error:
            assert error.key in ("audio.unreadable", "audio.no_samples", "audio.too_short", "audio.no_track")
        else:
            assert sample_rate == 48_000
            assert 2 <= len(waveform) < 0.5 * sample_rate
            assert np.isfinite(waveform).all()


@pytest.mark.parametrize("kind", ["mp3", "ogg vorbis", "m4a aac", "webm opus", "flac", "mka flac"])
def test_damaged_file_gives_sound_or_a_clear_error(tmp_path, rng, kind):
    path = make(tmp_path, kind, 48_000, 2, seconds=0.4)
    whole = path.read_bytes()
    for _ in range(12):
        damaged = bytearray(whole)
        for index in rng.integers(0, len(whole), 20):
            damaged[index] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            waveform, _ = load_audio(path)
        except AudioError:
            continue
        assert np.isfinite(waveform).all()


def test_all_nan(tmp_path):
    path = sounds.write(tmp_path / "a.wav", np.full(1_000, np.nan, np.float32), 44_100, "FLOAT")
    assert refusal(path).key == "audio.not_finite"


def test_single_samples_that_are_not_finite_become_zero(tmp_path, tone):
    samples = np.stack([tone, tone], axis=1)
    samples[100, 0], samples[200], samples[300, 1] = np.nan, np.inf, -np.inf
    path = sounds.write(tmp_path / "a.wav", samples, 44_100, "FLOAT")
    facts, blocks = open_audio(path)
    waveform = np.concatenate(list(blocks))
    expected = tone.copy()
    expected[[100, 200, 300]] = tone[100] / 2, 0.0, tone[300] / 2
    np.testing.assert_allclose(waveform, expected, atol=1e-7)
    assert facts.peak == pytest.approx(0.5, abs=1e-4)
    assert facts.notes == ("no_numbers",)


def test_one_sample_and_none(tmp_path):
    one = sounds.write(tmp_path / "one.wav", np.array([0.5], np.float32), 44_100)
    assert refusal(one).key == "audio.too_short"
    none = sounds.write(tmp_path / "none.wav", np.zeros(0, np.float32), 44_100)
    assert refusal(none).key == "audio.no_samples"
    two = sounds.write(tmp_path / "two.wav", np.array([0.5, -0.5], np.float32), 44_100)
    assert len(load_audio(two)[0]) == 2


def test_a_film_without_sound(tmp_path):
    assert refusal(sounds.write_silent_film(tmp_path / "a.mp4")).key == "audio.no_track"
    assert refusal(sounds.write_silent_film(tmp_path / "a.webm")).key == "audio.no_track"


@pytest.mark.parametrize("sample_rate", [500, 999, 768_001])
def test_unusual_rates(tmp_path, sample_rate):
    path = sounds.write(tmp_path / "a.wav", sounds.tone(FREQ_HZ, 0.1, sample_rate), sample_rate)
    error = refusal(path)
    assert error.key == "audio.rate"
    for rate in (str(sample_rate), "1000", "768000"):
        assert rate in str(error)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="lists open files by /proc")
@pytest.mark.parametrize("file", ["a.wav", "a.mka"])
def test_unusual_rate_closes_the_file(tmp_path, file):
    samples, write = sounds.tone(FREQ_HZ, 1.0, 600), {"a.wav": sounds.write, "a.mka": sounds.write_av}[file]
    path = write(tmp_path / file, samples, 600, {"a.wav": "PCM_16", "a.mka": "flac"}[file])
    error = refusal(path)  # its traceback keeps the frames, and what they opened, alive
    assert error.key == "audio.rate"
    assert str(path) not in [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]


def test_too_big(tmp_path):
    path = tmp_path / "a.wav"
    with path.open("wb") as file:
        file.truncate(io.MAX_BYTES + 1)  # sparse: takes no room
    error = refusal(path)
    assert error.key == "audio.too_big"
    assert "500 MB" in str(error)


def test_too_long_by_its_header(tmp_path):
    path = tmp_path / "a.wav"
    n_samples = 8_000 * 7_260
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8_000)
        file.setnframes(n_samples)
        file.writeframes(b"\x80")
    header = bytearray(path.read_bytes()[:44])
    header[40:44] = n_samples.to_bytes(4, "little")
    header[4:8] = (n_samples + 36).to_bytes(4, "little")
    path.write_bytes(header)
    with path.open("r+b") as file:
        file.truncate(44 + n_samples)
    error = refusal(path)
    assert error.key == "audio.too_long"
    assert "121 minutes" in str(error)
    assert "120" in str(error)


@pytest.mark.parametrize("kind", ["wav 16 bit", "ogg opus", "mp3", "m4a aac", "aac", "webm opus"])
def test_too_long_by_header_or_while_decoding(tmp_path, monkeypatch, kind):
    path = make(tmp_path, kind, 48_000, 1)
    monkeypatch.setattr(io, "MAX_SECONDS", 0.5)
    assert refusal(path).key == "audio.too_long"


# what is done to a waveform


@pytest.mark.parametrize(
    ("have", "want"), [(1_000, 2_000), (999, 2_000), (1_000, 1_999), (50, 2_000), (2, 101), (2_000, 1_000), (7, 7)]
)
def test_fit_clip_is_the_notebooks(rng, have, want):
    waveform = rng.standard_normal(have).astype(np.float32)
    fitted = fit_clip(waveform, want)
    if have < want:
        expected = np.pad(waveform, int(np.ceil((want - have) / 2)), mode="reflect")[:want]
    else:
        expected = waveform[:want]
    assert fitted.shape == (want,)
    assert fitted.dtype == np.float32
    np.testing.assert_array_equal(fitted, expected)


def test_fit_clip_by_hand():
    assert fit_clip(np.array([1.0, 2.0, 3.0, 4.0]), 7).tolist() == [3.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0]


def test_silence():
    assert is_silent(np.zeros(100, np.float32))
    assert is_silent(np.full(100, 0.25, np.float32)), "a constant offset makes no sound"
    assert is_silent(0.9e-4 * np.ones(100, np.float32) * np.array([1, -1] * 50, np.float32))
    assert not is_silent(1.1e-4 * np.array([1, -1] * 50, np.float32))
    click = np.zeros(100_000, np.float32)
    click[50_000] = 0.01
    assert not is_silent(click)


@pytest.mark.parametrize("offset", [0.0, 0.25])
@pytest.mark.parametrize("amplitude", [0.0, 0.5e-4, 2e-4])
def test_silent_fact_equals_is_silent(tmp_path, offset, amplitude):
    samples = sounds.tone(440.0, 7.0, 44_100, amplitude) + np.float32(offset)
    facts, blocks = open_audio(sounds.write(tmp_path / "a.wav", samples, 44_100, "FLOAT"))
    waveform = np.concatenate(list(blocks))
    assert facts.silent == is_silent(waveform) == (amplitude < 1e-4)


def test_to_mono():
    assert to_mono(np.array([-32_768, 0, 16_384], np.int16)).tolist() == [-1.0, 0.0, 0.5]
    assert to_mono(np.array([0, 128, 192], np.uint8)).tolist() == [-1.0, 0.0, 0.5]
    assert to_mono(np.array([-(2**31), 0, 2**30], np.int32)).tolist() == [-1.0, 0.0, 0.5]
    assert to_mono(np.array([[0.5, 1.0], [0.0, -1.0]])).tolist() == [0.25, 0.0]
    assert to_mono(np.array([0.5, np.nan, np.inf])).tolist() == [0.5, 0.0, 0.0]
    assert to_mono(np.array([0.5, 0.25])).dtype == np.float32


@pytest.mark.parametrize("shape", [(), (0,), (2, 0), (1, 2, 3)])
def test_to_mono_refuses_other_shapes(shape):
    with pytest.raises(AudioError) as caught:
        to_mono(np.zeros(shape))
    assert caught.value.key == "audio.shape"
    assert str(shape) in str(caught.value)


def test_what_soundfile_writes_is_what_we_believe(tmp_path):
    """The other tests rest on this: their files have the codecs that they say."""
    for kind in SOUNDFILE:
        info = soundfile.info(make(tmp_path, kind, 48_000, 1, seconds=0.1))
        assert info.subtype == SOUNDFILE[kind][1]


@pytest.mark.parametrize("rate", [0, -1, True, 1e-300, 2**63, 22_050.0, "22050", 999, 768_001, float("nan"), []])
def test_impossible_rate(tmp_path, tone, rate):
    """Such a rate ended the process inside the resampler."""
    path = sounds.write(tmp_path / "a.wav", tone, 44_100)
    with pytest.raises(ParameterError, match="sample_rate"):
        load_audio(path, rate)
    assert load_audio(path, np.int64(8_000))[1] == 8_000
