"""Memory that is kept though it is free: in the C library's arenas, and in garbage that is not yet collected."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

THREADS = 8
# as many threads allocate at the same time; glibc then lists its arenas
PROGRAM = f"""
import ctypes, sys, threading
from esc.ui.sessions.process_memory import release_freed_memory, share_arenas
if "shared" in sys.argv:
    share_arenas()
libc, together = ctypes.CDLL(None), threading.Barrier({THREADS})
libc.fdopen.restype = ctypes.c_void_p
def work():
    libc.malloc(1000)
    together.wait()
threads = [threading.Thread(target=work) for _ in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
release_freed_memory()
output = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, output)
libc.fflush(output)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
@pytest.mark.parametrize("words", [[], ["shared"]])
def test_arenas_of_many_threads(root, words):
    ended = subprocess.run([sys.executable, "-c", PROGRAM, *words], cwd=root, capture_output=True, text=True, check=True)
    assert (ended.stdout.count("<heap nr=") <= 2) is bool(words)


# of an object in a cycle, whether it is collected before 100,000 more objects live
GARBAGE = """
import gc, sys, weakref
from esc.ui.sessions.process_memory import freeze_startup
libraries = [[] for _ in range(500_000)]
freeze_startup() if "frozen" in sys.argv else gc.collect()
class Cycle: pass
cycle = Cycle()
cycle.self, known = cycle, weakref.ref(cycle)
later = [[] for _ in range(10_000)]
del cycle
later += [[] for _ in range(90_000)]
print(known() is None)
"""


@pytest.mark.parametrize("words", [[], ["frozen"]])
def test_garbage_beside_many_objects(root, words):
    ended = subprocess.run([sys.executable, "-c", GARBAGE, *words], cwd=root, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == str(bool(words))
