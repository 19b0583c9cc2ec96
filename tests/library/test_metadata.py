"""Metadata of recorders: RIFF INFO, bext, GUANO, WAMD, AudioMoth, MP4 and tags in old encodings."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from esc.audio.io import load_audio, open_audio
from esc.audio.metadata import read_metadata

GUANO = """GUANO|Version: 1.0
Timestamp: 2026-07-15T23:58:02+02:00
Make: Pettersson
Model: D500X
Loc Position: 52.51860 13.37620
TE: 10
Note: oak, south edge
"""
AUDIOMOTH = "Recorded at 20:00:00 15/07/2019 (UTC+2) by AudioMoth 24E144085F256349 at medium gain while battery was 4.2V"
CLOCK = {"recorded": "2026-07-15T20:15:30"}
BEXT = struct.pack("<256s32s32s10s8sQH254x", b"Wren", b"ZOOM H5", b"", b"2026-07-15", b"20:15:30", 44_100, 0)
WAMD = {
    0: b"\1\0", 1: b"EM3", 5: b"2014-04-02 22:59:14-05:00", 6: b"WGS84,41.27530, N, 96.49440, W, 350", 10: b"pond",
    13: b"\0" * 40, 15: b"\n\0",
}  # fmt: skip


def wamd(fields: dict[int, bytes]) -> bytes:
    return chunk(b"wamd", b"".join(struct.pack("<HI", number, len(value)) + value for number, value in fields.items()))


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def info(kind: bytes, text: bytes) -> bytes:
    return chunk(b"LIST", b"INFO" + chunk(kind, text + b"\0"))


@pytest.fixture
def wav(tmp_path):
    """Return a function that writes a WAV with further chunks."""

    def write(*chunks: bytes) -> Path:
        path = tmp_path / "sound.wav"
        soundfile.write(path, 0.5 * np.sin(np.arange(8_000) / 9), 8_000, subtype="PCM_16")
        content = path.read_bytes()[12:] + b"".join(chunks)
        path.write_bytes(b"RIFF" + struct.pack("<I", len(content) + 4) + b"WAVE" + content)
        return path

    return write


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([], {}),
        (
            [chunk(b"guan", GUANO.encode())],
            {
                "recorded": "2026-07-15T23:58:02+02:00", "device": "Pettersson D500X", "place": "52.51860 13.37620",
                "expansion": "10", "comment": "oak, south edge",
            },
        ),
        (
            [wamd(WAMD)],
            {
                "recorded": "2014-04-02T22:59:14-05:00", "device": "EM3", "place": "41.27530 -96.49440", "expansion": "10",
                "comment": "pond",
            },
        ),
        ([wamd({15: b"\1\0", 6: b"WGS84", 5: b"\xff"}), chunk(b"guan", b"GUANO|Version: 1.0\nTE: 8")], {"expansion": "8"}),
        ([wamd({15: b""})[:-3], chunk(b"wamd", b"\1")], {}),
        ([chunk(b"bext", BEXT)], CLOCK | {"device": "ZOOM H5", "comment": "Wren"}),
        (
            [info(b"ICMT", AUDIOMOTH.encode())],
            {"recorded": "2019-07-15T20:00:00+02:00", "device": "AudioMoth 24E144085F256349", "comment": AUDIOMOTH},
        ),
        ([info(b"INAM", "Запись в лесу".encode())], {"title": "Запись в лесу"}),
        ([info(b"INAM", "Запись в лесу".encode("cp1251")), info(b"IART", b"Ann")], {"artist": "Ann"}),
        ([info(b"INAM", b"a\x1b[31m\nb" + b"c" * 999)], {"title": "a[31m b" + "c" * 193}),
        ([chunk(b"guan", b"GUANO|Version: 1.0\nTE: nan\nLoc Position: 91 0\nTimestamp: yesterday\nno colon")], {}),
        ([chunk(b"guan", b"\xff" * 99)], {}),
    ],
    ids=[
        "none", "guano", "wamd", "wamd and guano", "cut wamd", "bext", "AudioMoth", "utf-8", "cp1251", "control", "illegal",
        "no text",
    ],
)  # fmt: skip
def test_metadata(wav, chunks, expected):
    path = wav(*chunks)
    facts, blocks = open_audio(path)
    assert facts.metadata == expected
    assert facts.codec == "pcm_s16le"  # FFmpeg's libraries read it, whatever the tags
    np.testing.assert_array_equal(np.concatenate(list(blocks)), load_audio(path)[0])


def test_metadata_of_ffmpegs_files(tmp_path):
    path = tmp_path / "memo.m4a"
    with av.open(str(path), "w") as file:
        file.metadata.update(title="Creek", creation_time="2026-01-02T03:04:05Z")
        stream = file.add_stream("aac", 44_100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4_096), np.float32), "fltp", "mono")
        frame.rate = 44_100
        file.mux([*stream.encode(frame), *stream.encode(None)])
    assert open_audio(path)[0].metadata == {"recorded": "2026-01-02T03:04:05+00:00", "title": "Creek"}


def test_tags_in_an_old_encoding_lose_no_sound(tmp_path):
    """An ID3v1 tag in Windows-1251 leaves an MP3 to the decoder that reads all of it."""
    path = tmp_path / "song.mp3"
    soundfile.write(path, 0.5 * np.sin(np.arange(44_100) / 9), 44_100)
    path.write_bytes(path.read_bytes() + b"TAG" + "Лес".encode("cp1251").ljust(125, b"\0"))
    facts, blocks = open_audio(path)
    assert facts.codec.startswith("mp3") and facts.metadata == {}
    assert sum(map(len, blocks)) == pytest.approx(44_100, abs=1_152)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("+52.5186+013.3762+034.1/", "52.51860 13.37620"),
        ("-33.9-151.2/", "-33.90000 -151.20000"),
        ("+00+000/", None),
        ("north", None),
    ],
)
def test_place_by_iso_6709(tmp_path, location, expected):
    path = tmp_path / "nothing"
    path.write_bytes(b"")
    assert read_metadata(path, {"location": location}).get("place") == expected
