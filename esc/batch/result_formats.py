"""Results as JSON, CSV, Audacity label tracks and Raven selection tables.

Times in JSON and CSV are the sound's, with its `time_expansion`; label tracks and selection tables have the file's own.
The tables list the verdict on the first clip for results without a timeline.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, get_args

from esc.audio.channels import MEAN, channel_number
from esc.batch import label_formats
from esc.batch.label_formats import Label, RavenRow, slowed, uncertainty_text
from esc.batch.tables import delimited, safe_cell, safe_name
from esc.classification.predictions import NO_CLASSES, UNSURE
from esc.config import SpectrogramConfig
from esc.errors import AudioError

if TYPE_CHECKING:
    from esc.batch.results import FileResult, SoundResult

ResultFormat = Literal["json", "csv", "audacity", "raven"]
FORMATS: tuple[ResultFormat, ...] = get_args(ResultFormat)
_READ = ("audio.refused", "audio.not_finite")  # errors of sounds that were read to their end
_OF_FILE = ("likeliest", "likeliest_probability", "seconds")  # columns of the table of segments
_seconds, _probability = "{:.3f}".format, "{:.6f}".format


def as_row(result: FileResult) -> dict:
    """Return {"file", "seconds", "top", "verdict", "timeline", "uncertain", "notes"}, or {"file", "error"} if refused.

    "channel" is added unless the mean was classified, "time_expansion" unless it is 1, "start" and "end" if an interval was.
    """
    if isinstance(result, AudioError):
        return {"file": _refused_name(result), "error": str(result)}
    return {
        "file": result.file,
        **({} if result.channel == MEAN else {"channel": result.channel}),
        **({} if result.time_expansion == 1.0 else {"time_expansion": result.time_expansion}),
        **dict(zip(("start", "end"), result.interval or (), strict=False)),
        "seconds": result.seconds,
        "top": [{"label": label, "probability": probability} for label, probability in result.top],
        "verdict": result.verdict,
        "timeline": [
            {
                "label": event.label,
                "start": event.start_s,
                "end": event.end_s,
                "probability": event.probability,
                "uncertainty": event.uncertainty_s,
            }
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

    Files that were refused have a row, too. Per segment, those without any have one with "silence", "unknown" or "unsure" in
    place of a class; each row of a file has the verdict on the first clip, as in `as_row`, its likeliest class with its
    probability, and the length of the sound. If channels other than the mean were classified, a column names them, and one
    states time expansions; intervals have their times. An apostrophe precedes what a spreadsheet would take for a formula.
    """
    sounds = [result for result in results if not isinstance(result, AudioError)]
    with_times = any(result.interval for result in sounds)
    if with_timeline:
        columns = ["file", "start", "end", "label", "probability", "uncertainty", "verdict", *_OF_FILE]
    else:
        columns = ["file", *(["start", "end"] if with_times else []), "seconds", "verdict"]
        columns += [name for rank in range(1, top_k + 1) for name in (f"label_{rank}", f"probability_{rank}")]
    with_channel = any(result.channel != MEAN for result in sounds)
    with_expansion = any(result.time_expansion != 1.0 for result in sounds)
    more = [name for name, shown in (("channel", with_channel), ("time_expansion", with_expansion)) if shown]
    rows = [[columns[0], *more, *columns[1:], "notes", "error"]]
    for result in results:
        if isinstance(result, AudioError):
            about, remarks = {"file": _refused_name(result)}, ["", str(result)]
            entries: list[list[str]] = [[]]
        else:
            about = {"file": result.file, "channel": result.channel, "time_expansion": f"{result.time_expansion:g}"}
            remarks = [" ".join(result.notes), ""]
            entries = _cells(result, with_timeline, with_times)
        names = [about.get(name, "") for name in ("file", *more)]
        listed = [[*names, *cells, *[""] * (len(columns) - 1 - len(cells)), *remarks] for cells in entries]
        rows += [[safe_cell(cell) for cell in row] for row in listed]
    return delimited(rows, ",")


