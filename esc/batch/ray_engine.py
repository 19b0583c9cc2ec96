"""Archives beyond one machine: the same hearing of each file, shared out by Ray Data, on this machine or on a cluster.

Each worker holds the classifier and hears whole files by `esc.batch.runner.classify_or_error`, as the command line does without
Ray; so the numbers are the same. On a cluster every machine needs the packages of requirements-ray.txt and must find
the sounds under the same paths (a shared file system); this program itself and the network travel along. A cluster that
asks for a token takes it from Ray's own variables, RAY_AUTH_MODE=token and RAY_AUTH_TOKEN. What was heard is noted here
as it comes in, see `esc.batch.resume_log`.
"""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import torch

from esc.batch.result_formats import as_csv
from esc.batch.resume_log import FileResult, ResumeLog, from_json, to_json
from esc.batch.runner import BatchOptions, classify_or_error
from esc.classification.classifier import Classifier
from esc.classification.similarity import fingerprint
from esc.errors import AudioError, BatchError, PackageError, ParameterError
from esc.paths import display_path

ENDINGS = (".parquet", ".csv")
REQUIREMENTS = "requirements-ray.txt"
_KNOCK_SECONDS = 5.0
_RETRIES = 2  # of a block whose worker was lost; without end a file that brings its worker down would be tried for ever
_FILES_A_BLOCK = 8  # come in together: what is lost at most, a worker, when the work is cut off
_STORE_BYTES = 512 * 2**20  # of this machine's memory for what travels between its workers: the network has 45 MB


def resume_log_path(output: Path) -> Path:
    """Return where the work on `output` is noted until it is done."""
    return output.with_name(f"{output.name}.journal")


def classify_with_ray(
    files: Sequence[Path],
    task: BatchOptions,
    output: Path,
    jobs: int | None = None,
    address: str | None = None,
    on_file: Callable[[int], None] | None = None,
) -> list[FileResult]:
    """Hear files by Ray, write what was heard, and return it in the order given, with what could not be read.

    Parameters
    ----------
    files : sequence of path
    task : BatchOptions
        `workers` is not looked at: each file is heard by one worker, on one core.
    output : path
        Ends in .parquet (a row a file, those that can't be read with their reason) or .csv (as `result_formats.as_csv`).
        Written at the end, at one stroke; until then the work is noted in `resume_log_path(output)`, and what is noted
        there is not heard again.
    jobs : int, optional
        Workers, each on a core; as many as there are cores where left out.
    address : str, optional
        Of a cluster that runs, "auto" for the one on this machine. Left out, Ray is started here and ended.
    on_file : callable, optional
        Is called with the number of files done.

    Raises
    ------
    PackageError
        Ray or pyarrow is not installed.
    ParameterError
        The output's ending or the address is not possible.
    CheckpointError
        The checkpoint is missing or damaged.
    BatchError
        The journal can't be used, the output can't be written, no cluster answers, or workers were lost again and again.
    """
    if output.suffix.lower() not in ENDINGS:
        raise ParameterError("parameter.choice", field="the ending of --output", value=output.name, choices=", ".join(ENDINGS))
    _require_packages()
    classifier = Classifier.load(task.checkpoint)
    task = replace(task, workers=1)
    settings = asdict(replace(task, checkpoint=None)) | {"checkpoint": fingerprint(classifier)}
    settings["calibration"] = classifier.checkpoint.calibration and classifier.checkpoint.calibration.to_dict()
    journal = ResumeLog(resume_log_path(output), settings)
    finished = False
    try:
        todo = [path for path in files if journal.answer(path) is None]
        done = len(files) - len(todo)
        if on_file:
            on_file(done)
        if todo:
            with _ray(address, jobs), _giving_up(journal.path):
                for path, heard in _heard(todo, classifier, task, jobs):
                    journal.add(path, heard)
                    done += 1
                    if on_file:
                        on_file(done)
        answers = [journal.answer(path) or _vanished(path) for path in files]
        _write(answers, files, task, output)
        finished = True
        return answers
    finally:
        journal.close(finished)


class _Hearer:
    """A worker: hears a file a row. What goes in and out are plain values, as Ray keeps them in tables."""

    def __init__(self, classifier: Classifier, task: BatchOptions) -> None:
        torch.set_num_threads(1)  # the workers share the cores
        self._classifier, self._task = classifier, task

    def __call__(self, row: dict) -> dict:
        heard = classify_or_error(Path(row["path"]), self._classifier, self._task)
        return {"number": row["number"], "answer": to_json(heard)}


