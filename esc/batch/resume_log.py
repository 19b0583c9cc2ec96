"""What was heard so far, file by file, in a file of JSON lines: work that was cut off goes on where it stopped."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from esc.batch.result_formats import SoundResult
from esc.classification.sliding_window import Segment
from esc.errors import AudioError, BatchError

FORMAT = 1
FileResult = SoundResult | AudioError


class ResumeLog:
    """The answers that were found to one task, each on disk as soon as it is known.

    Parameters
    ----------
    path : path
        Read where it is there, else begun.
    settings : dict
        What the answers depend on: those that were found under others don't count.

    Raises
    ------
    BatchError
        The file was begun with other settings, or can't be read or written.
    """

    def __init__(self, path: Path, settings: dict) -> None:
        self.path = path
        head = {"format": FORMAT} | json.loads(json.dumps(settings))
        self._answers: dict[str, tuple[list, FileResult]] = {}
        try:
            lines = _whole_lines(path)
            if lines and json.loads(lines[0]) != head:
                raise BatchError("resume_log.settings", path=path)
            for line in lines[1:]:
                entry = json.loads(line)
                self._answers[entry["file"]] = (entry["stamp"], from_json(entry["answer"]))
            # what was cut off in the middle of a line goes; a kill meanwhile leaves the file as it was
            whole = path.with_name(f"{path.name}.part")
            whole.write_text("".join(f"{line}\n" for line in lines or [json.dumps(head)]), encoding="utf-8")
            whole.replace(path)
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise BatchError("resume_log.write", path=path, reason=error.strerror or str(error)) from error
        except (ValueError, KeyError, TypeError) as error:
            raise BatchError("resume_log.damaged", path=path, reason=error) from error

    def answer(self, file: Path) -> FileResult | None:
        """Return what was heard in a file, or why nothing was; None where it is new or was changed since."""
        stamp, heard = self._answers.get(str(file), (None, None))
        return heard if stamp == _stamp(file) else None

    def add(self, file: Path, heard: FileResult) -> None:
        """Note an answer; a crash of this process does not lose it."""
        entry = {"file": str(file), "stamp": _stamp(file), "answer": to_json(heard)}
        self._answers[entry["file"]] = (entry["stamp"], heard)
        try:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
        except OSError as error:
            raise BatchError("resume_log.write", path=self.path, reason=error.strerror or str(error)) from error

    def close(self, finished: bool) -> None:
        """Close the file and, where all is done or nothing was, remove it."""
        self._file.close()
        if finished or not self._answers:
            self.path.unlink(missing_ok=True)


def to_json(heard: FileResult) -> str:
    """Return an answer as text, with all digits of its numbers."""
    if isinstance(heard, AudioError):
        return json.dumps({"key": heard.key, "values": heard.values})
    return json.dumps(asdict(heard))


def from_json(text: str) -> FileResult:
    """Return the answer that `to_json` wrote."""
    values = json.loads(text)
    if "key" in values:
        return AudioError(values["key"], **values["values"])
    timeline = values["timeline"]
    values["timeline"] = None if timeline is None else tuple(Segment(**one) for one in timeline)
    values["top"] = tuple((label, probability) for label, probability in values["top"])
    values["uncertain"] = tuple(Segment(**one) for one in values["uncertain"])
    values["silences"] = tuple((start_s, end_s) for start_s, end_s in values["silences"])
    return SoundResult(**values)


def _whole_lines(path: Path) -> list[str]:
    """Return the lines that were written to their end."""
    if not path.exists():
        return []
    *whole, _ = path.read_text(encoding="utf-8").split("\n")
    return whole


def _stamp(file: Path) -> list | None:
    """Return what changes when a file does: its size and its time."""
    try:
        status = file.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]
