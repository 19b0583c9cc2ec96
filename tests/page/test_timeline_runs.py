"""Timeline runs: equal to the command line, cancelled when unwanted, cached by content; and the timeline tab."""

from __future__ import annotations

import dataclasses
import gc
import json
import math
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import sounds
from chromium import Server
from command_line import classify
from esc.audio.io import load_audio
from esc.batch.label_formats import RAVEN_COLUMNS
from esc.batch.result_formats import as_row
from esc.batch.results import SoundResult
from esc.classification.classifier import Classifier
from esc.classification.predictions import WindowResult
from esc.classification.timeline.event_summary import UncertainInterval, silent_intervals, totals, uncertain_intervals
from esc.classification.timeline.segments import Segment
from esc.errors import CheckpointError, PageError, ParameterError
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.inference.timeline_runs import TimelineProgress, TimelineRuns, Turns
from esc.ui.server.requests import checked
from esc.ui.sessions.sound import Sound
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.tabs.base import Services
from esc.ui.tabs.timeline import TimelineTab

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "assets" / "examples"


def ask(method: Callable[..., dict], request: dict) -> dict:
    """Return the reply to a request as the page sends it."""
    return method(checked(method, request))


@pytest.fixture
def timeline_tab(tmp_path) -> TimelineTab:
    return TimelineTab(Services.create(tmp_path, tmp_path, DEFAULT_CHECKPOINT))


@pytest.fixture
def store(timeline_tab) -> SoundStore:
    return timeline_tab.store


@pytest.fixture(scope="module")
def rain_then_siren(tmp_path_factory) -> Path:
    """20 s: rain, silence, siren twice."""
    rain, rate = load_audio(EXAMPLES / "rain.flac")
    siren, _ = load_audio(EXAMPLES / "siren.flac", rate)
    whole = np.concatenate([rain, np.zeros(5 * rate, np.float32), siren, siren])
    return sounds.write(tmp_path_factory.mktemp("runs") / "rain then siren.wav", whole, rate)


@pytest.fixture
def opened(store, rain_then_siren) -> Sound:
    return store.open(store.new_session("en").token, rain_then_siren, rain_then_siren.name)


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    """How many clips the network was asked about, call by call."""
    counts = []
    clip_outputs = Classifier.clip_outputs

    def count(classifier, spectrograms_db):
        counts.append(len(spectrograms_db))
        return clip_outputs(classifier, spectrograms_db)

    monkeypatch.setattr(Classifier, "clip_outputs", count)
    return counts


def question(store: SoundStore, sound: Sound, /, **changes) -> dict:
    (token,) = store._sessions
    return {"token": token, "sound": sound.id, "hop": 0.5, "turn": 1} | changes


@pytest.mark.slow
def test_timeline_of_page_command_line_and_endpoint_are_equal(store, opened, rain_then_siren, server: Server):
    *_, result = TimelineRuns(store, DEFAULT_CHECKPOINT).run(opened, None, lambda: True)
    said = json.loads(classify(rain_then_siren, "--timeline", "--format", "json").stdout)
    client = Client(server.url, verbose=False)
    answer = client.predict(handle_file(rain_then_siren), api_name="/timeline")
    client.close()
    page = as_row(result)
    assert len(page["timeline"]) >= 2
    for other in (said[0], answer):
        assert list(other) == ["file", "seconds", "top", "verdict", "timeline", "notes", "uncertain"]
        assert other["verdict"] == page["verdict"]
        assert other["seconds"] == pytest.approx(page["seconds"])
        for part in ("top", "timeline"):
            assert [row["label"] for row in other[part]] == [row["label"] for row in page[part]]
            for mine, theirs in zip(page[part], other[part], strict=True):
                numbers = [name for name in mine if name != "label"]
                assert [theirs[name] for name in numbers] == pytest.approx([mine[name] for name in numbers], abs=1e-5)