def _cells(result: SoundResult, with_timeline: bool, with_times: bool) -> list[list[str]]:
    """Return the cells after the file's name, of one or more rows."""
    if with_timeline:
        likeliest, probability = result.top[0] if result.top else ("", None)
        of_file = [likeliest, "" if probability is None else _probability(probability), _seconds(result.seconds)]
        return [
            [
                *map(_seconds, (one.start_s, one.end_s)),
                one.name,
                "" if one.probability is None else _probability(one.probability),
                uncertainty_text(one),
                result.verdict,
                *of_file,
            ]
            for one in labels_of(result)
        ] or [["", "", _without_segments(result), "", "", result.verdict, *of_file]]
    times = [_seconds(at_s) for at_s in result.interval] if result.interval else ["", ""] if with_times else []
    top = [cell for label, probability in result.top for cell in (label, _probability(probability))]
    return [[*times, _seconds(result.seconds), result.verdict, *top]]


def _without_segments(result: SoundResult) -> str:
    """Return what a sound without segments is: one of `NO_CLASSES`."""
    found = result.overall[0] if result.overall else UNSURE
    return found if found in NO_CLASSES else UNSURE


def _refused_name(error: AudioError) -> str:
    return str(error.values.get("name", ""))


def labels_of(result: SoundResult) -> list[Label]:
    """Return the segments of a result as labels in all frequencies."""
    return [
        Label(
            one.label,
            one.start_s,
            one.end_s,
            probability=None if one.label in NO_CLASSES else one.probability,
            uncertainty_s=one.uncertainty_s or None,
        )
        for one in result.events
    ]


def file_labels(result: SoundResult) -> list[Label]:
    """Return `labels_of` in the file's own time, for programs that open it."""
    return [slowed(label, result.time_expansion) for label in labels_of(result)]


def as_raven(results: Sequence[FileResult], config: SpectrogramConfig) -> str:
    """Return a Raven selection table.

    Times run on through all sounds, as Raven counts when it opens several files as one sequence, those included that were read
    but not classified; "File Offset (s)" is within the file. The frequency range is that of the network's input.
    """
    rows: list[RavenRow] = []
    before_s = 0.0
    for number, result in enumerate(results):
        if isinstance(result, AudioError):
            before_s += read_seconds(result)
            continue
        low_hz, high_hz = (hz / result.time_expansion for hz in (config.fmin, min(config.fmax, result.sample_rate / 2)))
        channel = channel_number(result.channel)
        rows += [RavenRow(label, result.file, channel, low_hz, high_hz, before_s) for label in file_labels(result)]
        following = results[number + 1] if number + 1 < len(results) else None
        if getattr(following, "file", None) != result.file:  # the channels of a file are at the same time
            before_s += read_seconds(result)
    return label_formats.as_raven(rows)


def read_seconds(result: FileResult) -> float:
    """Return a file's length in its own time, 0 unless read to its end."""
    if not isinstance(result, AudioError):
        return result.seconds * result.time_expansion
    return float(str(result.values.get("seconds", 0.0))) if result.key in _READ else 0.0  # those of a timeout are no length


def as_text(listed: Sequence[FileResult], form: str, top_k: int, with_timeline: bool, config: SpectrogramConfig) -> str:
    """Return results in one of `FORMATS`; only JSON and CSV list refused files."""
    if form == "json":
        return as_json(listed)
    if form == "csv":
        return as_csv(listed, top_k, with_timeline)
    if form == "raven":
        return as_raven(listed, config)
    return "".join(label_formats.as_audacity(file_labels(one)) for one in listed if not isinstance(one, AudioError))


def track_names(results: Sequence[SoundResult], with_folders: bool = False) -> list[str]:
    """Return a file name for each label track, possible on every system; duplicates are numbered.

    With folders, those of the sounds come before it, except the root and "..".
    """
    names: list[str] = []
    for result in results:
        suffix = "" if result.channel == MEAN else f"_{result.channel}"
        path = PurePath(result.file)
        folders = [part for part in path.parts[:-1] if part not in (path.anchor, "..")] if with_folders else []
        stem = "/".join([*map(safe_name, folders), safe_name(path.stem + suffix)])
        name, number = f"{stem}.txt", 2
        while name.lower() in map(str.lower, names):
            name, number = f"{stem}_{number}.txt", number + 1
        names.append(name)
    return names
