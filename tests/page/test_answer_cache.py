"""The cache of views and features: equal requests compute once, sizes are bounded, errors are not kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from esc.ui.server.answer_cache import AnswerCache, packed_bytes


def test_equal_requests_at_once_compute_once():
    cache: AnswerCache[str] = AnswerCache(4)
    computed, started, release = [], threading.Event(), threading.Event()

    def compute() -> str:
        computed.append(threading.get_ident())
        started.set()
        assert release.wait(20)
        return "view"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get, "key", compute)
        assert started.wait(20)
        second = pool.submit(cache.get, "key", compute)
        with pytest.raises(TimeoutError):
            second.result(0.2)
        release.set()
        assert first.result(20) == second.result(20) == "view"
    assert len(computed) == 1
    assert cache.get("key", lambda: "other") == "view"


def test_bytes_are_bounded():
    cache: AnswerCache[dict] = AnswerCache(1000, packed_bytes)
    for key in range(3):
        cache.keep(key, {"levels": "x" * 300, "bounds_hz": [0.0] * 4, "rows": 3})
    assert [cache.find(key) is not None for key in range(3)] == [False, True, True]
    cache.find(1)
    cache.keep(3, {"levels": "x" * 500})
    assert [cache.find(key) is not None for key in range(4)] == [False, True, False, True]
    cache.keep(4, {"levels": "x" * 1001})
    assert cache.find(4) is None and cache.find(1) is not None


def test_errors_reach_all_and_are_not_kept():
    cache: AnswerCache[int] = AnswerCache(4)
    with pytest.raises(ZeroDivisionError):
        cache.get("key", lambda: 1 // 0)
    assert cache.get("key", lambda: 7) == 7
