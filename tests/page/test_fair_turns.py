"""Fair turns: order, shares and time-outs."""

from __future__ import annotations

import threading
import time

import pytest

from esc.errors import PageError
from esc.ui.inference.fair_turns import FairTurns

TURN_S = 0.01


def test_greedy_owner_delays_another_by_one_turn():
    turns, order = FairTurns(), []

    def slow():
        for index in range(60):
            time.sleep(TURN_S)
            yield index

    greedy = threading.Thread(target=lambda: [order.append("greedy") for _ in turns.share(slow(), 1, "greedy")])
    greedy.start()
    time.sleep(20 * TURN_S)
    for _ in range(5):
        before = len(order)
        began = time.monotonic()
        with turns.turn("visitor"):
            waited_s = time.monotonic() - began
        assert len(order) - before <= 2, "at most two turns of another"
        assert waited_s < 10 * TURN_S
        time.sleep(TURN_S)
    greedy.join()


def test_equal_shares_however_many_requests():
    """One owner with ten threads gets no more than one with a single thread."""
    turns, used, end = FairTurns(), {"many": 0, "one": 0}, time.monotonic() + 1.5

    def work(owner: str) -> None:
        while time.monotonic() < end:
            with turns.turn(owner):
                time.sleep(TURN_S)
                used[owner] += 1

    threads = [threading.Thread(target=work, args=(owner,)) for owner in ["many"] * 10 + ["one"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used["one"] > 0.35 * sum(used.values()), used


def test_time_out_leaves_the_queue_in_order():
    turns, got = FairTurns(), []

    def wait(owner: str) -> None:
        with turns.turn(owner):
            got.append(owner)

    with turns.turn("first"):
        with pytest.raises(PageError, match="busy"), turns.turn("impatient", 0.05):
            pytest.fail("the turn is taken")
        waiting = threading.Thread(target=wait, args=("patient",))
        waiting.start()
        time.sleep(0.05)
        assert got == []
    waiting.join(5)
    assert got == ["patient"]


def test_failed_turn_is_over():
    turns = FairTurns()
    with pytest.raises(ValueError), turns.turn("one"):
        raise ValueError
    with turns.turn("another", 1.0):
        pass
    assert list(turns.share(iter("abc"), 2, "one")) == ["a", "b", "c"]
