"""Every codec in every container that can be written here: samples of the original, right lengths, a note when cut off."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

import sounds
from esc.audio.facts import AudioFacts
from esc.audio.io import open_audio
from esc.errors import AudioError

RATE = 8_000
ORIGINAL = 0.5 * sounds.tone(440.0, 1.5, RATE) + 0.25 * sounds.tone(1_130.0, 1.5, RATE)
SNDFILE = [
    (kind, codec, endian)
    for kind in soundfile.available_formats()
    for codec in soundfile.available_subtypes(kind)
    for endian in ("FILE", "BIG")
    if kind not in ("RAW", "MP3", "OGG") and codec != "MPEG_LAYER_III" and not codec.startswith("DWVW")
    if soundfile.check_format(kind, codec, endian)
]  # libsndfile can't read the other ones again
FFMPEG = [
    (ending, codec)
    for ending, codecs in {
        "aif": "pcm_s16be pcm_alaw", "asf": "adpcm_ms libmp3lame pcm_s16le", "au": "pcm_s16be",
        "w64": "pcm_s16le adpcm_ms libmp3lame",
        "avi": "pcm_s16le adpcm_ima_wav libmp3lame g722", "caf": "alac pcm_s16le adpcm_ima_wav", "mkv": "wavpack flac pcm_s16le",
        "mka": "libopus", "mov": "alac pcm_s16be", "nut": "flac", "tta": "tta", "voc": "pcm_s16le pcm_u8", "wv": "wavpack",
        "wav": "pcm_s16le adpcm_ms adpcm_ima_wav adpcm_yamaha g726 libopencore_amrnb", "wtv": "adpcm_ms", "flv": "flac",
    }.items()
    for codec in codecs.split()
    if codec in av.codecs_available
]  # fmt: skip
NO_LENGTH = ("nut", "wtv")  # no length in the header, or one that FFmpeg does not read
ONE_PIECE = ("mov", "caf", "tta", "wv", "mkv")  # their table of contents comes last, or one packet holds all the samples
BLOCK_S = {"IMA_ADPCM": 0.02, "GSM610": 0.02, "VOX_ADPCM": 0.02, "ULAW": 1 / RATE, "ALAW": 1 / RATE}  # what fills the last block


def read(path: Path) -> tuple[AudioFacts, np.ndarray]:
    facts, blocks = open_audio(path)
    return facts, np.concatenate(list(blocks))


def level_of_error_db(waveform: np.ndarray) -> float:
    """Return the level of the difference to the original, relative to the original."""
    return 10 * np.log10(np.mean((waveform[: len(ORIGINAL)] - ORIGINAL) ** 2) / np.mean(ORIGINAL**2) + 1e-20)


@pytest.mark.parametrize(("kind", "codec", "endian"), SNDFILE)
def test_as_good_as_libsndfile(tmp_path, kind, codec, endian):
    path = tmp_path / f"a.{kind.lower()}"
    soundfile.write(path, ORIGINAL, RATE, codec, endian, kind)
    theirs, rate = soundfile.read(path, dtype="float32")
    facts, waveform = read(path)
    assert (facts.sample_rate, facts.channels, facts.notes) == (rate, 1, ())
    assert len(ORIGINAL) <= len(waveform) <= len(theirs)
    assert len(waveform) - len(ORIGINAL) <= BLOCK_S.get(codec, 0.0) * RATE
    assert level_of_error_db(waveform) < level_of_error_db(theirs) + 0.5


@pytest.mark.parametrize(("ending", "codec"), FFMPEG)
def test_whole_file_has_no_note(tmp_path, ending, codec):
    rate = 44_100 if codec == "libmp3lame" else RATE
    original = np.repeat(ORIGINAL, 5) if rate == 44_100 else ORIGINAL
    path = sounds.write_av(tmp_path / f"a.{ending}", original, rate, codec, 32_000 if codec == "g726" else 12_200)
    facts, waveform = read(path)
    assert facts.notes == ()
    samples = len(original) * facts.sample_rate / rate
    if codec.startswith(("pcm", "flac", "alac", "wavpack", "tta")):
        assert len(waveform) == samples
    else:
        assert samples <= len(waveform) < samples + 0.1 * facts.sample_rate
    if ending in NO_LENGTH:
        return
    path.write_bytes(path.read_bytes()[: round(0.6 * path.stat().st_size)])
    try:
        assert {"cut_off", "damaged"} & set(read(path)[0].notes)
    except AudioError:
        assert ending in ONE_PIECE


@pytest.mark.parametrize("kind", ["WAV MS_ADPCM", "WAV GSM610", "W64 GSM610"])
def test_last_block_is_trimmed_to_the_samples_in_the_header(tmp_path, kind):
    container, codec = kind.split()
    path = tmp_path / "a.wav"
    soundfile.write(path, np.tile(ORIGINAL, 5), 44_100, codec, format=container)  # in blocks of 0.1 s
    assert soundfile.info(path).frames > 5 * len(ORIGINAL)
    assert read(path)[0].n_samples == 5 * len(ORIGINAL)
    at = path.read_bytes().index(b"fact") + (24 if container == "W64" else 8)
    data = bytearray(path.read_bytes())
    data[at : at + 4] = (1_000).to_bytes(4, "little")
    path.write_bytes(data)
    assert read(path)[0].n_samples >= 5 * len(ORIGINAL), "a wrong header costs nothing"


@pytest.mark.parametrize(
    ("ending", "header"),
    [
        ("wav", 0),
        ("wav", 0x7FFF_FFFF),
        ("wav", 0xFFFF_FFFF),
        ("aiff", 0xFFFF_FFFF),
        ("au", 0x7FFF_FFFF),
        ("au", 0xFFFF_FFFF),
        ("w64", 0),
    ],
)
def test_placeholder_of_a_size_is_no_cut(tmp_path, ending, header):
    path = sounds.write(tmp_path / f"a.{ending}", ORIGINAL, RATE, "PCM_16")
    data = bytearray(path.read_bytes())
    if ending == "w64":
        at = data.index(b"data") + 16
        data[at : at + 8] = header.to_bytes(8, "little")
    elif ending == "au":
        data[8:12] = header.to_bytes(4, "big")
    else:
        at = data.index(b"data" if ending == "wav" else b"SSND") + 4
        data[at : at + 4] = header.to_bytes(4, "little" if ending == "wav" else "big")
    path.write_bytes(data)
    facts, waveform = read(path)
    assert (facts.notes, len(waveform)) == ((), len(ORIGINAL))


@pytest.mark.parametrize("second", [(48_000, 1), (24_000, 1), (24_000, 2)], ids=str)
@pytest.mark.parametrize("kind", ["flac PCM_16", "flac flac", "mka aac", "mka pcm_s16le", "webm libopus"])
def test_joined_files_of_other_rates_keep_their_times(tmp_path, kind, second):
    ending, codec = kind.split()
    contents = b""
    for rate, channels in (second, (48_000, 1)):
        click = np.zeros((rate, channels), np.float32)
        click[rate // 2 : rate // 2 + rate // 10] = 0.5
        path = tmp_path / f"one.{ending}"
        contents += (sounds.write if codec.isupper() else sounds.write_av)(path, click, rate, codec).read_bytes()
    path = tmp_path / f"joined.{ending}"
    path.write_bytes(contents)
    facts, waveform = read(path)
    loud = np.flatnonzero(np.abs(waveform) > 0.2) / facts.sample_rate
    assert facts.notes == ()
    assert not facts.steady, "players stop at the first file's end"
    assert facts.seconds == pytest.approx(2.0, abs=0.05)
    assert loud[0] == pytest.approx(0.5, abs=0.02)
    assert loud[np.argmax(np.diff(loud)) + 1] == pytest.approx(1.5, abs=0.04)


def test_ac3_stored_as_samples_of_a_wav(tmp_path):
    """A digital output that was recorded: noise, if read as samples."""
    tone = sounds.in_channels(sounds.tone(440.0, 2.0, 48_000), 2)
    encoded = sounds.write_av(tmp_path / "a.ac3", tone, 48_000, "ac3").read_bytes()
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as wav:
        wav.setparams((2, 2, 48_000, 0, "NONE", ""))
        wav.writeframes(encoded + bytes(-len(encoded) % 4))
    facts, waveform = read(path)
    assert facts.codec == "ac3"
    spectrum = np.abs(np.fft.rfft(waveform[4_800:52_800]))
    assert np.argmax(spectrum) == 440
    assert np.sum(spectrum[438:443] ** 2) > 0.99 * np.sum(spectrum**2)
