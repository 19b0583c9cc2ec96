"""Chunks computed by threads: equal to one thread's, and also after a fork."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from esc.config import NOTEBOOK
from esc.dsp.chunk_threads import map_chunks
from esc.dsp.spectrogram import mel_db, stft_db


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Two threads of torch for this one."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_threads_compute_what_one_does(two_threads):
    sound = np.random.default_rng(0).standard_normal((2, 5 * NOTEBOOK.sample_rate)).astype(np.float32)
    together = [transform(sound, NOTEBOOK) for transform in (mel_db, stft_db)]
    torch.set_num_threads(1)
    for image, transform in zip(together, (mel_db, stft_db), strict=True):
        assert torch.equal(image, transform(sound, NOTEBOOK))


def test_order_and_threads(two_threads):
    caller = threading.current_thread().name
    results = list(map_chunks(lambda start: (start, threading.current_thread().name, torch.get_num_threads()), range(20)))
    assert [start for start, _, _ in results] == list(range(20))
    assert {helpers for _, _, helpers in results} == {1} and caller not in {name for _, name, _ in results}
    assert torch.get_num_threads() == 2


def test_single_chunk_and_single_thread_stay_in_the_caller(two_threads):
    caller = threading.current_thread().name
    assert list(map_chunks(lambda _: threading.current_thread().name, range(1))) == [caller]
    torch.set_num_threads(1)
    assert set(map_chunks(lambda _: threading.current_thread().name, range(4))) == {caller}


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_fork_starts_its_own_threads(two_threads):
    assert list(map_chunks(abs, range(4))) == [0, 1, 2, 3]
    with multiprocessing.get_context("fork").Pool(1) as forked:
        assert forked.apply_async(_in_fork).get(timeout=30) == [0, 1, 2, 3]


def _in_fork() -> list[int]:
    return list(map_chunks(abs, range(4)))


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="OpenBLAS has no other thread")
@pytest.mark.parametrize("module", ("numpy", "scipy.linalg.blas"))
def test_threads_of_openblas_sleep_after_a_product(module):
    """Processor time of a process that sleeps; by default they wait for more work in a loop, all the time."""
    product = {"numpy": "matrix @ matrix", "scipy.linalg.blas": "scipy.linalg.blas.sgemm(1.0, matrix, matrix)"}[module]
    code = f"""
import esc
import time, numpy, {module}
matrix = numpy.ones((800, 800), numpy.float32)
spent = []
for _ in range(9):
    {product}
    began = time.process_time()
    time.sleep(0.06)
    spent.append(time.process_time() - began)
print(sorted(spent)[4])"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "OPENBLAS_"))}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert float(ended.stdout) < 0.005