@pytest.mark.parametrize("hop_seconds", [0.01, 60, "wide"])
def test_the_endpoint_refuses_impossible_hops(server: Server, rain_then_siren, hop_seconds):
    client = Client(server.url, verbose=False)
    with pytest.raises((AppError, ValueError)) as refused:
        client.predict(handle_file(rain_then_siren), hop_seconds, api_name="/timeline")
    assert "Traceback" not in str(refused.value)
    client.close()


def test_a_long_sound_delays_no_other_timeline(store, opened, rain_then_siren, monkeypatch):
    """Of hours of samples the digest takes seconds."""
    other = store.open(store.new_session("en").token, rain_then_siren, "other")
    runs, go_on, begun = TimelineRuns(store, DEFAULT_CHECKPOINT), threading.Event(), threading.Event()

    def digest(waveform):
        if waveform is opened.waveform:
            begun.set()
            assert go_on.wait(30)
        return str(id(waveform))

    monkeypatch.setattr("esc.ui.inference.timeline_runs._digest", digest)
    long = threading.Thread(target=runs.result, args=(opened, 2.5))
    long.start()
    assert begun.wait(30)
    quick = threading.Thread(target=runs.result, args=(other, 2.5))
    quick.start()
    quick.join(10)
    delayed = quick.is_alive()
    go_on.set()
    long.join()
    quick.join()
    assert not delayed


def test_timeline_progress(store, opened, monkeypatch):
    monkeypatch.setattr("esc.ui.inference.timeline_runs.UPDATE_S", 0.0)
    monkeypatch.setattr("esc.ui.inference.timeline_runs.UPDATE_SHARE", math.inf)
    *progress, result = TimelineRuns(store, DEFAULT_CHECKPOINT).run(opened, 1.25, lambda: True)
    assert all(isinstance(one, TimelineProgress) for one in progress)
    far = [one.done_s for one in progress]
    assert far == sorted(far) and far[0] == 0 and len(far) > 10
    assert progress[-1].timeline == result.timeline
    assert result.silences and 5 <= result.silences[0][0] < result.silences[0][1] <= 10
    assert result.overall[0] == "siren"


def test_unwanted_run_stops(store, opened, asked):
    progress = TimelineRuns(store, DEFAULT_CHECKPOINT).run(opened, 0.25, lambda: False)
    *_, last = progress
    assert isinstance(last, TimelineProgress)
    assert sum(asked) <= 12 < 20 / 0.25, "a batch is on its way, and no more than another"


def test_cache_of_equal_samples_under_any_name(store, opened, rain_then_siren, asked):
    runs = TimelineRuns(store, DEFAULT_CHECKPOINT)
    *_, first = runs.run(opened, 5.0, lambda: True)
    before = len(asked)
    other = store.open(store.new_session("ru").token, rain_then_siren, "другое имя.wav")
    (again,) = runs.run(other, 5.0, lambda: True)
    assert again == dataclasses.replace(first, file="другое имя.wav")
    assert len(asked) == before
    *_, finer = runs.run(opened, 2.5, lambda: True)
    assert len(asked) > before and finer != first


def test_missing_checkpoint(store, opened, tmp_path):
    with pytest.raises(CheckpointError):
        next(TimelineRuns(store, tmp_path / "nowhere").run(opened, None, lambda: True))


def test_a_newer_turn_ends_the_older_and_sessions_are_apart(store):
    turns, one, other = Turns(), store.new_session("en"), store.new_session("en")
    first, foreign = turns.begin(one, 4), turns.begin(other, 1)
    assert first() and foreign()
    turns.end_before(one, 5)
    assert not first() and foreign()
    assert not turns.begin(one, 4)(), "it was given up while it stood in the queue"
    assert turns.begin(one, 5)()
    store.drop(other.token)
    del other
    gc.collect()
    assert not foreign()


class SlowTurn(int):
    """A turn that is compared slowly: other threads get their chance in between."""

    def __lt__(self, other: object) -> bool:
        return self._wait() and int(self) < int(other)

    def __gt__(self, other: object) -> bool:
        return self._wait() and int(self) > int(other)

    def _wait(self) -> bool:
        self.compared.set()
        self.proceed.wait(1.0)
        return True


