"""What the tests share: sounds, the data set where there is one, and the order from fast to slow."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import sounds
from browser import chromium, open_sheet, server, sheet  # noqa: F401, fixtures

ROOT = Path(__file__).resolve().parent.parent
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests that drive a browser at the end and those that train or read the data set before them."""
    items.sort(key=lambda item: 2 if item.get_closest_marker("browser") else item.path.stem.startswith("test_training"))


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
