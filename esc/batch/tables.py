"""Delimited text, and cells and file names that no program stumbles over."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet takes cells that begin so for formulas
_IMPOSSIBLE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # in names on Windows
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def delimited(rows: Iterable[Sequence[str]], delimiter: str) -> str:
    """Return rows as text, without line breaks in cells."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(
        [cell.replace("\r", " ").replace("\n", " ") for cell in row] for row in rows
    )
    return text.getvalue()


def safe_cell(cell: str) -> str:
    """Return a cell with an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def safe_name(name: str) -> str:
    """Return a name that is possible for a file or a folder on every system."""
    name = _IMPOSSIBLE.sub("_", name).strip().rstrip(". ") or "_"
    return f"_{name}" if _RESERVED.fullmatch(name) else name
