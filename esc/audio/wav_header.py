"""Extent of the samples of WAV files."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

_MOST_CHUNKS = 1_000
_PLACEHOLDERS = ((0, 0), (0x7FFF_0000, 0x8000_0000), (0xFFFF_0000, 0xFFFF_FFFF))  # sizes that writers correct at the end


@dataclass(frozen=True)
class WavHeader:
    """Sizes of a WAV or RF64."""

    byte_rate: int  # bytes of one second
    announced_bytes: int  # of samples, as the header says
    held_bytes: int  # of the file from the first sample on

    @property
    def unfinished(self) -> bool:
        """Whether the header was never completed: the samples extend to the file's end."""
        return any(low <= self.announced_bytes <= high for low, high in _PLACEHOLDERS)

    @property
    def missing_s(self) -> float:
        """Seconds that the header announces and the file lacks."""
        missing = 0 if self.unfinished else self.announced_bytes - self.held_bytes
        return max(0, missing) / max(1, self.byte_rate)


def read_wav_header(path: Path) -> WavHeader | None:
    """Return a WAV's header, None for other files."""
    with path.open("rb") as file:
        start = file.read(12)
        if start[:4] not in (b"RIFF", b"RF64", b"BW64") or start[8:] != b"WAVE":
            return None
        size = os.fstat(file.fileno()).st_size
        byte_rate = announced = held = long_size = 0
        for _ in range(_MOST_CHUNKS):
            head = file.read(8)
            if len(head) < 8:
                break
            kind, length = head[:4], int.from_bytes(head[4:], "little")
            begin = file.tell()
            if kind == b"data":
                announced, held = long_size if length == 0xFFFF_FFFF and long_size else length, size - begin
                length = min(announced, held)
            elif kind == b"fmt ":
                byte_rate = struct.unpack("<8xI", file.read(12).ljust(12, b"\0"))[0]
            elif kind == b"ds64":
                long_size = int.from_bytes(file.read(16)[8:], "little")
            file.seek(begin + length + length % 2)
        return WavHeader(byte_rate, announced, held)
