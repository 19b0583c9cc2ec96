"""Fair turns: order, shares, limits and time-outs."""

from __future__ import annotations

import threading
import time

import pytest

from esc.errors import PageError
from esc.ui.sessions import fair_turns
from esc.ui.sessions.fair_turns import LEAST_S, FairTurns

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


def order_after_a_wait(turns: FairTurns, owners: list[str]) -> list[str]:
    """Return the order of turns of owners who ask one after the other, while another holds one."""
    order: list[str] = []

    def wait(owner: str) -> None:
        with turns.turn(owner):
            order.append(owner)

    threads = [threading.Thread(target=wait, args=(owner,)) for owner in owners]
    with turns.turn("another"):
        for number, thread in enumerate(threads):
            thread.start()
            while len(turns._waiting) <= number:
                time.sleep(0.002)
    for thread in threads:
        thread.join()
    return order


def test_short_turns_of_any_length_count_the_same():
    turns = FairTurns()
    for owner, seconds in (("slow", 0.08), ("quick", 0.0), ("quicker", 0.0)):
        with turns.turn(owner):
            time.sleep(seconds)
    assert order_after_a_wait(turns, ["slow", "quick", "quicker"]) == ["slow", "quick", "quicker"]


def test_owner_pays_what_a_turn_cost_not_how_long_it_was_held():
    turns = FairTurns()
    with turns.turn("for many") as cost:
        time.sleep(2 * LEAST_S)
        cost.seconds = LEAST_S / 2
    with turns.turn("for itself"):
        time.sleep(2 * LEAST_S)
    with turns.turn("of another's pass") as cost:
        cost.seconds = 3 * LEAST_S
    asked = ["of another's pass", "for itself", "for many"]
    assert order_after_a_wait(turns, asked) == ["for many", "for itself", "of another's pass"]


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


def test_several_turns_at_a_time_and_few_of_one_owner():
    turns = FairTurns(at_a_time=3, of_one=2)
    with turns.turn("greedy"), turns.turn("greedy"):
        with pytest.raises(PageError), turns.turn("greedy", 0.02):
            pytest.fail("an owner has more than its share")
        with turns.turn("visitor", 1.0), pytest.raises(PageError), turns.turn("another", 0.02):
            pytest.fail("there are more turns than allowed")
    with turns.turn("greedy", 1.0):
        pass


def test_turns_in_vain_cost_nothing():
    turns = FairTurns()
    with turns.turn("busy"):
        for _ in range(50):
            with pytest.raises(PageError), turns.turn("live", 0.001):
                pytest.fail("the turn is taken")
        assert turns._used.get("live", 0.0) < LEAST_S


def test_an_owner_waits_only_so_often(monkeypatch):
    monkeypatch.setattr(fair_turns, "MAX_WAITING", 3)
    turns, end = FairTurns(), threading.Event()

    def wait() -> None:
        with turns.turn("greedy"):
            end.wait(10)

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    patience = time.monotonic() + 10
    while len(turns._waiting) < 3 and time.monotonic() < patience:
        time.sleep(0.01)
    with pytest.raises(PageError, match="busy"), turns.turn("greedy"):
        pytest.fail("a fourth one waits")
    end.set()
    with turns.turn("visitor", 10):
        pass
    for thread in threads:
        thread.join()
