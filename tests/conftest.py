"""What the tests share: sounds, the data set where there is one, and the order from fast to slow."""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import sounds
from chromium import chromium, contexts, open_sheet, server, sheet  # noqa: F401, fixtures
from esc.audio.io import load_audio
from esc.audio.waveform import fit_clip

ROOT = Path(__file__).resolve().parent.parent
SIX = ("rain", "rooster", "clock_alarm", "church_bells", "siren", "vacuum_cleaner")  # fixed before any was listened to
GAP_S, MINUTE_HZ = 5.0, 44_100
LONG = {"test_accessibility", "test_surface", "test_teach_page", "test_interval_page"}  # for their number of tests
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_configure(config: pytest.Config) -> None:
    """Give each process of a parallel run a cache of Numba's of its own.

    They use librosa without `esc.features.worker.name_compiled_uniquely`, which says why.
    """
    if hasattr(config, "workerinput"):
        os.environ.setdefault("NUMBA_CACHE_DIR", str(config.cache.mkdir(f"numba-{config.workerinput['workerid']}")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put tests that drive a browser at the end and those that train or read the data set before them.

    Long browser files begin, so that both workers are busy until the end. A browser test that fails runs a second time,
    since a loaded machine can make a browser miss its time-outs; the summary lists it.
    Tests marked `recorded` run only where `-m` names the mark.
    """
    if "recorded" not in config.option.markexpr:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("recorded")])
        items[:] = [item for item in items if not item.get_closest_marker("recorded")]
    counts = Counter(item.path for item in items)

    def rank(item: pytest.Item) -> tuple[int, ...]:
        if item.get_closest_marker("browser"):
            return 2, item.path.stem not in LONG, -counts[item.path]
        return item.path.parent.name == "training", 0, 0

    items.sort(key=rank)
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("recorded"):  # which repeats by itself
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of ESC-50."""
    given = os.environ.get("ESC50_DIR")
    if not given:
        pytest.skip("ESC50_DIR is not set: no ESC-50 to test against")
    if not Path(given).is_dir():
        pytest.fail(f"ESC50_DIR names {given}, which is no folder")
    return Path(given)


@pytest.fixture(scope="session")
def chromium_path() -> str | None:
    """The system's Chromium; None where Playwright's own is to be used."""
    return next((found for name in _CHROMIUMS if (found := shutil.which(name))), None)


@pytest.fixture(scope="session")
def minute(data_dir: Path) -> tuple[np.ndarray, int, list[tuple[str, float, float]]]:
    """Six clips of the held-out fold with silence between, their rate, and (label, start, end) of each in seconds."""
    with next(data_dir.rglob("esc50.csv")).open(newline="") as table:
        rows = list(csv.DictReader(table))
    audio = {path.stem: path for path in data_dir.rglob("5-*") if path.is_file()}
    sound, truth = [], []
    for index, label in enumerate(SIX):
        name = next(row["filename"] for row in rows if row["fold"] == "5" and row["category"] == label)
        clip, _ = load_audio(audio[name.rsplit(".", 1)[0]], MINUTE_HZ)
        start_s = index * (5.0 + GAP_S)
        truth.append((label, start_s, start_s + 5.0))
        sound += [fit_clip(clip, 5 * MINUTE_HZ), np.zeros(round(GAP_S * MINUTE_HZ), np.float32)]
    return np.concatenate(sound), MINUTE_HZ, truth


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers that are the same in every run."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def tone() -> np.ndarray:
    """One second of 440 Hz, amplitude 0.5, at 44.1 kHz."""
    return sounds.tone()


@pytest.fixture(scope="session")
def sweep() -> np.ndarray:
    """One second from 40 Hz upwards at 44.1 kHz."""
    return sounds.sweep()
