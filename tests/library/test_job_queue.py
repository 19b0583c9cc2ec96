"""Feature jobs in a worker process: progress, results, cancellation and owners."""

import pickle
import signal
import threading
import time

import librosa
import numpy as np
import pytest
from numba.core.caching import IndexDataCacheFile

import sounds
from esc.config import LIBROSA
from esc.dsp.tiles import Tile
from esc.errors import PageError, ParameterError
from esc.features import job_queue as jobs_module
from esc.features.job_queue import JobQueue
from esc.features.worker import FeatureTask, compute, name_compiled_uniquely

RATE = LIBROSA.sample_rate
PATIENCE_S = 90.0


def task(layer, samples, high_db=None):
    return FeatureTask(
        layer, LIBROSA, samples, Tile(0.0, len(samples) / RATE if isinstance(samples, np.ndarray) else 60.0, 500), "mel", high_db
    )


def no_folder():
    raise AssertionError("no worker has crashed")


def wait(jobs, job, holds):
    end = time.monotonic() + PATIENCE_S
    while not holds(jobs.ask(job.owner, job.id)):
        assert time.monotonic() < end, (job.state, job.progress)
        time.sleep(0.02)
    return job


@pytest.fixture(scope="module")
def jobs():
    made = JobQueue(no_folder)
    yield made
    if made._process is not None:
        made._process.kill()
        made._process.wait()


@pytest.fixture(scope="module")
def minutes():
    return (0.1 * np.random.default_rng(0).standard_normal(120 * RATE)).astype(np.float32)


@pytest.mark.slow
def test_job_result_equals_librosa(jobs):
    sound = sounds.busy(2.0, RATE)
    job = wait(jobs, jobs.start("me", "mel centroid", task("centroid", sound)), lambda job: job.over)
    assert (job.state, job.progress, job.error) == ("done", 1.0, None)
    expected = librosa.feature.spectral_centroid(y=sound, sr=RATE)[0]
    np.testing.assert_allclose(job.result["centroid_hz"], expected, rtol=1e-3, atol=0.1)


@pytest.mark.slow
def test_progress_and_cancel_of_a_slow_job(jobs, minutes):
    job = jobs.start("me", "mel pitch", task("pitch", minutes))
    wait(jobs, job, lambda job: job.progress > 0)
    process = jobs._process
    assert process.poll() is None
    assert jobs.cancel("me", job.id).state == "cancelled"
    process.wait(PATIENCE_S)  # no more of it is computed
    assert job.result is None
    after = wait(jobs, jobs.start("me", "mel onsets", task("onsets", sounds.tone(440.0, 1.0, RATE))), lambda job: job.over)
    assert after.state == "done"  # by a process of its own
    assert jobs._process is not process


@pytest.mark.slow
def test_newer_job_of_a_slot_cancels_the_older(jobs, minutes):
    first = jobs.start("me", "mel pitch", task("pitch", minutes))
    wait(jobs, first, lambda job: job.state == "running")
    waiting = jobs.start("me", "mel harmonic", task("harmonic", minutes))
    assert waiting.state == "waiting"
    second = jobs.start("me", "mel pitch", task("pitch", sounds.tone(440.0, 1.0, RATE)))
    assert first.state == "cancelled"
    jobs.cancel("me", waiting.id)
    assert wait(jobs, second, lambda job: job.over).state == "done"
    assert waiting.result is None
    assert np.nanmedian(second.result["f0_hz"]) == pytest.approx(440, rel=0.01)


def test_abandoned_job_is_cancelled(jobs, minutes, monkeypatch):
    monkeypatch.setattr(jobs_module, "ABANDONED_S", 0.2)
    job = jobs.start("me", "mel pitch", task("pitch", minutes))
    end = time.monotonic() + PATIENCE_S
    while not job.over and time.monotonic() < end:
        time.sleep(0.05)  # without a question
    assert job.state == "cancelled"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_dead_worker_fails_one_job_only(jobs, minutes, number):
    job = jobs.start("me", "mel pitch", task("pitch", minutes))
    wait(jobs, job, lambda job: job.progress > 0)
    jobs._process.send_signal(number)
    assert wait(jobs, job, lambda job: job.over).state == "failed"
    assert job.error.key == "page.failed"
    broken = wait(jobs, jobs.start("me", "x", task("centroid", np.zeros((2, 2), object))), lambda job: job.over)
    assert broken.error.key == "page.failed"


@pytest.mark.slow
def test_cancel_as_a_job_ends_spares_the_next(jobs, monkeypatch):
    """Cancelled between the worker's reply and its bookkeeping; a killed process takes a moment to die."""
    tone = sounds.tone(440.0, 1.0, RATE)
    wait(jobs, jobs.start("me", "warm", task("centroid", tone)), lambda job: job.over)
    process, load, kill = jobs._process, pickle.load, jobs._process.kill

    def load_then_cancel(file):
        reply = load(file)
        if reply[0] == "done" and jobs._process is process:
            jobs.cancel("me", first.id)
        return reply

    monkeypatch.setattr(process, "kill", lambda: threading.Timer(0.3, kill).start())
    monkeypatch.setattr(jobs_module.pickle, "load", load_then_cancel)
    with jobs._lock:  # both are queued before the first one starts
        first = jobs.start("me", "first", task("centroid", tone))
        second = jobs.start("me", "second", task("pitch", sounds.busy(8.0, RATE)))
    assert wait(jobs, second, lambda job: job.over).state == "done"
    assert first.state == "cancelled"


