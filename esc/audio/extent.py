"""Extent of a sound file by its own header, in bytes."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

EXACT_TOLERANCE_S = 0.05  # that may be missing without a note
_MOST_CHUNKS = 10_000
_PLACEHOLDERS = (  # sizes that writers correct at the end
    (0, 0), (0x7FFF_0000, 0x8000_0000), (0xFFFF_0000, 0xFFFF_FFFF), (2**63 - 1_024, 2**64 - 1),
)  # fmt: skip
_ADPCM_TAGS, _GSM_TAG, _GSM_SAMPLES = (2, 0x11, 0x20), 0x31, 320
_VOC = b"Creative Voice File\x1a"
_ASF, _ASF_PROPERTIES = bytes.fromhex("3026b2758e66cf11"), bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


@dataclass(frozen=True)
class Extent:
    """Bytes and samples by a file's header, and those that it holds.

    Attributes
    ----------
    announced, held : int
        Bytes, of the samples or of the whole file.
    samples : int
        Number of samples per channel in the header of a compressed WAV or W64, 0 if it names none.
    block_samples : int
        Samples that its last block may hold beyond them.
    big_endian : bool
        A WAV is RIFX.
    known : bool
        The header names a size.
    """

    announced: int
    held: int
    samples: int = 0
    block_samples: int = 0
    big_endian: bool = False
    known: bool = True

    @property
    def unfinished(self) -> bool:
        """Whether the header was never completed: the samples extend to the file's end."""
        return self.known and any(low <= self.announced <= high for low, high in _PLACEHOLDERS)

    @property
    def exact(self) -> bool:
        """Whether the file holds all that the header says."""
        return self.announced <= self.held and not self.unfinished

    @property
    def missing(self) -> float:
        """Bytes that the file lacks, as a multiple of those that it holds."""
        return 0.0 if self.unfinished else max(0, self.announced - self.held) / max(1, self.held)

    def trimmed(self, blocks: Iterator) -> Iterator:
        """Yield `(channels, n)` blocks without what fills the last block of a codec."""
        if not self.samples or not self.block_samples:
            yield from blocks
            return
        position, rest = 0, []
        for block in blocks:
            kept = max(0, self.samples - position)
            position += block.shape[1]
            if kept:
                yield block[:, :kept]
            if block.shape[1] > kept:
                rest.append(block[:, kept:])
            if position - self.samples >= self.block_samples:  # the header is wrong
                yield from rest
                yield from blocks


_UNKNOWN = Extent(0, 0, known=False)


