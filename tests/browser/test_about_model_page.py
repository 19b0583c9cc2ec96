"""About the model in a real browser: measured parts as charts, what is missing with the command that measures it."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from chromium import Sheet, serving
from esc.classification.checkpoint_files.config import read_config, write_config
from esc.classification.checkpoint_files.metrics import FILE, write_metrics
from esc.classification.checkpoint_files.robustness import write_robustness
from esc.classification.confidence.calibration import Calibration
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.i18n.catalogue import RUSSIAN
from test_metrics_file import FIGURES

pytestmark = pytest.mark.browser
APP = """
import os, sys
from pathlib import Path
import esc.ui.inference.zero_gpu
from esc.ui.page import build_page, launch_options
page = build_page(Path(sys.argv[1]))
page.queue().launch(server_name="127.0.0.1", server_port=int(os.environ["PORT"]), **launch_options(page))
"""
CARD = """---
license: mit
---
# A card

<img src=x onerror=alert(1)> **bold** [out](https://example.org)

| a | b |
|---|---|
| 1 | 2 |
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A calibrated copy of the shipped checkpoint which knows no sound, with some figures and a card that means harm."""
    copy = shutil.copytree(DEFAULT_CHECKPOINT, tmp_path_factory.mktemp("about") / "net", ignore=shutil.ignore_patterns(FILE))
    limits = {"unknown_threshold": 1.0, "unsure_threshold": 1.0, "detector_sha256": None}
    strict = Calibration(temperature=0.8, unknown_score="max_softmax", **limits)
    meta = read_config(copy)
    write_config(copy, dataclasses.replace(meta, calibration=strict, provenance=meta.provenance | {"licence": None}))
    write_metrics(
        copy,
        held_out=FIGURES["held_out"] | {"folds": [1, 5]},
        history=FIGURES["history"],
        deletion=FIGURES["deletion"],
        unknown=FIGURES["unknown"],
    )
    robust = {"run": "whole", "fold": 5, "clips": 400, "accuracy": {"as it is": 0.9, "telephone": 0.6, "under water": 0.1}}
    write_robustness(copy, robust | {"previous": {"run": "old", "accuracy": {"telephone": 0.48}}})
    (copy / "README.md").write_text(CARD)
    return copy


@pytest.fixture(scope="module")
def sheet(folder, chromium, tmp_path_factory):
    """A page of an app with that checkpoint, in Russian."""
    with serving(tmp_path_factory.mktemp("about-server"), sys.executable, "-c", APP, str(folder)) as running:
        context = chromium.new_context(locale="ru-RU", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(30_000)
        yield Sheet(context.new_page(), running.url).start()
        context.close()


def test_about_model_figures(sheet: Sheet):
    sheet.page.get_by_role("tab", name=RUSSIAN["page.tab_about"]).click()
    sheet.page.wait_for_selector(".sg-about section")
    about = sheet.page.locator(".sg-about")
    expect(about.locator("section")).to_have_count(9)
    expect(about.locator(".sg-numbers")).to_contain_text("77,3")
    expect(about.locator(".sg-numbers")).to_contain_text("0,810")
    expect(about.locator("#about_protocol")).to_contain_text("На фолде 5 точность этой сети — 31,0\u00a0%")
    expect(about.locator("#about_curves svg")).to_have_count(2)
    assert about.locator("#about_reliability rect").count() == 14  # of 15 bins one is empty
    unknown = about.locator("#about_unknown")
    expect(unknown.locator("tbody tr")).to_have_count(3)
    expect(unknown).to_contain_text("шум (синтез)4090,0\u00a0%10,0\u00a0%0,990")
    expect(unknown).to_contain_text("zebra (корова, 31\u00a0%)")
    expect(about.locator("#about_maps tbody tr")).to_have_count(3)  # two shares of cells, and the outlines
    expect(about.locator("#about_confused")).to_contain_text("вертолёт")
    expect(about.locator("#about_limits")).to_contain_text(f"Лицензия весов: {RUSSIAN['about_model.unstated']}. Данные: ESC-50")
    robust = about.locator("#about_robustness li")
    expect(robust).to_have_text(
        ["без искажений90,0\u00a0%", "телефонная полоса60,0\u00a0%, было 48,0\u00a0%", "under water10,0\u00a0%"]
    )
    assert robust.nth(1).locator("u").evaluate("(mark) => mark.style.left") == "48%"
    rows = about.locator("#about_recall li")
    assert [row.get_attribute("data-label") for row in rows.all()] == ["helicopter", "dog"]  # the hardest first
    about.get_by_role("button", name=RUSSIAN["about_model.by_name"]).click()
    assert [row.locator("span").inner_text() for row in rows.all()] == ["вертолёт", "собака"]
    about.get_by_role("button", name=RUSSIAN["about_model.by_name"]).click()
    assert [row.get_attribute("data-label") for row in rows.all()] == ["helicopter", "dog"]


def test_about_model_card(sheet: Sheet):
    """Markdown is rendered; HTML in it is shown, not run."""
    sheet.page.get_by_role("button", name=RUSSIAN["page.card"]).click()
    card = sheet.page.locator("#model-card div.prose")
    expect(card.locator("h3")).to_have_text("A card")
    expect(card).to_contain_text("<img src=x onerror=alert(1)>")
    assert card.locator("img").count() == 0
    expect(card.locator("strong")).to_have_text("bold")
    expect(card.locator("td")).to_have_text(["1", "2"])
    expect(card.locator("a")).to_have_attribute("rel", "noopener noreferrer")


def test_unknown_sound_verdict(sheet: Sheet):
    """The threshold of this checkpoint knows no sound: verdict, guesses in grey, and still what speaks for them."""
    sheet.page.get_by_role("tab", name=RUSSIAN["page.tab_classify"]).click()
    sheet.choose_example("siren")
    sheet.page.wait_for_selector(".sg-verdict .sg-big")
    expect(sheet.page.locator(".sg-verdict .sg-big")).to_have_text(RUSSIAN["classify.unknown"].format(count=50, what="сирена"))
    expect(sheet.page.locator(".sg-verdict")).to_contain_text(RUSSIAN["classify.numbers_calibrated"].format(count=50))
    bars = sheet.page.locator(".sg-bars[data-guesses] li")
    expect(bars).to_have_count(5)
    grey = bars.first.locator("b").evaluate("(bar) => getComputedStyle(bar).backgroundColor")
    red, green, blue = (int(part) for part in grey.removeprefix("rgb(").removesuffix(")").split(","))
    assert max(red, green, blue) - min(red, green, blue) < 40, grey
    sheet.until("document.querySelector('.sg-saliency')?.component?.data?.maps.siren")
    figures = FIGURES["deletion"]
    left = figures["outlined"]["marked"] if "outlined" in figures else figures["marked"][0]
    expect(sheet.page.locator(".sg-deletion")).to_contain_text(f"{100 * left:.0f} %")
    assert sheet.complaints == [] and sheet.foreign() == []


def test_missing_checkpoint(sheet: Sheet, folder: Path):
    """The folder goes while the app runs: reason and fix are shown; after its return the retry works."""
    hidden = folder.rename(folder.with_name("gone"))
    try:
        sheet.page.reload()
        sheet.until("document.querySelector('.sg-viewer')?.component && document.querySelector('.sg-main span')")
        sheet.page.get_by_role("tab", name=RUSSIAN["page.tab_about"]).click()
        about = sheet.page.locator(".sg-about")
        sheet.page.wait_for_selector(".sg-about .sg-error")
        expect(about).to_contain_text("python -m training train")
        expect(about).to_contain_text(RUSSIAN["about_model.off"])
    finally:
        hidden.rename(folder)
    about.get_by_role("button", name=RUSSIAN["page.retry"]).click()
    sheet.page.wait_for_selector(".sg-about section")
    expect(about.locator("section")).to_have_count(9)
