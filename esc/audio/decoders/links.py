"""Links of joined files: chained Ogg (RFC 3533), FLAC and Matroska."""

from __future__ import annotations

import io
import mmap
from pathlib import Path
from types import MappingProxyType

_HEADER, _BEGINS, _SEGMENTS, _OGG, _ID3 = 27, 2, 26, b"OggS", b"ID3"
_FLAC, _EBML = b"fLaC", b"\x1a\x45\xdf\xa3"
_CONFIRMED = MappingProxyType(  # magic: what stands after it, and within how many bytes
    {_FLAC: ((b"\x00\x00\x00\x22", b"\x80\x00\x00\x22"), 8), _EBML: ((b"webm", b"matroska"), 64)}
)


def file_links(path: Path) -> tuple[list[tuple[int, int]], bool]:
    """Return the links (first byte, end) of a file, and whether it is cut off.

    A link is what a complete file would hold; several follow one another where files or broadcasts were joined. Files
    that can't be joined so have none. An Ogg that ends within a page or packet is cut off.
    """
    with path.open("rb") as file:
        head = file.read(10)
        start = 0
        if head[:3] == _ID3:  # its size has 7 bits a byte
            start = 10 + sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
            file.seek(start)
            head = file.read(4)
        magic = head[:4]
        if magic != _OGG and magic not in _CONFIRMED:
            return [], False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _ogg_links(data) if magic == _OGG and not start else (_joined(data, magic, start), False)


def _joined(data: mmap.mmap, magic: bytes, start: int) -> list[tuple[int, int]]:
    """Return the links that begin with `magic`."""
    following, within = _CONFIRMED.get(magic, ((), 0))
    starts, found = [], start
    while found >= 0:
        if any(mark in data[found + len(magic) : found + within] for mark in following):
            starts.append(found)
        found = data.find(magic, found + len(magic))
    return [] if len(starts) < 2 else list(zip([0, *starts[1:]], [*starts[1:], len(data)], strict=True))


def _ogg_links(data: mmap.mmap) -> tuple[list[tuple[int, int]], bool]:
    starts: list[int] = []
    page, in_headers, cut_off = 0, False, False
    while page >= 0:
        begins = len(data) > page + 5 and bool(data[page + 5] & _BEGINS)
        if begins and not in_headers:
            starts.append(page)
        in_headers = begins
        table = page + _HEADER
        lacing = data[table : table + data[page + _SEGMENTS]] if len(data) >= table else b""
        end = table + len(lacing) + sum(lacing)
        cut_off = not lacing or end > len(data) or lacing[-1] == 255
        page = end if data[end : end + 4] == _OGG else data.find(_OGG, page + 4)
    return list(zip(starts, [*starts[1:], len(data)], strict=True)), cut_off


class FileSection(io.RawIOBase):
    """A section of a file, read as a file of its own."""

    def __init__(self, path: Path, start: int, stop: int) -> None:
        self._file, self._start, self._length = path.open("rb"), start, stop - start
        self._file.seek(start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self._length}[whence]
        return self._file.seek(self._start + max(0, base + offset)) - self._start

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._length - self.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def close(self) -> None:
        self._file.close()
        super().close()
