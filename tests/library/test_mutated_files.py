"""Altered files and impossible parameters: read or refused with a message, never a crash, a hang or an untyped error."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.robustness.cases import bases, run_cases
from esc.audio.io import load_audio
from esc.errors import EscError

FOUND = (120, 550, 1347)  # a rate that ended the process, packets of a stream that became another kind


@pytest.mark.robust
@pytest.mark.slow
@pytest.mark.parametrize(("first", "stop"), [(0, 40), *((number, number + 1) for number in FOUND)])
def test_cases(first, stop):
    found = run_cases(first, stop)
    assert found.tried == stop - first
    assert (found.crashes, found.hangs, found.untyped) == ([], [], [])
    assert set(found.counts) <= {"fine", "typed"}


@pytest.mark.robust
@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1_000), st.integers(0, 2_000), st.binary(max_size=40))
def test_bytes_replaced_near_the_start(number, position, replacement):
    """The headers of every kept file, with any bytes at any place."""
    path = bases()[number % len(bases())]
    content = bytearray(path.read_bytes()[:40_000])
    content[position : position + len(replacement)] = replacement
    with TemporaryDirectory() as folder:
        file = Path(folder) / path.name
        file.write_bytes(content)
        try:
            assert len(load_audio(file)[0]) > 1
        except EscError as error:
            assert str(error)
