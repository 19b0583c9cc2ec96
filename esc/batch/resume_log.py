"""Log of finished files as JSON lines, from which an interrupted run resumes."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter

from esc.batch.results import FileResult, SoundResult
from esc.errors import AudioError, BatchError, reason_of
from esc.paths import atomic_write

_RESULT = TypeAdapter(SoundResult)


class ResumeLog:
    """Results of a run so far, each on disk as soon as it is known.

    Parameters
    ----------
    path : path
        Read if it exists, else created.
    settings : dict
        Settings of the run; the log of a run with others is refused.

    Raises
    ------
    BatchError
        The file is of a run with other settings, or can't be read or written.
    """

    def __init__(self, path: Path, settings: dict) -> None:
        self.path = path
        header = json.loads(json.dumps(settings))
        self._results: dict[str, tuple[list | None, FileResult]] = {}
        try:
            lines = _complete_lines(path)
            if lines and json.loads(lines[0]) != header:
                raise BatchError("resume_log.settings", path=path)
            for line in lines[1:]:
                entry = json.loads(line)
                self._results[entry["file"]] = (entry["stamp"], from_json(entry["result"]))
            # drops an incomplete last line; if killed meanwhile, the file stays as it was
            with atomic_write(path) as rewritten:
                rewritten.write_text("".join(f"{line}\n" for line in lines or [json.dumps(header)]), encoding="utf-8")
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise BatchError("resume_log.write", path=path, reason=reason_of(error)) from error
        except (ValueError, KeyError, TypeError) as error:
            raise BatchError("resume_log.damaged", path=path, reason=reason_of(error)) from error

    def result(self, file: Path) -> FileResult | None:
        """Return the result of a file; None if it is new or has changed since."""
        stamp, result = self._results.get(str(file), (None, None))
        if stamp is None and not isinstance(result, AudioError):  # what was classified before it vanished
            return None
        return result if stamp == file_stamp(file) else None

    def add(self, file: Path, stamp: list | None, result: FileResult) -> None:
        """Record a result; `stamp` is the file's `file_stamp` before it was read."""
        self._results[str(file)] = (stamp, result)
        try:
            self._file.write(json.dumps({"file": str(file), "stamp": stamp, "result": to_json(result)}) + "\n")
            self._file.flush()
        except OSError as error:
            raise BatchError("resume_log.write", path=self.path, reason=reason_of(error)) from error

    def close(self, finished: bool) -> None:
        """Close the file, and remove it if the run is finished or nothing was recorded."""
        self._file.close()
        if finished or not self._results:
            self.path.unlink(missing_ok=True)


def file_stamp(file: Path) -> list | None:
    """Return a file's size and modification time, by which changes are noticed."""
    try:
        status = file.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def to_json(result: FileResult) -> str:
    """Return a result as JSON, with all digits."""
    return json.dumps({"key": result.key, "values": result.values} if isinstance(result, AudioError) else asdict(result))


def from_json(text: str) -> FileResult:
    """Return the result of `to_json`."""
    values = json.loads(text)
    return AudioError(values["key"], **values["values"]) if "key" in values else _RESULT.validate_python(values)


def _complete_lines(path: Path) -> list[str]:
    """Return the lines that end in a newline."""
    return path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
