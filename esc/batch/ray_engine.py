"""Classification by Ray Data, on this machine or on a cluster.

Each worker classifies whole files by `esc.batch.file_classification.classify_or_error`, so results equal those without Ray. On a
cluster every machine needs the packages of requirements-ray.txt and the sounds under the same paths (a shared file
system); this package and the network are sent along. For a cluster with token authentication set RAY_AUTH_MODE=token and
RAY_AUTH_TOKEN. Results are logged as they arrive, see `esc.batch.resume_log`.
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
from typing import Any

import torch

from esc.batch.file_classification import classify_or_error
from esc.batch.options import BatchOptions
from esc.batch.result_formats import as_csv, as_row
from esc.batch.results import FileResult
from esc.batch.resume_log import ResumeLog, file_stamp, from_json, to_json
from esc.classification.classifier import Classifier
from esc.classification.similarity import fingerprint
from esc.errors import AudioError, BatchError, check_choice, reason_of, require_packages
from esc.paths import ROOT, atomic_write, display_path

ENDINGS = (".parquet", ".csv")
REQUIREMENTS = "requirements-ray.txt"
_CONNECT_SECONDS = 5.0
_RETRIES = 2  # of a block after the loss of its worker; unlimited, a file that crashes its worker would never be given up
_FILES_PER_BLOCK = 8  # a worker's results arrive by blocks: the results of a block are lost on interruption
_STORE_BYTES = 512 * 2**20  # memory for objects shared by the workers: the network has 45 MB


def resume_log_path(output: Path) -> Path:
    """Return the path of the resume log of `output`."""
    return output.with_name(f"{output.name}.journal")


def classify_with_ray(
    files: Sequence[Path],
    options: BatchOptions,
    output: Path,
    jobs: int | None = None,
    address: str | None = None,
    on_file: Callable[[int], None] = lambda done: None,
    bom: bool = False,
) -> list[FileResult]:
    """Classify files by Ray, write the results, and return them in the order given.

    Parameters
    ----------
    options : BatchOptions
        `workers` is ignored: each file is classified by one worker on one core.
    output : path
        Ends in .parquet (a row per file, with an error message for unreadable ones) or .csv (see `result_formats.as_csv`).
        Written at the end, atomically; until then results are in `resume_log_path(output)`, from which a run resumes. With
        `bom` a CSV begins with a byte order mark.
    jobs : int, optional
        Number of workers, each on one core; by default the number of cores.
    address : str, optional
        Address of a running cluster, "auto" for one on this machine. By default Ray is started here and stopped again.
    on_file : callable, optional
        Called with the number of finished files.

    Raises
    ------
    PackageError, ParameterError, CheckpointError
        Ray or pyarrow is not installed; the output's ending or the address is not possible; the checkpoint is missing or damaged.
    BatchError
        The resume log or the output can't be written, no cluster answers, or workers were lost repeatedly.
    """
    check_choice("the ending of --output", output.suffix.lower() or output.name, ENDINGS)
    require_packages(REQUIREMENTS, "pyarrow", "ray", "ray.data")
    classifier = Classifier.load(options.checkpoint)
    options, finished = replace(options, workers=1), False
    log = _open_log(output, classifier, options)
    try:
        stamps = {path: file_stamp(path) for path in files if log.result(path) is None}
        done = len(files) - len(stamps)
        on_file(done)
        if stamps:
            with _ray(address, jobs, log.path):
                for number, (path, result) in enumerate(_classify(list(stamps), classifier, options, jobs), 1):
                    log.add(path, stamps[path], result)
                    on_file(done + number)
        results = [log.result(path) or AudioError("audio.changed", name=display_path(path)) for path in files]
        _write(results, files, options, output, bom)
        finished = True
        return results
    finally:
        log.close(finished)


def _open_log(output: Path, classifier: Classifier, options: BatchOptions) -> ResumeLog:
    calibration = classifier.checkpoint.calibration
    settings = asdict(options) | {"checkpoint": fingerprint(classifier), "calibration": calibration and calibration.to_dict()}
    return ResumeLog(resume_log_path(output), settings)


class _Worker:
    """A worker; inputs and outputs are plain values, as Ray keeps them in tables."""

    def __init__(self, classifier: Classifier, options: BatchOptions) -> None:
        torch.set_num_threads(1)  # the workers share the cores
        self._classifier, self._options = classifier, options

    def __call__(self, row: dict) -> dict:
        result = classify_or_error(Path(row["path"]), self._classifier, self._options)
        return {"number": row["number"], "result": to_json(result)}


def _classify(
    files: Sequence[Path], classifier: Classifier, options: BatchOptions, jobs: int | None
) -> Iterator[tuple[Path, FileResult]]:
    """Yield results as they arrive, in no order."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    workers = min(jobs or cores, cores, len(files))
    rows = [{"number": number, "path": str(path)} for number, path in enumerate(files)]
    worker: Any = _Worker
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a later Ray renames `max_task_retries`; its version is pinned
        results = ray.data.from_items(rows, override_num_blocks=max(workers, -(-len(files) // _FILES_PER_BLOCK))).map(
            worker,
            fn_constructor_args=(classifier, options),
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
            max_task_retries=_RETRIES,
        )
    for row in results.iter_rows():
        yield files[row["number"]], from_json(row["result"])


@contextmanager
def _ray(address: str | None, jobs: int | None, log_path: Path) -> Iterator[None]:
    """Start Ray or connect to a cluster, and leave it; errors name the resume log."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage reports
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # the coming default; avoids a warning
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # otherwise a worker's large argument is logged as an error
    import ray.exceptions

    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address is None:
            ray.init("local", num_cpus=jobs, include_dashboard=False, object_store_memory=_STORE_BYTES, **settings)
        else:
            _check_port(address)
            ray.init(address=address, runtime_env={"py_modules": [str(ROOT / "esc")]}, **settings)
    except (OSError, ValueError, RuntimeError) as error:
        raise BatchError("ray.address", address=address, reason=reason_of(error)) from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    except ray.exceptions.RayError as error:
        raise BatchError("ray.workers", path=log_path, reason=reason_of(error)) from error
    finally:
        ray.shutdown()


def _check_port(address: str) -> None:
    """Raise OSError if nothing listens at an address; Ray itself needs minutes to notice."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()


def _write(results: Sequence[FileResult], files: Sequence[Path], options: BatchOptions, output: Path, bom: bool) -> None:
    """Write the results, atomically."""
    encoding = "utf-8-sig" if bom else "utf-8"
    try:
        with atomic_write(output) as temporary:
            if output.suffix.lower() == ".csv":
                listed = sorted(results, key=lambda result: isinstance(result, AudioError))  # as without Ray
                temporary.write_text(as_csv(listed, options.top_k, options.timeline), encoding=encoding, newline="")
            else:
                _write_parquet(results, files, temporary)
    except OSError as error:
        raise BatchError("resume_log.write", path=output, reason=reason_of(error)) from error


def _write_parquet(results: Sequence[FileResult], files: Sequence[Path], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet

    label, probability = ("label", pa.string()), ("probability", pa.float64())
    interval = [label, ("start", pa.float64()), ("end", pa.float64()), probability]
    segment, uncertain = [*interval, ("uncertainty", pa.float64())], [("verdict", pa.string()), *interval]
    schema = pa.schema(
        [
            ("file", pa.string()),
            ("seconds", pa.float64()),
            ("sample_rate", pa.int64()),
            ("verdict", pa.string()),
            ("top", pa.list_(pa.struct([label, probability]))),
            ("timeline", pa.list_(pa.struct(segment))),
            ("notes", pa.list_(pa.string())),
            ("uncertain", pa.list_(pa.struct(uncertain))),
            ("error", pa.string()),
        ]
    )
    rows: list[dict] = []
    for result, file in zip(results, files, strict=True):
        if isinstance(result, AudioError):
            rows.append({"file": display_path(file), "error": str(result)})
        else:
            row = as_row(result) | {"sample_rate": result.sample_rate}
            rows.append(row if result.timeline is not None else row | {"timeline": None, "uncertain": None})
    for name, kind in (
        ("end", pa.float64()),
        ("start", pa.float64()),
        ("time_expansion", pa.float64()),
        ("channel", pa.string()),
    ):
        if any(name in row for row in rows):
            schema = schema.insert(1, pa.field(name, kind))
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema), path)