def test_turns_of_two_threads_leave_the_newest(store):
    turns, session = Turns(), store.new_session("en")
    turns.begin(session, 3)
    slow = SlowTurn(4)
    slow.compared, slow.proceed = threading.Event(), threading.Event()
    older = threading.Thread(target=turns.end_before, args=(session, slow))
    older.start()
    assert slow.compared.wait(10)
    wanted: list[Callable[[], bool]] = []
    newer = threading.Thread(target=lambda: wanted.append(turns.begin(session, 5)))
    newer.start()
    newer.join(0.2)
    slow.proceed.set()
    older.join(), newer.join()
    assert wanted[0](), "the older turn, compared before, must not replace it"


@pytest.mark.parametrize(
    "wrong",
    [{"token": "nobody's"}, {"token": None}, {"sound": "0" * 32}, {"sound": ["x"]}, {"hop": 0.3}, {"hop": True}, {"hop": [1.0]},
     {"hop": None}, {"turn": -1}, {"turn": "1"}, {"turn": True}, {"turn": 2**60}],
)  # fmt: skip
def test_wrong_requests_are_answered_with_an_error(timeline_tab, store, opened, wrong, asked):
    (answer,) = timeline_tab.replies(question(store, opened, **wrong))
    assert answer["error"].endswith(".") and not answer["off"]
    assert asked == []


@pytest.mark.parametrize("nonsense", [None, [], "x", 3])
def test_nonsense_is_answered_with_an_error(timeline_tab, nonsense):
    (answer,) = timeline_tab.replies(nonsense)
    assert answer["error"]


def test_timeline_reply_and_files_hold_the_same_segments(timeline_tab, store, opened, tmp_path):
    asking = question(store, opened)
    *_, last = timeline_tab.replies(asking)
    assert last["stage"] == "done" and last["turn"] == 1 and last["done_s"] == pytest.approx(20, abs=0.01)
    assert json.loads(json.dumps(last)) == last
    files = {form: ask(timeline_tab.timeline_file, asking | {"form": form}) for form in ("json", "csv", "audacity", "raven")}
    for form, ending in {"json": ".json", "csv": ".csv", "audacity": ".txt", "raven": ".selections.txt"}.items():
        assert files[form]["name"] == f"rain then siren-timeline{ending}"
        (tmp_path / form).write_text(files[form]["text"], encoding="utf-8")
    expected = [tuple(row) for row in last["segments"]]
    (row,) = json.loads(files["json"]["text"])
    assert [tuple(mark.values()) for mark in row["timeline"]] == expected
    in_csv = pd.read_csv(tmp_path / "csv")
    audacity = pd.read_csv(tmp_path / "audacity", sep="\t", names=["start", "end", "label"])
    raven = pd.read_csv(tmp_path / "raven", sep="\t")
    assert tuple(raven.columns) == RAVEN_COLUMNS
    for table, label, start, end in (
        (in_csv, "label", "start", "end"),
        (audacity, "label", "start", "end"),
        (raven, "Species", "Begin Time (s)", "End Time (s)"),
    ):
        assert list(table[label]) == [mark[0] for mark in expected]
        np.testing.assert_allclose(table[[start, end]], [mark[1:3] for mark in expected], atol=1e-3)
    for table, uncertainty in ((in_csv, "uncertainty"), (raven, "Uncertainty (s)")):
        np.testing.assert_allclose(table[uncertainty], [mark[4] for mark in expected], atol=1e-3)


def test_file_needs_a_finished_timeline(timeline_tab, store, opened):
    with pytest.raises(PageError, match="no longer"):
        ask(timeline_tab.timeline_file, question(store, opened) | {"form": "csv"})
    for form in (None, "exe", ["csv"], "table"):
        with pytest.raises(PageError, match="form"):
            ask(timeline_tab.timeline_file, question(store, opened) | {"form": form})


def test_a_dropped_sound_ends_its_run(timeline_tab, store, opened, asked):
    answers = timeline_tab.replies(question(store, opened, hop=0.25))
    next(answers)
    store.drop(next(iter(store._sessions)))
    *_, last = answers
    assert "error" in last
    assert sum(asked) <= 12


