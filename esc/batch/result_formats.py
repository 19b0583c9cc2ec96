"""Results as JSON, CSV, Audacity label tracks and Raven selection tables.

The tables list the verdict on the first clip for results without a timeline.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from esc.audio.channels import MEAN, channel_number
from esc.config import SpectrogramConfig
from esc.errors import AudioError

if TYPE_CHECKING:
    from esc.batch.results import FileResult, SoundResult

ResultFormat = Literal["json", "csv", "audacity", "raven"]
FORMATS: tuple[ResultFormat, ...] = get_args(ResultFormat)
RAVEN_COLUMNS = (  # the first seven are Raven's own, the others are shown as annotations
    "Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)", "Species",
    "Confidence", "Begin Path", "File Offset (s)",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_IMPOSSIBLE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # in names on Windows
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_READ = ("audio.refused", "audio.not_finite")  # errors of sounds that were read to their end
_seconds, _probability = "{:.3f}".format, "{:.6f}".format


def as_row(result: FileResult) -> dict:
    """Return {"file", "seconds", "top", "verdict", "timeline", "uncertain", "notes"}, or {"file", "error"} if refused.

    "channel" is added unless the mean was classified.
    """
    if isinstance(result, AudioError):
        return {"file": _refused_name(result), "error": str(result)}
    return {
        "file": result.file,
        **({} if result.channel == MEAN else {"channel": result.channel}),
        "seconds": result.seconds,
        "top": [{"label": label, "probability": probability} for label, probability in result.top],
        "verdict": result.verdict,
        "timeline": [
            {"label": event.label, "start": event.start_s, "end": event.end_s, "probability": event.probability}
            for event in result.timeline or ()
        ],
        "notes": list(result.notes),
        "uncertain": [
            {"verdict": one.verdict, "label": one.label, "start": one.start_s, "end": one.end_s, "probability": one.probability}
            for one in result.uncertain
        ],
    }


def as_json(results: Sequence[FileResult]) -> str:
    """Return the rows of `as_row` as JSON, with all digits."""
    return json.dumps([as_row(result) for result in results], indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_csv(results: Sequence[FileResult], top_k: int, with_timeline: bool) -> str:
    """Return a row per file with its `top_k` likeliest classes, or per segment.

    Files that were refused and, per segment, those without any have a row, too. If channels other than the mean were
    classified, a column names them. An apostrophe precedes what a spreadsheet would take for a formula.
    """
    if with_timeline:
        columns = ["file", "start", "end", "label", "probability"]
    else:
        columns = ["file", "seconds", "verdict"]
        columns += [name for rank in range(1, top_k + 1) for name in (f"label_{rank}", f"probability_{rank}")]
    with_channel = any(not isinstance(result, AudioError) and result.channel != MEAN for result in results)
    rows = [[columns[0], *(["channel"] if with_channel else []), *columns[1:], "notes", "error"]]
    for result in results:
        if isinstance(result, AudioError):
            names, remarks = [_refused_name(result), ""], ["", str(result)]
            entries: list[list[str]] = [[]]
        else:
            names, remarks = [result.file, result.channel], [" ".join(result.notes), ""]
            entries = _cells(result, with_timeline)
        listed = [[*names[: 1 + with_channel], *cells, *[""] * (len(columns) - 1 - len(cells)), *remarks] for cells in entries]
        rows += [[f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in listed]
    return _delimited(rows, ",")


def _cells(result: SoundResult, with_timeline: bool) -> list[list[str]]:
    """Return the cells after the file's name, of one or more rows."""
    if with_timeline:
        return [
            [_seconds(event.start_s), _seconds(event.end_s), event.label, _probability(event.probability)]
            for event in result.events
        ] or [[]]
    top = [cell for label, probability in result.top for cell in (label, _probability(probability))]
    return [[_seconds(result.seconds), result.verdict, *top]]


def _refused_name(error: AudioError) -> str:
    return str(error.values.get("name", ""))


def as_audacity(result: SoundResult) -> str:
    """Return a label track: start, end (seconds) and label, tab-separated, without a header."""
    return "".join(f"{event.start_s:.6f}\t{event.end_s:.6f}\t{event.label}\n" for event in result.events)


def as_raven(results: Sequence[FileResult], config: SpectrogramConfig) -> str:
    """Return a Raven selection table.

    Times run on through all sounds, as Raven counts when it opens several files as one sequence, those included that were read
    but not classified; "File Offset (s)" is within the file. The frequency range is that of the network's input.
    """
    rows: list[list[str]] = [list(RAVEN_COLUMNS)]
    before_s = 0.0
    for number, result in enumerate(results):
        if isinstance(result, AudioError):
            if result.key in _READ:  # those of a timeout are no length
                before_s += float(str(result.values.get("seconds", 0.0)))
            continue
        high_hz = min(config.fmax, result.sample_rate / 2)
        view = ("Spectrogram 1", str(channel_number(result.channel)))
        for event in result.events:
            times = (_seconds(before_s + event.start_s), _seconds(before_s + event.end_s))
            what = (event.label, _probability(event.probability), result.file, _seconds(event.start_s))
            rows.append([str(len(rows)), *view, *times, f"{config.fmin:.1f}", f"{high_hz:.1f}", *what])
        following = results[number + 1] if number + 1 < len(results) else None
        if getattr(following, "file", None) != result.file:  # the channels of a file are at the same time
            before_s += result.seconds
    return _delimited(rows, "\t")


def as_text(listed: Sequence[FileResult], form: str, top_k: int, with_timeline: bool, config: SpectrogramConfig) -> str:
    """Return results in one of `FORMATS`; only JSON and CSV list refused files."""
    if form == "json":
        return as_json(listed)
    if form == "csv":
        return as_csv(listed, top_k, with_timeline)
    if form == "raven":
        return as_raven(listed, config)
    return "".join(as_audacity(result) for result in listed if not isinstance(result, AudioError))


def track_names(results: Sequence[SoundResult]) -> list[str]:
    """Return a file name for each label track, possible on every system; duplicates are numbered."""
    names: list[str] = []
    for result in results:
        suffix = "" if result.channel == MEAN else f"_{result.channel}"
        stem = _IMPOSSIBLE.sub("_", Path(result.file).stem + suffix).rstrip(". ") or "_"
        stem = f"_{stem}" if _RESERVED.fullmatch(stem) else stem
        name, number = f"{stem}.txt", 2
        while name.lower() in map(str.lower, names):
            name, number = f"{stem}_{number}.txt", number + 1
        names.append(name)
    return names


def _delimited(rows: list[list[str]], delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(
        [cell.replace("\r", " ").replace("\n", " ") for cell in row] for row in rows
    )
    return text.getvalue()
