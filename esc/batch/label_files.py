"""Label files of other programs, read field by field.

Audacity label tracks, Raven selection tables, CSV and JSON.
What is not possible is left out and listed; nothing of a file is run or displayed as anything but text.
"""

from __future__ import annotations

import contextlib
import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from esc.audio.io import TIME_EXPANSIONS
from esc.batch.label_formats import Label, slowed
from esc.batch.tables import FORMULA
from esc.errors import LabelFileError

MAX_LABELS = 100_000
MAX_NAME = 200
MAX_PROBLEMS = 50  # that are listed; all are counted
_ALIASES = {  # names of columns, in the order of preference
    "start": ("start", "start_s", "begin time (s)", "onset_s", "onset", "begin", "start (s)"),
    "end": ("end", "end_s", "end time (s)", "offset_s", "offset", "stop", "end (s)"),
    "low_hz": ("low_hz", "low freq (hz)", "low frequency", "low"),
    "high_hz": ("high_hz", "high freq (hz)", "high frequency", "high"),
    "label": ("label", "species", "annotation", "common name", "name", "scientific name", "event_label", "class", "text"),
    "probability": ("probability", "confidence", "score"),
    "file": ("file", "begin path"),
    "offset": ("file offset (s)",),
    "time_expansion": ("time_expansion",),
}
_WHOLE_BAND = 0.99  # of half the sample rate: a table's full height stands for all frequencies

Row = Mapping[str, object]
_UNREADABLE: Row = {"start": "…"}  # a row without times, which is listed among the problems


@dataclass(frozen=True)
class Problem:
    """A field that was left out.

    `reason` is "number", "negative", "order", "past", "cut", "band", "share", "missing" or "many".
    """

    line: int  # from 1; in JSON the number of the label
    field: str
    value: str
    reason: str


@dataclass
class LabelFile:
    """The labels of a file, and what of it was left out."""

    labels: list[Label] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # the first `MAX_PROBLEMS`
    n_problems: int = 0

    def leave_out(self, line: int, field: str, value: object, reason: str) -> None:
        """Count a field that is not used."""
        self.n_problems += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(line, field, "".join(filter(str.isprintable, str(value)))[:40], reason))


def read_labels(
    text: str, name: str, seconds: float, sample_rate: int, sound_name: str = "", time_expansion: float = 1.0
) -> LabelFile:
    """Return the labels in the text of a file, in the order of their start.

    Times are taken as the sound file's own, unless a row states the `time_expansion` that they are after, as results do.

    Parameters
    ----------
    text : str
        The format is recognised by the content.
    name : str
        The file's name, for errors.
    seconds, sample_rate : float, int
        Of the sound: a label past its end is left out, one that crosses it is cut; frequencies end at half the rate.
    sound_name : str
        Where any label names it as its file, those of other files are not read.
    time_expansion : float
        With which the sound is read: labels are returned in its times.

    Raises
    ------
    LabelFileError
        The text is in none of the formats.
    """
    text = text.removeprefix("\ufeff")
    found, files = LabelFile(), {_file(row) for _, row in _rows(text, name)} - {""}
    for line, row in _rows(text, name):
        if sound_name in files and _file(row) != sound_name:
            continue
        row = _from_own_start(row) if len(files) > 1 else row
        if len(found.labels) == MAX_LABELS:
            found.leave_out(line, "label", f"> {MAX_LABELS}", "many")
            break
        factor = _expansion(found, line, row) / time_expansion
        if label := _label(found, line, row, seconds / factor, sample_rate * factor):
            found.labels.append(slowed(label, factor))
    found.labels.sort(key=lambda label: (label.start_s, label.end_s))
    return found


def _file(row: Row) -> str:
    return str(row.get("file") or "")


def _from_own_start(row: Row) -> Row:
    """Return a row with times from the start of its file.

    In Raven's tables of several files they run on through all of them.
    """
    if not row.get("offset"):
        return row
    start_s, end_s, offset_s = (_number(LabelFile(), 0, row, key) for key in ("start", "end", "offset"))
    if start_s is None or end_s is None or offset_s is None:
        return row
    return {**row, "start": offset_s, "end": round(offset_s + end_s - start_s, 6)}


def _rows(text: str, name: str) -> Iterator[tuple[int, Row]]:
    """Return the lines of a file, numbered, with the keys of `_ALIASES`."""
    begin = text.lstrip()[:1]
    if begin in ("{", "["):
        return _json_rows(text, name)
    lines = text.splitlines()
    header = next((line for line in lines if line.strip()), "")
    for delimiter in "\t,;":
        cells = [cell.strip().strip('"').lower() for cell in header.split(delimiter)]
        columns = {key: next((cells.index(one) for one in names if one in cells), -1) for key, names in _ALIASES.items()}
        if columns["start"] >= 0 and columns["end"] >= 0:
            views = cells.index("view") if delimiter == "\t" and "view" in cells and cells[0] == "selection" else None
            return _table_rows(lines, delimiter, columns, views)
    if any(len(line.split("\t")) >= 2 for line in lines):
        return _audacity_rows(lines)
    raise LabelFileError("labels.format", name=name)


