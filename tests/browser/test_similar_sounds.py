"""The section of the most similar sounds: in a real Chromium, and its answers to whatever a browser may ask."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

import sounds
from chromium import WAIT_MS
from esc import Classifier, SoundIndex, load_audio
from esc.example_sounds import FOLDER, example_sounds
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.i18n.catalogue import ENGLISH, class_name
from esc.ui.server.public.files import example_url, playable_url
from esc.ui.tabs.base import Services
from esc.ui.tabs.similar_sounds import SHOWN, SimilarSoundsTab


def cosines(name: str) -> dict[str, float]:
    """Return how alike each example sound is to one of them, the most alike first."""
    classifier = Classifier.load()
    embeddings = {one: classifier.embedding(*load_audio(path)) for one, path in example_sounds().items()}
    own = embeddings[name]
    found = {one: float(own @ other / np.linalg.norm(own) / np.linalg.norm(other)) for one, other in embeddings.items()}
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


@pytest.mark.browser
def test_similar_sounds_cards_and_playback(open_sheet):
    sheet = open_sheet(viewport={"width": 1280, "height": 420})
    page = sheet.page
    sheet.open_example("rain")
    page.get_by_role("tab", name=ENGLISH["page.tab_classify"], exact=True).click()
    page.wait_for_selector(".sg-bars")
    cards = page.locator(".sg-similar-list .sg-similar-sound")
    page.locator(".sg-similar").scroll_into_view_if_needed()
    expect(cards).to_have_count(SHOWN, timeout=WAIT_MS)
    expected = list(cosines("rain").items())[:SHOWN]
    assert page.locator(".sg-similar-sound b").all_inner_texts() == [class_name(name, "en") for name, _ in expected]
    texts = page.locator(".sg-similar-sound .sg-small").all_inner_texts()
    assert texts == [ENGLISH["similar_sounds.same"], *(f"{similarity:.2f}" for _, similarity in expected[1:])]
    assert len(set(cards.locator("canvas").evaluate_all("(all) => all.map((one) => one.toDataURL())"))) == SHOWN

    second, third = cards.nth(1), cards.nth(2)
    position = "(card) => parseFloat(card.style.getPropertyValue('--position')) > 0"
    second.click()
    page.wait_for_function(f"() => ({position})(document.querySelectorAll('.sg-similar-sound')[1])")
    expect(second).to_have_attribute("aria-pressed", "true")
    assert any(url.endswith(f"/{expected[1][0]}.flac") for url in sheet.requests)
    third.press("Enter")  # one at a time, by keyboard as by pointer
    expect(third).to_have_attribute("aria-pressed", "true")
    expect(second).to_have_attribute("aria-pressed", "false")
    expect(third).to_have_attribute("aria-label", re.compile(f"^{ENGLISH['similar_sounds.stop'].format(name='')}"))
    page.locator(".sg-play").click()  # the page's own player takes over
    expect(third).to_have_attribute("aria-pressed", "false")
    sheet.until("!session.audio.paused")
    second.click()
    sheet.until("session.audio.paused")
    page.get_by_role("button", name=ENGLISH["saliency.play_clip"]).click()  # so does the clip that the network was given
    expect(second).to_have_attribute("aria-pressed", "false")
    second.click()
    sheet.until("document.querySelector('.sg-saliency').component.clip.paused")
    expect(second).to_have_attribute("aria-pressed", "true")
    second.click()
    expect(second).to_have_attribute("aria-pressed", "false")
    sheet.choose_example("siren")
    page.locator(".sg-similar").scroll_into_view_if_needed()
    expect(page.locator(".sg-similar-sound b").first).to_have_text(class_name("siren", "en"), timeout=WAIT_MS)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services.create(tmp_path, tmp_path, DEFAULT_CHECKPOINT)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Recordings of a user: a rain in a folder below, a siren, and a file that will be gone."""
    folder = tmp_path / "my recordings"
    (folder / "deep").mkdir(parents=True)
    shutil.copy(example_sounds()["rain"], folder / "deep" / "дождь.flac")
    siren, rate = load_audio(example_sounds()["siren"])
    sounds.write(folder / "long siren.wav", np.concatenate([siren, siren]), rate)
    shutil.copy(example_sounds()["wind"], folder / "gone.flac")
    return folder


def asked(tab: SimilarSoundsTab, path: Path, language: str = "en") -> dict:
    token = tab.store.new_session(language).token
    sound = tab.store.open(token, path, path.name)
    (answer,) = tab.replies({"token": token, "sound": sound.id})
    return answer


def test_similar_sounds_of_a_users_index(classifier, services, archive, tmp_path):
    index, _ = SoundIndex.of_files(classifier, sorted(archive.rglob("*.*")))
    index.save(tmp_path / "index.npz")
    (archive / "gone.flac").unlink()
    answer = asked(SimilarSoundsTab(services, tmp_path / "index.npz"), example_sounds()["rain"])
    assert (answer["count"], answer["examples"], answer["silent"]) == (3, False, False)
    first, *others = answer["rows"]
    assert first["name"] == str(Path("deep") / "дождь.flac") and first["same"]
    by_name = {row["name"]: row for row in others}
    assert by_name["gone.flac"]["clip"] is None
    address = by_name["long siren.wav"]["clip"]
    clip = tmp_path / "playable" / Path(address).name
    assert address == playable_url(clip), "a copy: the folder itself is not served"
    played, rate = soundfile.read(clip, dtype="float32")
    whole, _ = load_audio(archive / "long siren.wav")
    np.testing.assert_allclose(played, whole[: 5 * rate], atol=2e-4)


def test_similar_sounds_example_path(services):
    answer = asked(SimilarSoundsTab(services), example_sounds()["crow"], "ru")
    assert [row["clip"] for row in answer["rows"]] == [example_url(FOLDER / f"{row['label']}.flac") for row in answer["rows"]]
    assert len(answer["rows"]) == SHOWN
    assert answer["rows"][0]["label"] == "crow"


def test_similar_sounds_of_silence(services, tmp_path):
    quiet = sounds.write(tmp_path / "quiet.wav", np.zeros(44_100, np.float32), 44_100)
    answer = asked(SimilarSoundsTab(services), quiet)
    assert answer["silent"] and answer["rows"] == []


def test_similar_sounds_unusable_index(services, tmp_path):
    tab = SimilarSoundsTab(services, tmp_path / "absent.npz")
    answer = asked(tab, example_sounds()["crow"], "ru")
    assert answer["error"].startswith("Индекса") and not answer["off"]
    index, _ = SoundIndex.of_files(Classifier.load(), [example_sounds()["crow"]])
    index.save(tmp_path / "absent.npz")
    assert len(asked(tab, example_sounds()["crow"])["rows"]) == 1, "repaired, it works at once"
    assert asked(SimilarSoundsTab(replace(services, checkpoint=tmp_path / "no checkpoint")), example_sounds()["crow"])["off"]


@pytest.mark.parametrize(
    "question", [None, [], "x", {}, {"token": 1}, {"token": "x", "sound": "y"}, {"token": [], "sound": {}}, 10**30]
)
def test_similar_sounds_invalid_requests(services, question):
    (answer,) = SimilarSoundsTab(services).replies(question)
    assert isinstance(answer["error"], str) and "Traceback" not in answer["error"]


def test_similar_sounds_of_another_session(services):
    token = services.store.new_session("en").token
    sound = services.store.open(token, example_sounds()["crow"], "crow.flac")
    other = services.store.new_session("ru").token
    (answer,) = SimilarSoundsTab(services).replies({"token": other, "sound": sound.id})
    assert "rows" not in answer
