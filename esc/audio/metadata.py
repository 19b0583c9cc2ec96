"""Metadata of a recording: time, device, place and time expansion.

Tags as FFmpeg names them (RIFF INFO and bext of a WAV, ID3, Vorbis comments, MP4 atoms), GUANO of bat detectors
(https://guano-md.org), WAMD of Wildlife Acoustics and the comment of an AudioMoth.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from esc.audio.extent import read_chunk

FIELDS = ("recorded", "device", "place", "expansion", "title", "artist", "comment")
_MAX_LENGTH = 200  # characters of a value
_MAX_BYTES = 65_536  # of a chunk
_TAGS = MappingProxyType(  # field: FFmpeg's names, the first that is there counts
    {
        "device": ("com.apple.quicktime.model", "com.android.model", "model", "encoded_by"),
        "place": ("com.apple.quicktime.location.iso6709", "location"),
        "title": ("title",),
        "artist": ("artist",),
        "comment": ("comment", "description"),
    }
)
_GUANO = MappingProxyType({"place": "loc position", "expansion": "te", "comment": "note"})
_WAMD = MappingProxyType({1: "device", 5: "recorded", 6: "place", 10: "comment", 15: "expansion"})
_AUDIOMOTH = re.compile(
    r"Recorded at (\d\d:\d\d:\d\d) (\d\d)/(\d\d)/(\d{4}) \(UTC([+-]\d\d?)?(?::(\d\d))?\).*? by (AudioMoth \w+)"
)
_ISO_6709 = re.compile(r"([+-]\d\d?(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)(?:[+-].*)?/?")


def read_metadata(path: Path, tags: Mapping[str, str]) -> dict[str, str]:
    """Return what is known of a recording, by `FIELDS`.

    "recorded" is the time of the first sample in ISO 8601, with an offset from UTC where the file has one; "place" is latitude
    and longitude in degrees; "expansion" is the factor by which a detector slowed the sound down, if it is not 1. Values that
    are not valid are left out.
    """
    known = {name.lower(): value for name, value in tags.items()}
    found = {field: next((known[tag] for tag in names if known.get(tag)), "") for field, names in _TAGS.items()}
    found["recorded"] = _recorded(known)
    if moth := _AUDIOMOTH.search(found["comment"]):
        clock, day, month, year, hours, minutes, device = moth.groups()
        offset = f"{int(hours or 0):+03}:{minutes or '00'}"
        found |= {"recorded": f"{year}-{month}-{day}T{clock}{offset}", "device": device}
    found |= _wamd(read_chunk(path, b"wamd", _MAX_BYTES))
    guano = _guano(read_chunk(path, b"guan", _MAX_BYTES))
    found |= {field: guano[key] for field, key in _GUANO.items() if guano.get(key)}
    if device := " ".join(filter(None, (guano.get("make"), guano.get("model")))):
        found["device"] = device
    found["recorded"] = _time(guano.get("timestamp", "")) or _time(found["recorded"])
    found["place"] = _place(found["place"])
    found["expansion"] = _expansion(found.get("expansion", ""))
    return {field: text for field in FIELDS if (text := _printable(found[field]))}


def _guano(chunk: bytes) -> dict[str, str]:
    """Return the fields of a GUANO chunk, with lower-case names."""
    lines = chunk.decode("utf-8", "replace").splitlines()
    if not lines or not lines[0].startswith("GUANO|Version:"):
        return {}
    pairs = (line.partition(":") for line in lines[1:])
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _wamd(chunk: bytes) -> dict[str, str]:
    """Return the fields of a WAMD chunk: numbers of two bytes, lengths of four, values."""
    found: dict[str, str] = {}
    while len(chunk) >= 6:
        number, length = struct.unpack_from("<HI", chunk)
        value, chunk = chunk[6 : 6 + length], chunk[6 + length :]
        if (field := _WAMD.get(number)) == "expansion":
            found[field] = str(int.from_bytes(value[:2], "little"))  # 16 bits
        elif field:
            found[field] = value.decode("utf-8", "surrogateescape").rstrip("\0").strip()
    if position := re.fullmatch(r"\S+,\s*([\d.]+),\s*([NS]),\s*([\d.]+),\s*([EW])\b.*", found.get("place", "")):
        latitude, north, longitude, east = position.groups()
        found["place"] = f"{'-' * (north == 'S')}{latitude} {'-' * (east == 'W')}{longitude}"
    return {field: text for field, text in found.items() if text}


def _recorded(known: Mapping[str, str]) -> str:
    """Return when a recording began, of `bext` or of what else has a whole time."""
    date, clock = known.get("date", ""), known.get("creation_time", "")
    if re.fullmatch(r"\d\d[:.-]\d\d[:.-]\d\d", clock):  # of bext, whose time is the recorder's own
        return f"{date.replace(':', '-')}T{re.sub('[.-]', ':', clock)}"
    return known.get("com.apple.quicktime.creationdate") or clock or (date if "T" in date else "")


def _time(text: str) -> str:
    """Return a valid time in ISO 8601 to the second, else nothing."""
    try:
        time = datetime.fromisoformat(re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text.strip()))
    except ValueError:
        return ""
    return time.isoformat(timespec="seconds") if time.year > 1970 else ""


def _place(text: str) -> str:
    """Return latitude and longitude with a space between, or nothing."""
    parts = re.split(r"[\s,]+", text.strip())
    if match := _ISO_6709.fullmatch(text.strip()):
        parts = list(match.groups())
    try:
        latitude, longitude = map(float, parts)
    except ValueError:
        return ""
    legal = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)
    return f"{latitude:.5f} {longitude:.5f}" if legal else ""


def _expansion(text: str) -> str:
    try:
        factor = float(text)
    except ValueError:
        return ""
    return f"{factor:g}" if 1 < factor <= 100 else ""


def _printable(text: str) -> str:
    """Return a value for display; nothing if it is in an unknown encoding."""
    line = " ".join(text.split())
    if any(0xDC80 <= ord(sign) <= 0xDCFF for sign in line):  # bytes that are no UTF-8, see `surrogateescape`
        return ""
    return "".join(filter(str.isprintable, line))[:_MAX_LENGTH]
