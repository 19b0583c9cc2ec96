"""Localization benchmark: soundscapes with known events, and metrics against sed_eval."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sed_eval

from esc.classification.classifier import Classifier
from esc.classification.timeline.segments import segments
from esc.classification.timeline.sliding_window import windows
from small_data import CLASSES, RATE
from training.data.esc50 import read_clips
from training.evaluation.localization.benchmark import Scores
from training.evaluation.localization.event_metrics import event_counts, f1, matched_events, segment_counts
from training.evaluation.localization.soundscapes import EVENT_SECONDS, SECONDS, Event, pink_noise, sounding_part, soundscape


def random_events(rng: np.random.Generator, count: int) -> list[Event]:
    starts_s = rng.uniform(0, 25, count)
    labels = rng.choice(CLASSES, count)
    return [Event(str(label), start_s, start_s + rng.uniform(0.2, 6)) for label, start_s in zip(labels, starts_s, strict=True)]


def moved(event: Event, rng: np.random.Generator) -> Event:
    return Event(event.label, event.start_s + rng.normal(0, 0.3), event.end_s + rng.normal(0, 0.3) + 0.05)


def as_dicts(events: list[Event]) -> list[dict]:
    return [
        {"file": "a", "event_label": event.label, "event_onset": event.start_s, "event_offset": event.end_s} for event in events
    ]


def test_counts_equal_sed_eval(rng):
    by_segment = sed_eval.sound_event.SegmentBasedMetrics(list(CLASSES), time_resolution=0.1)
    by_event = sed_eval.sound_event.EventBasedMetrics(list(CLASSES), t_collar=0.5, percentage_of_length=0.0)
    segments, events = np.zeros(3, int), np.zeros(3, int)
    for _ in range(20):
        true = random_events(rng, 7)
        found = [moved(event, rng) for event in true[1:]] + random_events(rng, 3)
        segments += segment_counts(true, found, 0.1)
        events += event_counts(true, found, 0.5)
        for metric in (by_segment, by_event):
            metric.evaluate(reference_event_list=as_dicts(true), estimated_event_list=as_dicts(found))
    for counts, metric in ((segments, by_segment), (events, by_event)):
        overall = metric.results_overall_metrics()["f_measure"]
        assert 0.2 < overall["f_measure"] < 0.95
        assert f1(counts) == pytest.approx(overall["f_measure"])
        assert counts[0] / counts[1] == pytest.approx(overall["precision"])
        assert counts[0] / counts[2] == pytest.approx(overall["recall"])


def test_counts_without_events(rng):
    some = random_events(rng, 3)
    for true, found in (([], []), (some, []), ([], some)):
        assert f1(segment_counts(true, found, 0.1)) == f1(event_counts(true, found, 0.5)) == 0
        assert matched_events(true, found) == []
    assert f1(segment_counts(some, some, 0.1)) == f1(event_counts(some, some, 0.5)) == 1


def test_matched_events_have_the_longest_overlap():
    true = [Event("hum", 1.0, 5.0), Event("hiss", 1.0, 5.0), Event("chirp", 8.0, 9.0)]
    found = [Event("hum", 0.0, 2.0), Event("hum", 2.5, 4.5), Event("chirp", 9.0, 10.0)]
    assert matched_events(true, found) == [(true[0], found[1])]


@pytest.fixture(scope="module")
def scapes(clips):
    return [soundscape(clips, number, RATE) for number in range(6)]


def test_soundscapes_are_seeded(scapes, clips):
    again = soundscape(clips, 3, RATE)
    np.testing.assert_array_equal(again.waveform, scapes[3].waveform)
    assert again.events == scapes[3].events != scapes[1].events


def test_soundscape_sounds_where_its_events_are(scapes):
    assert sum(len(scape.events) for scape in scapes) > len(scapes)
    for scape in scapes[::2]:  # without noise
        assert len(scape.waveform) == SECONDS * RATE
        assert len({event.label for event in scape.events}) == len(scape.events)
        sounding = np.zeros(len(scape.waveform), bool)
        for event in scape.events:
            assert event.end_s - event.start_s <= EVENT_SECONDS[1] + 0.02
            sounding[round(event.start_s * RATE) : round(event.end_s * RATE)] = True
        assert np.abs(scape.waveform[~sounding]).max() == 0 < np.abs(scape.waveform[sounding]).max()
    for scape in scapes[1::2]:
        assert np.abs(scape.waveform[: RATE // 4]).max() > 0, "noise from the start on"


def test_localization_command(trained, data, run_command):
    """Four classes, each with its figures; the same soundscapes in each run."""
    options = ["--checkpoint", trained / "checkpoint", "--data", data, "--soundscapes", 2]
    code, output, errors = run_command("localization", *options, "--format", "json")
    assert code == 0, errors
    measured = json.loads(output)
    assert (measured["fold"], measured["soundscapes"], list(measured["methods"])) == (5, 2, ["timeline", "plain windows"])
    assert measured["events"] > 0
    for figures in measured["methods"].values():
        assert 0 <= figures["event_f1"] <= 1 and 0 <= figures["segment_f1"] <= 1
        assert figures["median_edge_error_s"] is None or figures["median_edge_error_s"] < SECONDS
    code, output, errors = run_command("localization", *options)
    assert code == 0, errors
    assert f"{measured['methods']['timeline']['segment_f1']:.3f}" in output
    code, _, errors = run_command("localization", *options, "--fold", 9)
    assert code != 0 and "9" in errors


@pytest.mark.data
def test_finer_hops_have_no_worse_edges(data_dir):
    """On training clips: the held-out fold is for the figures in NOTES.md alone."""
    clips = [clip for clip in read_clips(data_dir) if clip.fold == 4]
    network = Classifier.load()
    scores = {hop: Scores() for hop in (5.0, 2.5, 1.25)}
    for number in range(4):
        scape = soundscape(clips, number, network.checkpoint.spectrogram.sample_rate)
        for hop, score in scores.items():
            found = windows(network, scape.waveform, network.checkpoint.spectrogram.sample_rate, hop)
            score.add(scape, segments(found, network.class_names))
    coarse, middle, fine = (score.figures() for score in scores.values())
    assert max(one["median_edge_error_s"] for one in (coarse, middle, fine)) < 0.25
    assert fine["median_edge_error_s"] <= middle["median_edge_error_s"] + 0.02
    assert middle["segment_f1"] > 0.65 and fine["segment_f1"] > middle["segment_f1"] - 0.02


def test_sounding_part():
    """Silence at both ends goes; a short sound repeats; the level is fixed."""
    sound = np.concatenate([np.zeros(800), np.sin(0.5 * np.arange(1600)), np.zeros(3200)]).astype(np.float32)
    for seconds in (0.1, 1.0):
        part = sounding_part(sound, RATE, seconds)
        assert len(part) / RATE == pytest.approx(seconds, abs=0.02)
        assert 10 * np.log10(np.mean(part**2)) == pytest.approx(-26, abs=0.1)


def test_pink_noise(rng):
    """Equal power in each octave."""
    noise = pink_noise(10 * 44_100, rng)
    power = np.abs(np.fft.rfft(noise)) ** 2
    freqs_hz = np.fft.rfftfreq(len(noise), 1 / 44_100)
    octaves = [power[(freqs_hz >= low) & (freqs_hz < 2 * low)].sum() for low in (50, 200, 1_600, 6_400)]
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(1.0, abs=1e-4)
    assert max(octaves) / min(octaves) < 1.3