def _heard(
    files: Sequence[Path], classifier: Classifier, task: BatchOptions, jobs: int | None
) -> Iterator[tuple[Path, FileResult]]:
    """Yield what the workers heard as it comes in, in no order."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    workers = min(jobs or cores, cores, len(files))
    rows = [{"number": number, "path": str(path)} for number, path in enumerate(files)]
    blocks = max(min(workers, len(files)), -(-len(files) // _FILES_A_BLOCK))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray will rename `max_task_retries` some day; its version is pinned
        heard = ray.data.from_items(rows, override_num_blocks=blocks).map(
            _Hearer,
            fn_constructor_args=(classifier, task),
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
            max_task_retries=_RETRIES,
        )
    for row in heard.iter_rows():
        yield files[row["number"]], from_json(row["answer"])


@contextmanager
def _ray(address: str | None, jobs: int | None) -> Iterator[None]:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it reports to its makers otherwise
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what Ray will do, and a note about it if not set
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it calls it an error that a worker is given its network
    import ray

    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address is None:
            ray.init("local", num_cpus=jobs, include_dashboard=False, object_store_memory=_STORE_BYTES, **quiet)
        else:
            _knock(address)
            package = Path(__file__).resolve().parent
            ray.init(address=address, runtime_env={"py_modules": [str(package)]}, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BatchError("ray.address", address=address, reason=reason) from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _giving_up(notes: Path) -> Iterator[None]:
    """Say in one sentence that workers were lost again and again; what was heard until then stays noted."""
    import ray.exceptions

    try:
        yield
    except ray.exceptions.RayError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BatchError("ray.workers", path=notes, reason=reason) from error


def _knock(address: str) -> None:
    """Raise OSError where nothing listens at "host:port" or "ray://host:port"; Ray itself takes minutes to say so."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_KNOCK_SECONDS).close()


def _write(answers: Sequence[FileResult], files: Sequence[Path], task: BatchOptions, output: Path) -> None:
    """Write the answers at one stroke."""
    fresh = output.with_name(f"{output.name}.tmp")
    try:
        if output.suffix.lower() == ".csv":
            results = [heard for heard in answers if not isinstance(heard, AudioError)]
            with fresh.open("w", encoding="utf-8", newline="") as file:
                file.write(as_csv(results, task.top_k, task.timeline))
        else:
            _write_parquet(answers, files, fresh)
        fresh.replace(output)
    except OSError as error:
        raise BatchError("resume_log.write", path=output, reason=error.strerror or str(error)) from error
    finally:
        fresh.unlink(missing_ok=True)


def _write_parquet(answers: Sequence[FileResult], files: Sequence[Path], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    class_, mark = [("label", pa.string()), ("probability", pa.float64())], [("start", pa.float64()), ("end", pa.float64())]
    schema = pa.schema(
        [
            ("file", pa.string()),
            ("seconds", pa.float64()),
            ("sample_rate", pa.int64()),
            ("verdict", pa.string()),
            ("top", pa.list_(pa.struct(class_))),
            ("timeline", pa.list_(pa.struct([class_[0], *mark, class_[1]]))),
            ("error", pa.string()),
        ]
    )
    rows = [_parquet_row(heard, file) for heard, file in zip(answers, files, strict=True)]
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema), path)


def _parquet_row(heard: FileResult, file: Path) -> dict:
    if isinstance(heard, AudioError):
        return {"file": display_path(file), "error": str(heard)}
    return {
        "file": heard.file,
        "seconds": heard.seconds,
        "sample_rate": heard.sample_rate,
        "verdict": heard.verdict,
        "top": [{"label": label, "probability": probability} for label, probability in heard.top],
        "timeline": heard.timeline
        and [
            {"label": mark.label, "start": mark.start_s, "end": mark.end_s, "probability": mark.probability}
            for mark in heard.timeline
        ],
    }


def _vanished(path: Path) -> AudioError:
    """Return why a file that was heard has no answer: it was changed meanwhile, or is gone."""
    return AudioError("audio.changed", name=display_path(path))


def _require_packages() -> None:
    try:
        import pyarrow  # noqa: F401
        import ray.data  # noqa: F401
    except ImportError as error:
        raise PackageError("package.missing", package=error.name, file=REQUIREMENTS) from error
