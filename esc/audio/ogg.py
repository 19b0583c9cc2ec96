"""Structure of Ogg files (RFC 3533): chained links, and whether the end is missing."""

from __future__ import annotations

import io
import mmap
from pathlib import Path

_HEADER, _BEGINS, _SEGMENTS, _MAGIC = 27, 2, 26, b"OggS"


def ogg_links(path: Path) -> tuple[list[tuple[int, int]], bool]:
    """Return the extents (bytes) of an Ogg file's links, and whether it is cut off.

    A link is what a complete Ogg file would hold; several follow one another where files or broadcasts were joined. A file
    that is no Ogg has none. One that ends within a page or packet is cut off.
    """
    with path.open("rb") as file:
        if file.read(4) != _MAGIC:
            return [], False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _links(data)


def _links(data: mmap.mmap) -> tuple[list[tuple[int, int]], bool]:
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
        page = end if data[end : end + 4] == _MAGIC else data.find(_MAGIC, page + 4)
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
