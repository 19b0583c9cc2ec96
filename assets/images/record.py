"""Pictures and screen recording of the README, taken from the running page with our own example sounds.

    PYTHONPATH=. python assets/images/record.py [--language en|ru] [--only pictures|recording]

Needs what `make test` installs. Files of other languages than English end in the language.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from benchmarks.harness import READY, WEBGL_FLAGS, chromium, serving

FOLDER = Path(__file__).resolve().parent
EXAMPLE = "siren"
LOCALES = {"en": "en-US", "ru": "ru-RU"}
SIZE = {"width": 1120, "height": 640}
COLOURS = 96  # of a frame of the recording
IDLE = "!document.querySelector('.gradio-container [data-busy]')"
LESSON = """(name) => { const host = document.querySelector('.sg-learn');
    return host?.component?.step.name === name && host.hasAttribute('data-filled'); }"""
POINTER = """() => {
    const dot = document.createElement('div');
    dot.style.cssText = `position: fixed; z-index: 9999; width: 18px; height: 18px; margin: -9px; border-radius: 50%;
        background: rgb(20 20 20 / 45%); border: 2px solid #fff; box-sizing: border-box; pointer-events: none; left: -50px`;
    document.body.append(dot);
    addEventListener('pointermove', ({ clientX, clientY }) => {
        [dot.style.left, dot.style.top] = [`${clientX}px`, `${clientY}px`];
    }, true);
}"""


@dataclass
class Recording:
    """Frames of a page, each with how long it is shown."""

    page: object
    frames: list[Image.Image] = field(default_factory=list)
    durations_ms: list[int] = field(default_factory=list)
    at: tuple[float, float] = (560.0, 400.0)

    def frame(self, milliseconds: int) -> None:
        """Add the page as it is now."""
        shot = Image.open(io.BytesIO(self.page.screenshot(animations="disabled"))).convert("RGB")
        self.frames.append(shot.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE))
        self.durations_ms.append(milliseconds)

    def move(self, x: float, y: float, steps: int = 4) -> None:
        """Move the pointer in visible steps."""
        x0, y0 = self.at
        for step in range(1, steps + 1):
            self.page.mouse.move(x0 + (x - x0) * step / steps, y0 + (y - y0) * step / steps)
            self.frame(70)
        self.at = (x, y)

    def press(self, locator) -> None:
        """Move to an element and click it."""
        box = locator.bounding_box()
        self.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.click(*self.at)

    def turn(self, slider, keys: list[str], milliseconds: int = 450) -> None:
        """Move to a slider and press keys on it, each shown with its result."""
        box = slider.bounding_box()
        self.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for key in keys:
            slider.press(key)
            self.settle()
            self.frame(milliseconds)

    def drag(self, x: float, y: float, steps: int = 8) -> None:
        """Drag from where the pointer is."""
        self.page.mouse.down()
        x0, y0 = self.at
        for step in range(1, steps + 1):
            self.page.mouse.move(x0 + (x - x0) * step / steps, y0 + (y - y0) * step / steps)
            self.settle()
            self.frame(110)
        self.page.mouse.up()
        self.at = (x, y)

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.page.wait_for_timeout(350)  # a slider waits a moment for the next key before it asks
        self.page.wait_for_function(IDLE)

    def save(self, path: Path) -> None:
        """Write the frames as an endless GIF, of which each frame holds what has changed."""
        first, *others = self.frames
        first.save(path, save_all=True, append_images=others, duration=self.durations_ms, loop=0, optimize=True)


def open_page(browser, url: str, language: str, link: str):
    """Return the page by a link, light and without the note of a first visit."""
    context = browser.new_context(viewport=SIZE, locale=LOCALES[language], color_scheme="light", reduced_motion="reduce")
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(f"{url}/?__theme=light#example={EXAMPLE}&{link}")
    page.wait_for_function(READY)
    page.wait_for_function("document.querySelector('.sg-player .sg-time')?.textContent.includes('5')")
    page.wait_for_timeout(1500)
    page.wait_for_function(IDLE)
    close = page.locator(".sg-welcome:not([hidden]) button")
    if close.count():
        close.click()
    return page


def open_tab(recording: Recording, name: str) -> None:
    """Press the tab of that name."""
    text = recording.page.evaluate(TAB_TEXT, name)
    recording.press(recording.page.get_by_role("tab", name=text, exact=True))
    recording.settle()


TAB_TEXT = """(name) => soundglass['lib/i18n.js'].t(`page.tab_${name}`)"""


def recorded(page) -> Recording:
    """Return a recording: parameters, the surface, the prediction with its saliency map, and a step of the lesson."""
    film = Recording(page)
    page.evaluate(POINTER)
    film.frame(1500)
    film.turn(page.locator("#mel .sg-field input[type=range]").first, ["ArrowLeft"] * 2 + ["ArrowRight"] * 3)
    open_tab(film, "surface")
    page.wait_for_function("document.querySelector('#surface .sg-viewer')?.hasAttribute('data-filled')")
    film.settle()
    film.frame(700)
    film.move(600, 420)
    film.drag(450, 405)
    film.frame(900)
    open_tab(film, "classify")
    page.wait_for_selector(".sg-saliency[data-filled]")
    film.settle()
    film.frame(2200)
    open_tab(film, "learn")
    page.wait_for_function(LESSON, arg="samples")
    film.frame(700)
    film.press(page.locator(".sg-learn nav a[href$='=window']"))
    page.wait_for_function(LESSON, arg="window")
    film.settle()
    film.frame(1200)
    film.turn(page.locator(".sg-learn-sliders input").first, ["ArrowLeft"] * 3 + ["ArrowRight"] * 5, 350)
    film.frame(1500)
    return film


def save_picture(page, name: str, ending: str) -> None:
    """Save the page as a PNG of few colours."""
    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")
    shot.quantize(256, dither=Image.Dither.NONE).save(FOLDER / f"{name}{ending}.png", optimize=True)


def take_pictures(browser, url: str, language: str, ending: str) -> None:
    """Save the surface and a step of the lesson."""
    page = open_page(browser, url, language, "view=surface")
    page.wait_for_function("document.querySelector('#surface .sg-viewer')?.hasAttribute('data-filled')")
    page.wait_for_timeout(2000)
    save_picture(page, "readme-3d", ending)
    page.context.close()
    page = open_page(browser, url, language, "learn=network")
    page.wait_for_function(LESSON, arg="network")
    page.wait_for_timeout(500)
    save_picture(page, "readme-learn", ending)
    page.context.close()


def main() -> None:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--language", choices=LOCALES, help="default: both")
    parser.add_argument("--only", choices=("pictures", "recording"), help="default: both")
    asked = parser.parse_args()
    with serving() as url, chromium(*WEBGL_FLAGS) as browser:
        for language in [asked.language] if asked.language else LOCALES:
            ending = "" if language == "en" else f"-{language}"
            if asked.only != "recording":
                take_pictures(browser, url, language, ending)
            if asked.only != "pictures":
                recorded(open_page(browser, url, language, "view=mel")).save(FOLDER / f"recording{ending}.gif")
    for path in sorted(FOLDER.glob("re*.*")):
        if path.suffix in (".png", ".gif"):
            print(f"{path.name}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