@dataclass(frozen=True)
class _Layout:
    """Layout of the chunks of a container, and the chunks that hold its samples."""

    start: int
    data: tuple[bytes, ...]
    id_bytes: int = 4
    size_bytes: int = 4
    big_endian: bool = False
    align: int = 2
    counts_header: bool = False  # whether sizes include id and size

    def chunks(self, file: BinaryIO, file_size: int) -> Iterator[tuple[bytes, int, int]]:
        """Yield the (id, size, first byte) of each chunk."""
        position = self.start
        for _ in range(_MOST_CHUNKS):
            if position + self.id_bytes + self.size_bytes > file_size:
                return
            file.seek(position)
            head = file.read(self.id_bytes + self.size_bytes)
            size = int.from_bytes(head[self.id_bytes :], "big" if self.big_endian else "little")
            size = max(0, size - len(head)) if self.counts_header else size
            yield head[:4], size, position + len(head)
            end = position + len(head) + size
            position = -(-end // self.align) * self.align


_LAYOUTS = MappingProxyType(
    {
        b"RIFF": _Layout(12, (b"data",)),
        b"RIFX": _Layout(12, (b"data",), big_endian=True),
        b"RF64": _Layout(12, (b"data",)),
        b"BW64": _Layout(12, (b"data",)),
        b"riff": _Layout(40, (b"data",), id_bytes=16, size_bytes=8, align=8, counts_header=True),
        b"FORM": _Layout(12, (b"SSND", b"BODY"), big_endian=True),
        b"caff": _Layout(8, (b"data",), size_bytes=8, big_endian=True, align=1),
    }
)
_OUTER = _Layout(0, (b"RIFF",))  # an AVI is a sequence of RIFF chunks


def read_extent(path: Path) -> Extent:
    """Return the extent of a file.

    It is known of WAV, W64, AIFF, CAF, AU, VOC, AVI and ASF.
    """
    with path.open("rb") as file:
        head = file.read(26)
        size = os.fstat(file.fileno()).st_size
        if head[8:11] == b"AVI":
            return _extent_of_chunks(file, _OUTER, size)
        if head[:4] in _LAYOUTS:
            return _extent_of_chunks(file, _LAYOUTS[head[:4]], size)
        if head[:4] == b".snd":
            start, length = struct.unpack(">II", head[4:12])
            return Extent(length, max(0, size - start))
        if head.startswith(_VOC):
            return _voc_extent(file, int.from_bytes(head[20:22], "little"), size)
        if head.startswith(_ASF):
            return _asf_extent(head + file.read(8_192), size)
    return _UNKNOWN


def read_chunk(path: Path, kind: bytes, max_bytes: int) -> bytes:
    """Return a chunk of a RIFF file by its id, or nothing."""
    with path.open("rb") as file:
        layout, size = _LAYOUTS.get(file.read(4)), os.fstat(file.fileno()).st_size
        if layout is None:
            return b""
        for found, length, begin in layout.chunks(file, size):
            if found == kind:
                file.seek(begin)
                return file.read(min(length, max_bytes))
    return b""


def _extent_of_chunks(file: BinaryIO, layout: _Layout, file_size: int) -> Extent:
    """Return the extent of the chunk that holds the samples, of several the last one."""
    found, long_size, samples, block_samples = None, 0, 0, 0
    for kind, size, begin in layout.chunks(file, file_size):
        file.seek(begin)
        if kind == b"fmt ":
            block_samples = _block_samples(file.read(14))
        elif kind == b"fact":
            samples = int.from_bytes(file.read(min(size, layout.size_bytes)), "little")
        elif kind == b"ds64":
            long_size = int.from_bytes(file.read(16)[8:], "little")
        elif kind in layout.data:
            announced = long_size if size == 0xFFFF_FFFF and long_size else size
            found = Extent(announced, max(0, file_size - begin))
    if found is None:
        return _UNKNOWN
    return Extent(found.announced, found.held, samples, block_samples, layout == _LAYOUTS[b"RIFX"])


def _block_samples(form: bytes) -> int:
    """Return the most samples in a block of ADPCM or GSM, 0 for other codecs."""
    tag, channels, _, _, align = struct.unpack("<HHIIH", form.ljust(14, b"\0"))
    if tag in _ADPCM_TAGS:
        return 2 * align // max(1, channels)
    return _GSM_SAMPLES if tag == _GSM_TAG else 0


def _voc_extent(file: BinaryIO, position: int, file_size: int) -> Extent:
    """Return the extent of a VOC: its blocks end with one of type 0."""
    for _ in range(_MOST_CHUNKS):
        file.seek(position)
        head = file.read(4)
        if len(head) < 4 or head[0] == 0:
            break
        position += 4 + int.from_bytes(head[1:], "little")
    # sizes of the blocks that never came are unknown: a file that ends within a block lacks as much as it holds
    return Extent(2 * file_size if position > file_size + 1 else file_size, file_size)


def _asf_extent(head: bytes, file_size: int) -> Extent:
    """Return the extent by the File Properties Object of an ASF."""
    at = head.find(_ASF_PROPERTIES)
    if at < 0 or len(head) < at + 92:
        return _UNKNOWN
    size, flags = int.from_bytes(head[at + 40 : at + 48], "little"), int.from_bytes(head[at + 88 : at + 92], "little")
    return _UNKNOWN if flags & 1 else Extent(size, file_size)  # flag 1: broadcast, the size is invalid