def _json_rows(text: str, name: str) -> Iterator[tuple[int, Row]]:
    """Return the labels of JSON: a list, or files' objects with "labels" or "timeline"."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise LabelFileError("labels.format", name=name) from None
    rows: list[Row] = []
    for entry in value if isinstance(value, list) else [value]:
        one = entry if isinstance(entry, dict) else {}
        listed = one.get("labels", one.get("timeline"))
        if isinstance(listed, list):
            of_all = {"file": one.get("file"), "time_expansion": one.get("time_expansion")}
            rows += [{**of_all, **(row if isinstance(row, dict) else {})} for row in listed]
        elif isinstance(value, list):
            rows.append(one)
        else:
            raise LabelFileError("labels.format", name=name)
    return enumerate(rows, start=1)


def _table_rows(lines: list[str], delimiter: str, columns: dict[str, int], view: int | None) -> Iterator[tuple[int, Row]]:
    """Yield the rows below a table's header.

    Raven writes a line for each view of a selection: the first counts.
    """
    reader = csv.reader(lines, delimiter=delimiter)
    filled = (cells for cells in reader if any(cell.strip() for cell in cells))
    seen: set[str] = set()
    try:
        next(filled, None)  # the header
        for cells in filled:
            if view is not None and len(cells) > view:
                if cells[0] in seen:
                    continue
                seen.add(cells[0])
            row = {key: cells[at] for key, at in columns.items() if 0 <= at < len(cells)}
            for key in {"label", "file"} & row.keys():
                if row[key].startswith("'") and row[key][1:2] in FORMULA:
                    row[key] = row[key][1:]  # the apostrophe of `safe_cell`
            yield reader.line_num, row
    except csv.Error:  # a cell beyond the module's limit ends the table
        yield reader.line_num, _UNREADABLE


def _audacity_rows(lines: list[str]) -> Iterator[tuple[int, Row]]:
    held: tuple[int, dict[str, object]] | None = None
    for number, line in enumerate(lines, start=1):
        cells = line.split("\t")
        if cells[0] == "\\":
            if held and len(cells) >= 3 and not cells[1].startswith("-"):  # -1: no frequencies
                held[1].update(low_hz=cells[1], high_hz=cells[2])
            continue
        if held:
            yield held
        row = {key: cell for key, cell in zip(("start", "end"), cells, strict=False)}
        held = (number, {**row, "label": "\t".join(cells[2:])}) if line.strip() else None
    if held:
        yield held


def _label(found: LabelFile, line: int, row: Row, seconds: float, sample_rate: float) -> Label | None:
    """Return a line as a label, or None where its times are not possible."""
    times = [_number(found, line, row, key) for key in ("start", "end")]
    start_s, end_s = times
    if start_s is None or end_s is None:
        return None
    if start_s < 0:
        found.leave_out(line, "start", row["start"], "negative")
        return None
    if end_s < start_s:
        found.leave_out(line, "end", row["end"], "order")
        return None
    if start_s >= seconds:
        found.leave_out(line, "start", row["start"], "past")
        return None
    if end_s > seconds + 2e-3:  # rounded times may be a little longer
        found.leave_out(line, "end", row["end"], "cut")
    low_hz, high_hz = _band(found, line, row, sample_rate / 2)
    name = " ".join("".join(one if one.isprintable() else " " for one in str(row.get("label") or "")).split())[:MAX_NAME]
    return Label(name, start_s, min(end_s, seconds), low_hz, high_hz, _share(found, line, row))


def _number(found: LabelFile, line: int, row: Row, key: str) -> float | None:
    """Return a field as a finite number; without one, None and a problem."""
    value = row.get(key)
    if value is None or value == "":
        found.leave_out(line, key, "", "missing")
        return None
    number = math.nan
    if isinstance(value, str) and "_" not in value:
        text = value.strip()
        with contextlib.suppress(ValueError):
            number = float(text.replace(",", ".") if "." not in text else text)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e15 else math.nan
    if not math.isfinite(number):
        found.leave_out(line, key, value, "number")
        return None
    return number


def _band(found: LabelFile, line: int, row: Row, nyquist: float) -> tuple[float, float] | tuple[None, None]:
    """Return the frequencies of a line, (None, None) for all frequencies and impossible ones."""
    if all(row.get(key) in (None, "") for key in ("low_hz", "high_hz")):
        return None, None
    low_hz, high_hz = (_number(found, line, row, key) for key in ("low_hz", "high_hz"))
    if low_hz is None or high_hz is None:
        return None, None
    if not 0 <= low_hz < min(high_hz, nyquist):
        found.leave_out(line, "low_hz", f"{low_hz:g}–{high_hz:g}", "band")
        return None, None
    return (None, None) if low_hz == 0 and high_hz >= _WHOLE_BAND * nyquist else (low_hz, min(high_hz, nyquist))


def _expansion(found: LabelFile, line: int, row: Row) -> float:
    """Return the time expansion that a line states, 1 without a possible one."""
    if row.get("time_expansion") in (None, ""):
        return 1.0
    factor = _number(found, line, row, "time_expansion")
    least, most = TIME_EXPANSIONS
    if factor is not None and not least <= factor <= most:
        found.leave_out(line, "time_expansion", row["time_expansion"], "number")
        return 1.0
    return factor or 1.0


def _share(found: LabelFile, line: int, row: Row) -> float | None:
    """Return the probability of a line, if it has one from 0 to 1."""
    if row.get("probability") in (None, ""):
        return None
    share = _number(found, line, row, "probability")
    if share is not None and not 0 <= share <= 1:
        found.leave_out(line, "probability", row["probability"], "share")
        return None
    return share
