"""Visitors of the running app at the same time: none refused, each served in turn, hours of one delay no other."""

from __future__ import annotations

import pytest

from benchmarks.visitors import greedy_while, visit
from chromium import Server, serving

VISITORS = 4


@pytest.mark.slow
def test_visitors_are_served_in_turn(server: Server):
    found, _ = visit(server.url, VISITORS, 1)
    assert [error for one in found for *_, error in one if error] == []
    assert [[request for request, *_ in one] for one in found] == [["classify", "mel", "timeline"]] * VISITORS


@pytest.mark.slow
def test_a_greedy_program_delays_no_prediction(tmp_path):
    """Three predictions are done while 7,200 windows of another are at work; in order they would wait for all of them."""
    with serving(tmp_path) as server:  # of its own, which ends with the windows
        waited_s, at_work = greedy_while(server.url, 3)
    assert len(waited_s) == 3
    assert at_work