def test_impossible_hops(store, opened):
    with pytest.raises(ParameterError, match="hop_seconds"):
        next(TimelineRuns(store, DEFAULT_CHECKPOINT).run(opened, float("nan"), lambda: True))


def test_totals_and_silences_by_hand():
    found = [Segment("rain", 0, 4, 0.5), Segment("dog", 3, 5, 0.9), Segment("rain", 10, 11, 1.0)]
    rain, dog = totals(found)
    assert (rain.label, rain.seconds, rain.count, rain.probability) == ("rain", 5, 2, pytest.approx(0.6))
    assert (dog.label, dog.seconds, dog.count, dog.probability) == ("dog", 2, 1, pytest.approx(0.9))
    quiet = [WindowResult(start_s, start_s + 5, "silence", None) for start_s in (20.0, 2.5, 0.0)]
    assert silent_intervals([*quiet, WindowResult(7.5, 12.5, "dog", np.ones(1))], []) == ((0.0, 7.5), (20.0, 25.0))
    assert silent_intervals(quiet[1:], [Segment("dog", 2.0, 4.0, 1.0)]) == ((0.0, 2.0), (4.0, 7.5))
    assert totals([]) == silent_intervals([], []) == ()


def test_uncertain_stretches_by_hand():
    names = ("dog", "rain")
    heard = [
        WindowResult(0.0, 5.0, "dog", np.array([0.9, 0.1])),
        WindowResult(2.5, 7.5, "rain", np.array([0.4, 0.6])),
        WindowResult(5.0, 10.0, "unknown", np.array([0.2, 0.8])),
        WindowResult(10.0, 15.0, "silence", None),
    ]
    found = [Segment("dog", 0.0, 5.0, 0.65)]
    # 5 to 7.5 s is in the second and the third window, 7.5 to 10 s in the third alone, which is of no class
    assert uncertain_intervals(heard, found, names) == (
        UncertainInterval("unsure", "rain", 5.0, 7.5, pytest.approx((0.6 + 0.8) / 2)),
        UncertainInterval("unknown", "rain", 7.5, 10.0, pytest.approx(0.8)),
    )
    overlapping = [Segment("dog", 2.0, 9.0, 0.5), Segment("rain", 3.0, 4.0, 0.5)]
    # until 2 s there is a pause in a window that is sure of a class and has it
    assert [(one.start_s, one.end_s) for one in uncertain_intervals(heard, overlapping, names)] == [(9.0, 10.0)]
    (first, _) = uncertain_intervals(heard[:2], [Segment("rain", 5.5, 7.5, 0.5)], names), None
    assert first == (UncertainInterval("unsure", "dog", 0.0, 5.0, pytest.approx(0.73, abs=0.01)),), "a class without a segment"
    assert uncertain_intervals([], [], names) == uncertain_intervals(heard[3:], [Segment("dog", 0.0, 10.0, 1.0)], names) == ()


def test_overall_class():
    fields = {"file": "x", "sample_rate": 8000, "top": (("dog", 0.7),), "verdict": "dog"}
    short = SoundResult(seconds=3.0, clip_seconds=3.0, timeline=(), **fields)
    assert short.overall == ("dog", 0.7)
    marks = (Segment("dog", 0, 5, 0.8), Segment("rain", 5, 60, 0.6))
    assert SoundResult(seconds=60.0, clip_seconds=5.0, timeline=marks, **fields).overall == ("rain", 0.6)
    assert SoundResult(seconds=60.0, clip_seconds=5.0, timeline=(), silences=((0, 40),), **fields).overall == ("silence", 1.0)
    assert SoundResult(seconds=60.0, clip_seconds=5.0, timeline=(), silences=((0, 20),), **fields).overall is None
    strange = (UncertainInterval("unknown", "dog", 10, 45, 0.4), UncertainInterval("unsure", "dog", 45, 60, 0.4))
    assert SoundResult(seconds=60.0, clip_seconds=5.0, timeline=(), uncertain=strange, **fields).overall == ("unknown", 1.0)
