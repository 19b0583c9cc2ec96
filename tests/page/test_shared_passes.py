"""Forward passes shared by waiting requests: results, sizes, refused turns and errors."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

import sounds
from esc.classification.classifier import Classifier
from esc.errors import PageError
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.inference import inference
from esc.ui.inference.shared_passes import SharedPasses
from esc.ui.sessions.fair_turns import FairTurns

PATIENCE_S = 60.0


def wait_for(turns: FairTurns, n_waiting: int) -> None:
    """Return once some requests wait for their turns."""
    end = time.monotonic() + PATIENCE_S
    while len(turns._waiting) < n_waiting:
        assert time.monotonic() < end
        time.sleep(0.005)


def results_after_a_wait(passes: SharedPasses, turns: FairTurns, items: list) -> list[Future]:
    """Return the finished requests for items, all of which wait until another's turn ends."""
    with ThreadPoolExecutor(len(items)) as pool, turns.turn("another"):
        asked = [pool.submit(passes.result, item, turns.turn(f"visitor {item}")) for item in items]
        wait_for(turns, len(items))
    return asked


def test_waiting_requests_share_passes_of_limited_size():
    computed: list[list[int]] = []
    passes = SharedPasses(lambda items: computed.append(list(items)) or [item**2 for item in items], 4)
    found = results_after_a_wait(passes, FairTurns(), list(range(10)))
    assert [one.result() for one in found] == [item**2 for item in range(10)]
    assert sorted(item for items in computed for item in items) == list(range(10)), "each is computed once"
    assert sorted(map(len, computed)) == [2, 4, 4]
    assert passes.result(11, FairTurns().turn("alone")) == 121 and computed[-1] == [11]


def test_each_of_a_pass_is_charged_its_share():
    def compute(items: list[int]) -> list[int]:
        time.sleep(2.0)
        return items

    turns = FairTurns()
    results_after_a_wait(SharedPasses(compute, 4), turns, [0, 1, 2, 3])
    charged = [turns._used[f"visitor {item}"] for item in range(4)]
    assert charged == [charged[0]] * 4 and 0.5 <= charged[0] < 0.9, "not two seconds of the first one"


def test_refused_turn_leaves_its_item_to_nobody():
    computed: list[list[str]] = []
    passes, turns = SharedPasses(lambda items: computed.append(list(items)) or items, 4), FairTurns()
    with turns.turn("another"), pytest.raises(PageError, match="busy"):
        passes.result("impatient", turns.turn("visitor", 0.01))
    assert passes.result("next", turns.turn("visitor")) == "next"
    assert computed == [["next"]]


def test_error_reaches_all_of_its_pass_and_no_other():
    def compute(items: list[int]) -> list[float]:
        return [1 / (item - 1) for item in items]

    passes = SharedPasses(compute, 4)
    for one in results_after_a_wait(passes, FairTurns(), [1, 1, 1]):
        with pytest.raises(ZeroDivisionError):
            one.result()
    assert passes.result(3, FairTurns().turn("visitor")) == 0.5


def test_item_of_a_pass_at_work_is_awaited():
    """Turns of two apps do not exclude each other."""
    begun, go_on = threading.Event(), threading.Event()

    def compute(items: list[str]) -> list[str]:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return [item.upper() for item in items]

    passes, own, others = SharedPasses(compute, 4), FairTurns(), FairTurns()
    with ThreadPoolExecutor(2) as pool, own.turn("another"):
        waiting = pool.submit(passes.result, "a", own.turn("a"))
        wait_for(own, 1)
        first = pool.submit(passes.result, "b", others.turn("b"))
        assert begun.wait(PATIENCE_S)
        threading.Timer(0.05, go_on.set).start()
        assert first.result(PATIENCE_S) == "B" and not waiting.done(), "it still waits for its turn"
    assert waiting.result(PATIENCE_S) == "A"


def test_item_computed_while_its_turn_is_awaited_in_vain():
    """The turn of another app computes it; its own never comes."""
    passes, own = SharedPasses(lambda items: [item.upper() for item in items], 4), FairTurns()
    with ThreadPoolExecutor(1) as pool, own.turn("another"):
        waiting = pool.submit(passes.result, "a", own.turn("a", 0.5))
        wait_for(own, 1)
        assert passes.result("b", FairTurns().turn("b")) == "B"
        assert waiting.result(PATIENCE_S) == "A"


def test_predictions_of_visitors_share_passes_and_equal_those_alone(monkeypatch):
    """Seven visitors wait, one of them with silence."""
    rate, network = 44_100, inference.classifier(DEFAULT_CHECKPOINT)
    waveforms = [sounds.busy(6.0, seed=seed) for seed in range(6)] + [0 * sounds.busy(6.0)]
    classifier = Classifier.load()
    alone = [classifier.predict(waveform, rate) for waveform in waveforms]
    passes: list[int] = []
    outputs = network.clip_outputs
    monkeypatch.setattr(network, "clip_outputs", lambda clips_db: passes.append(len(clips_db)) or outputs(clips_db))
    turns = FairTurns()
    with ThreadPoolExecutor(7) as pool, turns.turn("another"):
        asked = [
            pool.submit(inference.predict, DEFAULT_CHECKPOINT, waveform, rate, turns.turn(index))
            for index, waveform in enumerate(waveforms)
        ]
        wait_for(turns, 7)
    found = [one.result() for one in asked]
    assert len(passes) == 2 and sum(passes) == 6
    for mine, same in zip(found, alone, strict=True):
        assert (mine.verdict, mine.start_s) == (same.verdict, same.start_s)
        assert dict(mine.top) == pytest.approx(dict(same.top), abs=1e-3)
        assert (mine.clip == same.clip).all()
        assert (mine.spectrogram_db == same.spectrogram_db).all()