def test_job_without_a_process_fails_and_frees_its_task(monkeypatch):
    own = JobQueue(no_folder)

    def no_process(*args, **kwargs):
        raise OSError("no memory")

    monkeypatch.setattr(jobs_module.subprocess, "Popen", no_process)
    job = wait(own, own.start("me", "mel centroid", task("centroid", sounds.tone(440.0, 0.5, RATE))), lambda job: job.over)
    end = time.monotonic() + 5
    while job.task is not None and time.monotonic() < end:
        time.sleep(0.01)
    assert (job.state, job.error.key, job.task) == ("failed", "page.failed", None)


def test_queue_outlives_an_unexpected_error(monkeypatch):
    own, popen = JobQueue(no_folder), jobs_module.subprocess.Popen

    def no_thread(*args, **kwargs):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(jobs_module.subprocess, "Popen", no_thread)
    tone = sounds.tone(440.0, 0.5, RATE)
    assert wait(own, own.start("me", "first", task("centroid", tone)), lambda job: job.over).error.key == "page.failed"
    monkeypatch.setattr(jobs_module.subprocess, "Popen", popen)
    assert wait(own, own.start("me", "second", task("centroid", tone)), lambda job: job.over).state == "done"
    own._process.kill()
    own._process.wait()


@pytest.mark.slow  # compiles twice
def test_worker_with_a_damaged_cache_of_compiled_code(tmp_path, monkeypatch, caplog):
    """Code for float64 under the signature of float32, as two processes that compile at once leave it."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "shared"))
    clicks = np.zeros(RATE, np.float32)
    clicks[:: RATE // 4] = 0.5
    own = JobQueue(lambda: tmp_path / "own")

    def onsets():
        return wait(own, own.start("me", "mel onsets", task("onsets", clicks)), lambda job: job.over)

    whole = onsets().result
    own._process.kill()
    own._process.wait()
    (index,) = (tmp_path / "shared").rglob("guf-utils.__peak_pick*.nbi")
    codes = list(index.parent.glob(f"{index.stem}.*.nbc"))
    contents = [path.read_bytes() for path in codes]
    for path, content in zip(codes, contents[1:] + contents[:1], strict=True):
        path.write_bytes(content)
    job = onsets()
    assert (job.state, "crashed" in caplog.text) == ("done", True)
    np.testing.assert_array_equal(job.result["times_s"], whole["times_s"])
    own._process.kill()
    own._process.wait()


def test_processes_that_compile_at_once_keep_each_their_code(tmp_path, monkeypatch):
    monkeypatch.setattr(IndexDataCacheFile, "_data_name", IndexDataCacheFile._data_name)  # restored at the end
    name_compiled_uniquely()
    one, other = (IndexDataCacheFile(str(tmp_path), "sum", "stamp") for _ in range(2))
    monkeypatch.setattr(other, "_load_index", dict)  # it has read the index before

    def save_data(name, data):
        other.save("float64", b"code of float64")
        IndexDataCacheFile._save_data(one, name, data)

    monkeypatch.setattr(one, "_save_data", save_data)
    one.save("float32", b"code of float32")
    for signature in ("float32", "float64"):
        found = IndexDataCacheFile(str(tmp_path), "sum", "stamp").load(signature)
        assert found in (None, f"code of {signature}".encode())


def test_error_of_a_feature_names_the_parameter(jobs):
    config = LIBROSA.replace(n_fft=32_768, hop_length=16)
    large = FeatureTask("harmonic", config, np.zeros(8 * RATE, np.float32), Tile(0.0, 8.0, 100), "mel", None)
    job = wait(jobs, jobs.start("me", "large", large), lambda job: job.over)
    assert (job.state, type(job.error), job.error.key) == ("failed", ParameterError, "feature.size")


def test_job_owner(jobs):
    job = jobs.start("me", "mel centroid", task("centroid", sounds.tone(440.0, 0.5, RATE)))
    for owner, asked in (("you", job.id), ("me", "nothing"), ("me", None), ("me", 7), ("me", [])):
        for call in (jobs.ask, jobs.cancel):
            with pytest.raises(PageError) as refused:
                call(owner, asked)
            assert refused.value.key == "page.request"
    wait(jobs, job, lambda job: job.over)
    assert job.state == "done"


def test_queue_limit(minutes, monkeypatch):
    own = JobQueue(no_folder)
    monkeypatch.setattr(own, "_threads", [None])  # nobody works
    for number in range(jobs_module.WAITING):
        own.start("me", str(number), task("pitch", minutes))
    with pytest.raises(PageError) as refused:
        own.start("you", "one more", task("pitch", minutes))
    assert refused.value.key == "page.busy"


def test_image_quantisation(tmp_path):
    sound = sounds.busy(2.0, RATE)
    sound.tofile(tmp_path / "sound.f32")
    for samples in (sound, tmp_path / "sound.f32"):
        drawn = compute(task("harmonic", samples, high_db=20.0), lambda share: None)
        assert (drawn["low"], drawn["high"]) == (-60.0, 20.0)
        assert drawn["levels"].shape == (128, 87)
        assert (drawn["start_s"], drawn["end_s"]) == (pytest.approx(-256 / RATE), pytest.approx(86.5 * 512 / RATE))
    pcen = compute(task("pcen", sound), lambda share: None)
    assert (pcen["low"], pcen["decibels"], pcen["levels"].max()) == (0.0, False, 255)
