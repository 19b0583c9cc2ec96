"""Navigation of the views in a real Chromium: pointer, touch, keyboard, minimap, display settings and permalink."""

from urllib.parse import parse_qs, urlsplit

import librosa
import numpy as np
import pytest
from playwright.sync_api import expect

import sounds
from esc.ui.i18n.catalogue import ENGLISH, RUSSIAN

pytestmark = pytest.mark.browser
RATE, SECONDS = 22_050, 8.0
SPAN = "session.state.visible.end - session.state.visible.start"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def long_wav(tmp_path_factory):
    return sounds.write(tmp_path_factory.mktemp("nav") / "long.wav", sounds.busy(SECONDS, RATE), RATE)


@pytest.fixture
def shown(open_sheet, long_wav):
    """The app with a sound of 8 s on screen."""
    sheet = open_sheet()
    sheet.open_file(long_wav)
    return sheet


def drag(sheet, a, b, drop=True):
    """Drag from one place in the picture to another, both as shares from its left and its top."""
    sheet.page.mouse.move(*sheet.point(*a))
    sheet.page.mouse.down()
    sheet.page.mouse.move(*sheet.point(*b), steps=6)
    if drop:
        sheet.page.mouse.up()


def window(sheet):
    """Return the shown seconds and the shown frequencies, if these are not all."""
    state = sheet.ev("({ ...session.state.visible, ...session.state.frequencyRange })")
    return tuple(state[key] for key in ("start", "end", "low_hz", "high_hz") if key in state)


def mel_hz(share):
    """Return the frequency at a share of librosa's default mel axis, from the bottom."""
    return float(librosa.mel_to_hz(share * librosa.hz_to_mel(RATE / 2)))


def test_zoom_by_wheel_and_box_pan_and_view_history(shown):
    page = shown.page
    page.mouse.move(*shown.point(0.25, 0.5))
    for turn in range(1, 4):
        page.mouse.wheel(0, -200)
        shown.until(f"{SPAN} < {SECONDS * np.exp(-0.4 * turn) + 0.05}")
    start, end = window(shown)
    assert start + 0.25 * (end - start) == pytest.approx(0.25 * SECONDS, abs=0.02)  # it stays under the pointer
    assert end - start == pytest.approx(SECONDS * np.exp(-1.2), rel=0.01)
    page.keyboard.press("0")  # wherever the focus is
    assert window(shown) == (0, SECONDS)
    page.locator("[data-do=zoom_in]").first.click()
    page.locator("[data-do=zoom_all]").first.click()
    assert window(shown) == (0, SECONDS)
    page.focus(".sg-plot")
    page.keyboard.press("z")
    drag(shown, (0.5, 0.25), (0.75, 0.75), drop=False)
    assert window(shown) == (0, SECONDS)
    page.mouse.up()
    shown.until(f"{SPAN} < 2.1")
    boxed = window(shown)
    assert boxed == pytest.approx((4.0, 6.0, mel_hz(0.25), mel_hz(0.75)), rel=0.02)
    assert shown.ev("viewer.hzAt(viewer.area().top)") == pytest.approx(mel_hz(0.75), rel=0.02)  # the axis goes with it
    page.keyboard.press("v")
    drag(shown, (0.5, 0.5), (0.75, 0.6))
    panned = window(shown)
    assert panned[:2] == pytest.approx((boxed[0] - 0.5, boxed[1] - 0.5), abs=0.03)
    assert boxed[2] < panned[2] and boxed[3] < panned[3]  # what lay above came down
    for _ in range(20):
        shown.ev("viewer.plot.dispatchEvent(new WheelEvent('wheel', { deltaX: -5, bubbles: true, cancelable: true }))")
    for step in ("Backspace", "Alt+ArrowLeft"):  # the wheel's steps are one, perhaps together with the drag's
        page.keyboard.press(step)
    while window(shown) == panned:
        page.keyboard.press("Backspace")
    page.locator("[data-do=forward]").first.click()
    while page.locator("[data-do=back]").first.is_enabled():
        page.locator("[data-do=back]").first.click()
    assert window(shown) == (0, SECONDS)  # as the sound came
    assert page.locator("[data-do=forward]").first.is_enabled()
    page.mouse.click(*shown.point(0.5, 0.5))  # a click moves no picture
    shown.until("Math.abs(session.audio.currentTime - 4) < 0.05")


def test_drag_ends_with_its_sound(shown):
    """The view and the selection of a sound that opens meanwhile stay as they are."""
    for tool, example in (("v", "crow"), ("s", "rain")):
        shown.ev("session.show(2, 6)")
        shown.page.focus(".sg-plot")
        shown.page.keyboard.press(tool)
        drag(shown, (0.5, 0.5), (0.75, 0.6), drop=False)
        shown.choose_example(example)
        shown.until("(example) => viewer.current() && session.state.sound.example === example", example)
        shown.page.mouse.move(*shown.point(0.25, 0.4), steps=3)
        shown.page.mouse.up()
        assert window(shown) == (0, 5)
        assert shown.ev("session.state.selection") is None
    shown.ev("session.show(1, 3)")
    frame = shown.page.locator("#mel .sg-minimap-frame").bounding_box()
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    shown.page.mouse.move(x, y)
    shown.page.mouse.down()
    shown.page.mouse.move(x + 40, y, steps=3)
    assert window(shown)[0] > 1
    shown.choose_example("siren")
    shown.until("viewer.current() && session.state.sound.example === 'siren'")
    shown.page.mouse.move(x - 40, y, steps=3)
    shown.page.mouse.up()
    assert window(shown) == (0, 5)


def test_selection_by_drag_in_every_view(shown):
    page = shown.page
    page.locator("[data-do=tool_select]").first.click()
    drag(shown, (0.25, 0.25), (0.5, 0.75))
    selection = "session.state.selection"
    wanted = {"start": 2.0, "end": 4.0, "low_hz": mel_hz(0.25), "high_hz": mel_hz(0.75)}
    assert shown.ev(selection) == pytest.approx(wanted, rel=0.02)
    drag(shown, (0.5, 0.5), (0.75, 0.55))  # its right edge
    assert shown.ev(selection) == pytest.approx(wanted | {"end": 6.0}, rel=0.02)
    drag(shown, (0.4, 0.25), (0.4, 0.1))  # its upper edge
    assert shown.ev(selection) == pytest.approx(wanted | {"end": 6.0, "high_hz": mel_hz(0.9)}, rel=0.02)
    expect(page.locator(".sg-minimap-selection").first).to_be_visible()
    page.locator(".sg-plot").first.press("e")
    assert window(shown) == pytest.approx((2.0, 6.0, mel_hz(0.25), mel_hz(0.9)), rel=0.02)
    page.get_by_role("tab", name=ENGLISH["page.tab_stft"], exact=True).click()
    stft = "document.querySelector('.sg-viewer[data-view=stft]').component"
    shown.until(f"document.querySelector('.sg-viewer[data-view=stft]')?.component?.data && {stft}.current()")
    assert shown.ev(f"{stft}.timeAt({stft}.area().left)") == pytest.approx(2.0, rel=0.02)
    assert shown.ev(f"{stft}.hzAt({stft}.area().top)") == pytest.approx(mel_hz(0.9), rel=0.02)
    expect(page.locator(".sg-viewer[data-view=stft] [data-do=tool_select]")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    page.mouse.click(*shown.point(0.5, 0.95))
    assert shown.ev(selection) is None
    shown.until("Math.abs(session.audio.currentTime - 4) < 0.05")
    page.keyboard.press("v")
    page.keyboard.down("Shift")
    drag(shown, (0.1, 0.5), (0.3, 0.505))  # flat: all frequencies
    page.keyboard.up("Shift")
    assert shown.ev(selection) == pytest.approx({"start": 2.4, "end": 3.2, "low_hz": None, "high_hz": None}, abs=0.03)
    shown.ev("session.seek(2.8)")
    page.keyboard.press("]")
    assert shown.ev(f"{selection}.end") == pytest.approx(2.8, abs=0.01)
    page.keyboard.press("Escape")
    assert shown.ev(selection) is None


def finger(page):
    """Return what sends an event of fingers at some places on screen."""
    cdp = page.context.new_cdp_session(page)

    def touch(kind, points):
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    return touch


def test_double_click_shows_all_and_neither_seeks_nor_deselects(shown):
    page = shown.page
    shown.ev("() => { session.select({ start: 2, end: 3 }); session.show(1, 5); session.seek(1.5); }")
    page.focus(".sg-plot")
    page.keyboard.press("s")  # with this tool a click lets the selection go
    page.mouse.dblclick(*shown.point(0.8, 0.5))
    shown.until("session.state.visible.end === 8")
    assert shown.ev("session.audio.currentTime") == pytest.approx(1.5, abs=0.01)
    assert shown.ev("[session.state.selection?.start, session.state.selection?.end]") == [2, 3]


def test_destroyed_viewer_stops_listening(shown):
    shown.ev(
        """() => { viewer.destroy();
            window.calls = [];
            for (const name of ['redraw', 'refresh', 'read', 'paintOverlay']) viewer[name] = () => { window.calls.push(name); };
            session.show(1, 2);
            session.seek(1.5);
            session.select({ start: 1, end: 2 });
            document.body.classList.toggle('dark');
            viewer.plot.dispatchEvent(new PointerEvent('pointermove', { clientX: 5, clientY: 5 })); }"""
    )
    shown.page.wait_for_timeout(300)  # resize, theme and frames come later
    assert shown.ev("window.calls") == []
    assert shown.ev("viewer.host.childElementCount") == 0


def test_touch_pinch_pan_and_page_scroll(open_sheet, long_wav):
    sheet = open_sheet(**PHONE)
    sheet.open_file(long_wav)
    page, touch = sheet.page, finger(sheet.page)
    left, right = sheet.point(0.4, 0.5), sheet.point(0.6, 0.5)
    wide_left, wide_right = sheet.point(0.3, 0.5), sheet.point(0.7, 0.5)
    touch("touchStart", [left, right])
    touch("touchMove", [((left[0] + wide_left[0]) / 2, left[1]), ((right[0] + wide_right[0]) / 2, right[1])])
    touch("touchMove", [wide_left, wide_right])
    sheet.until(f"{SPAN} < 4.3")
    touch("touchEnd", [])
    start, end = window(sheet)
    assert (start, end) == pytest.approx((2.0, 6.0), abs=0.1)  # what lay under the fingers still does
    touch("touchStart", [wide_right])
    for share in (0.6, 0.5, 0.45):
        touch("touchMove", [sheet.point(share, 0.5)])
    touch("touchEnd", [])
    sheet.until("session.state.visible.start > 2.8")
    assert window(sheet) == pytest.approx((3.0, 7.0), abs=0.15)
    for tool, allowed in (("move", "pan-y"), ("select", "none"), ("move", "pan-y")):
        page.locator(f"[data-do=tool_{tool}]").first.tap()
        assert sheet.ev("getComputedStyle(viewer.plot).touchAction") == allowed
    scrolled = sheet.ev("(document.scrollingElement.scrollTop = 200, document.scrollingElement.scrollTop)")
    x, y = sheet.ev("(() => { const box = viewer.plot.getBoundingClientRect(); return [box.left + 150, box.top + 100]; })()")
    touch("touchStart", [(x, y)])
    for way in range(1, 8):
        touch("touchMove", [(x, y - 25 * way)])
    touch("touchEnd", [])
    sheet.until("(before) => document.scrollingElement.scrollTop > before + 60", scrolled)
    assert window(sheet) == pytest.approx((3.0, 7.0), abs=0.15)
    assert sheet.ev("viewer.toolbar.getBoundingClientRect().height") < 110  # two rows of buttons
    page.locator("[data-do=display]").first.tap()
    panel = page.locator(".sg-panel:visible").bounding_box()
    assert panel["x"] >= 0 and panel["x"] + panel["width"] <= 390
    assert sheet.ev("document.documentElement.scrollWidth") <= 390


def test_permalink_opens_a_tab(open_sheet):
    phone = open_sheet(link="view=wave&example=rain", **PHONE)
    phone.page.wait_for_selector(".sg-viewer[data-view=wave][data-filled]:visible")
    expect(phone.page.locator(".sg-message")).to_be_hidden()


def test_trackpad_pinch_zooms_the_plot_not_the_page(shown):
    x, y = shown.point(0.25, 0.5)

    def send(kind, fields):  # whether the browser is kept from zooming the page
        return shown.ev(
            """([kind, fields]) => {
                const event = kind === 'wheel' ? new WheelEvent(kind, { ...fields, cancelable: true })
                    : Object.assign(new MouseEvent(kind, { ...fields, cancelable: true }), { scale: fields.scale });
                return !viewer.plot.dispatchEvent(event);
            }""",
            [kind, {"clientX": x, "clientY": y} | fields],
        )

    for _ in range(5):  # as Chromium sends it: -100 times the logarithm of the scale
        assert send("wheel", {"ctrlKey": True, "deltaY": -100 * np.log(2) / 5})
    start, end = window(shown)
    assert end - start == pytest.approx(SECONDS / 2)
    assert start + 0.25 * (end - start) == pytest.approx(0.25 * SECONDS, abs=0.02)
    assert send("wheel", {"ctrlKey": True, "deltaY": 120})  # a mouse's wheel with Ctrl
    assert shown.ev(SPAN) == pytest.approx(SECONDS / 2 * np.exp(0.2))
    shown.ev("session.showAll()")
    for _ in range(2):  # as Safari sends it
        for kind, scale in (("start", 1), ("change", 1.2), ("change", 2), ("end", 2)):
            assert send(f"gesture{kind}", {"scale": scale})
    assert shown.ev(SPAN) == pytest.approx(SECONDS / 4)
    x -= shown.ev("viewer.area().left + 0.25 * viewer.area().width") - 5  # on the axis of frequencies
    assert send("wheel", {"ctrlKey": True, "deltaY": 20}), "nothing to zoom out, and not the page either"
    assert send("gesturechange", {"scale": 4})
    assert shown.ev("session.state.frequencyRange") and shown.ev(SPAN) == pytest.approx(SECONDS / 4)


def test_minimap_moves_the_visible_range(shown):
    page = shown.page
    page.locator(".sg-minimap").first.scroll_into_view_if_needed()
    box = page.locator(".sg-minimap").first.bounding_box()

    def pull(a, b):
        page.mouse.move(box["x"] + a / SECONDS * box["width"], box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + b / SECONDS * box["width"], box["y"] + 20, steps=5)
        page.mouse.up()

    pull(2.0, 4.0)  # nothing to move: another frame is drawn
    assert window(shown) == pytest.approx((2.0, 4.0), abs=0.05)
    pull(3.0, 5.0)  # the frame
    assert window(shown) == pytest.approx((4.0, 6.0), abs=0.05)
    pull(6.0, 7.0)  # its right edge
    assert window(shown) == pytest.approx((4.0, 7.0), abs=0.06)
    pull(4.0, 5.0)  # its left edge
    assert window(shown) == pytest.approx((5.0, 7.0), abs=0.08)
    frame = page.locator(".sg-minimap-frame").first
    before = window(shown)
    frame.press("ArrowLeft")
    assert window(shown) == pytest.approx((before[0] - 0.2, before[1] - 0.2), abs=0.02)
    frame.press("ArrowUp")
    assert shown.ev(SPAN) == pytest.approx(1.0, abs=0.05)
    frame.press("Home")
    assert window(shown) == pytest.approx((0.0, 1.0), abs=0.05)
    assert "0:01" in frame.get_attribute("aria-valuetext")


@pytest.mark.parametrize(("locale", "words"), [("en-US", ENGLISH), ("ru-RU", RUSSIAN)])
def test_shortcuts_dialog(open_sheet, locale, words):
    sheet = open_sheet(locale=locale)
    sheet.open_example("crow")
    page = sheet.page
    page.focus("#sg-n_fft")
    page.keyboard.press("?")  # in a field it is a character
    expect(page.locator("dialog")).to_have_count(0)
    page.focus(".sg-plot")
    page.keyboard.press("?")
    listed = page.locator("dialog")
    expect(listed).to_be_visible()
    unlisted = sheet.ev(
        """() => { const text = document.querySelector('dialog').innerText;
            return Object.values(viewer.keys()).map((key) => key.label).filter(Boolean)
                .filter((name) => !i18n.texts.messages[name] || !text.includes(i18n.texts.messages[name])); }"""
    )
    assert unlisted == []
    expect(listed).to_contain_text(words["viewer_toolbar.gesture_pinch"])
    page.keyboard.press("Escape")
    expect(listed).to_have_count(0)
    assert sheet.ev("document.activeElement === viewer.plot")
    page.locator("#mel [data-do=more]").press("Enter")
    page.locator("#mel [data-do=help]").press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("#mel [data-do=more]")).to_be_focused()  # the line that opened it is hidden again
    sheet.ev(
        """viewer.plot.dispatchEvent(new KeyboardEvent('keydown', { key: 'ы', code: 'KeyS', bubbles: true, cancelable: true }))"""
    )
    expect(page.locator("[data-do=tool_select]").first).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("f")
    sheet.until("document.fullscreenElement === viewer.host.querySelector('.sg-stage')")
    sheet.until("viewer.plot.getBoundingClientRect().height > 500 && viewer.image.height > 500")
    page.keyboard.press("f")
    sheet.until("!document.fullscreenElement")


def test_display_settings_need_no_request_and_persist(shown):
    page = shown.page
    page.locator("[data-do=display]").first.click()
    seen, asked = [shown.pixels()["sum"]], len(shown.requests)
    page.locator(".sg-levels").first.scroll_into_view_if_needed()
    middle = page.locator(".sg-levels i").first.bounding_box()

    def gain():
        page.mouse.move(middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2)
        page.mouse.down()
        page.mouse.move(middle["x"] + middle["width"] / 2 - 20, middle["y"] + middle["height"] / 2, steps=3)
        page.mouse.up()

    span = "viewer.range()[1] - viewer.range()[0]"
    for act, same_span in (
        (lambda: page.select_option(".sg-colours", "gray_r"), True),
        (gain, True),
        (lambda: page.locator(".sg-plot").first.press(">"), False),
        (lambda: page.locator(".sg-plot").first.press("."), True),
        (lambda: page.locator(".sg-plot").first.press("i"), True),
        (lambda: page.locator(".sg-grip").first.press("ArrowUp"), True),
    ):
        before = shown.ev(span)
        act()
        shown.ev("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert (shown.ev(span) == before) is same_span
        seen.append(shown.pixels()["sum"])
    assert len(set(seen)) == len(seen)
    assert shown.requests[asked:] == []
    height, levels = shown.ev("viewer.plot.getBoundingClientRect().height"), shown.ev("viewer.range()")
    page.get_by_role("tab", name=ENGLISH["page.tab_stft"], exact=True).click()
    stft = "document.querySelector('.sg-viewer[data-view=stft]').component"
    shown.until("document.querySelector('.sg-viewer[data-view=stft]')?.component?.data")
    assert shown.ev(f"{stft}.range()") == levels
    assert shown.ev(f"{stft}.plot.getBoundingClientRect().height") == height
    page.goto(shown.url)  # another visit
    page.wait_for_function("document.querySelector('.sg-viewer')?.component")
    assert page.evaluate("document.querySelector('.sg-viewer').component.plot.getBoundingClientRect().height") == height
    page.click("[data-do=display]")
    expect(page.locator(".sg-colours").first).to_have_value("gray_r")
    page.locator(".sg-panel .sg-link").first.click()
    expect(page.locator(".sg-colours").first).to_have_value("magma")


def test_permalink_restores_everything(open_sheet, long_wav):
    sheet = open_sheet(permissions=["clipboard-read", "clipboard-write"])
    sheet.open_example("siren")
    page = sheet.page
    page.fill("#sg-hop_length", "256")
    sheet.until("viewer.data.request.config.hop_length === 256")
    sheet.ev("session.show(1.5, 3.25, { frequencyRange: { low_hz: 300, high_hz: 3000 } })")
    sheet.ev("session.select({ start: 2, end: 2.5, low_hz: 500, high_hz: 1500 })")
    page.get_by_role("tab", name=ENGLISH["page.tab_stft"], exact=True).click()
    stft = ".sg-viewer[data-view=stft]"
    sheet.until(f"document.querySelector('{stft}')?.component?.data")
    page.locator(f"{stft} .sg-plot").press("c")  # viridis
    page.locator(f"{stft} [data-do=more]").click()
    page.locator(f"{stft} [data-do=copy_link]").click()
    expect(page.locator(".sg-message span")).to_have_text(ENGLISH["viewer_toolbar.link_copied"])
    link = sheet.ev("navigator.clipboard.readText()")
    assert parse_qs(urlsplit(link).fragment)["example"] == ["siren"]

    other = open_sheet()
    other.page.goto("about:blank")
    other.page.goto(link)
    other.until(f"document.querySelector('{stft}')?.component?.current()")
    other.load("core/state", "session")
    other.until("session.state.selection !== null")
    assert window(other) == pytest.approx((1.5, 3.25, 300, 3000), abs=1e-3)
    assert other.ev("session.state.selection") == pytest.approx({"start": 2, "end": 2.5, "low_hz": 500, "high_hz": 1500})
    viewer = f"document.querySelector('{stft}').component"
    other.until(f"{viewer}.data.request.config.hop_length === 256 && {viewer}.current()")
    other.page.locator(f"{stft} [data-do=display]").click()
    expect(other.page.locator(f"{stft} .sg-colours")).to_have_value("viridis")

    for nonsense in (
        "example=no_such&colours=jet&hop_length=abc&n_fft=-4&view=attic&levels=5,1&smooth=maybe&x=%00%FF",
        "example=crow&t=9,2&f=abc&selection=1&window=<img src=x>",
        "%E0%A4%A&&&==&t=NaN",
    ):
        other.page.goto("about:blank")
        other.page.goto(f"{other.url}/#{nonsense}")
        expect(other.page.locator(".sg-message")).to_contain_text(ENGLISH["viewer_toolbar.link_ignored"].split("{")[0].strip())
        other.page.wait_for_function("document.querySelector('.sg-viewer')?.component")
    own = open_sheet()
    own.page.goto("about:blank")
    own.page.goto(f"{own.url}/#length={SECONDS}&t=2,3")
    expect(own.page.locator(".sg-message")).to_contain_text("8")
    own.page.wait_for_function("document.querySelector('.sg-viewer')?.component")
    own.page.set_input_files("input.sg-file", long_wav)
    own.load("core/state", "session")
    own.page.wait_for_function("session.state.visible.start === 2 && session.state.visible.end === 3")


def test_link_keeps_the_last_possible_parameters(open_sheet):
    sheet = open_sheet(link="example=crow&n_fft=1024&win_length=1024&hop_length=256")
    sheet.until("viewer.data?.request.config.hop_length === 256")
    of_link = "Object.fromEntries(new URLSearchParams(location.hash.slice(1)))"
    before = {"n_fft": "1024", "win_length": "1024", "hop_length": "256"}
    for impossible in (999_999, 512):  # too large; less than the window
        sheet.page.fill("#sg-n_fft", str(impossible))
        expect(sheet.page.locator("#mel .sg-refusal")).to_be_visible()
        sheet.page.wait_for_timeout(600)  # the address is written a little later
        assert {name: value for name, value in sheet.ev(of_link).items() if name in before} == before
    sheet.page.fill("#sg-n_fft", "4096")
    sheet.until(f"{of_link}.n_fft === '4096' && {of_link}.hop_length === '256'")


def test_finger_scrolls_the_page_unless_frequencies_are_out_of_sight(shown):
    banded = "(view) => document.querySelector(`.sg-viewer[data-view=${view}] .sg-plot`).hasAttribute('data-banded')"
    shown.ev("session.show(0, 8, { frequencyRange: { low_hz: 300, high_hz: 3000 } })")
    assert shown.ev(banded, "mel")
    shown.page.get_by_role("tab", name=ENGLISH["page.tab_stft"], exact=True).click()
    shown.until("document.querySelector('.sg-viewer[data-view=stft]')?.component?.data")
    assert shown.ev(banded, "stft")  # also in a tab that is opened later
    shown.page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    shown.open_example("crow")  # all frequencies again
    assert not shown.ev(banded, "mel") and not shown.ev(banded, "stft")


def test_edges_of_the_selection_are_dragged_within_the_plot(shown):
    page = shown.page
    selection = {"start": 2, "end": 4, "low_hz": 500, "high_hz": 2000}
    shown.ev("(selection) => session.select(selection)", selection)
    shown.point(0.5, 0.5)  # scrolls to the plot
    left, top = shown.ev("(({ left, top }) => [left, top])(viewer.plot.getBoundingClientRect())")
    right = (left + shown.ev("viewer.xOf(4)"), top + shown.ev("viewer.yOf(1000)"))
    page.focus(".sg-plot")
    page.keyboard.press("z")
    page.mouse.move(*right)
    assert shown.ev("viewer.plot.dataset.edge") == ""  # this tool draws a box there
    page.keyboard.press("v")
    page.mouse.move(right[0] + 1, right[1])
    assert shown.ev("viewer.plot.dataset.edge") != ""
    page.mouse.down()
    page.mouse.move(right[0] + 80, right[1], steps=3)
    assert shown.ev("session.state.selection.end") > 4.3
    shown.ev("viewer.plot.dispatchEvent(new PointerEvent('pointercancel', { pointerId: 1 }))")
    page.mouse.up()
    assert shown.ev("session.state.selection") == pytest.approx(selection)
    page.locator("[data-do=display]").first.click()
    page.select_option("#mel .sg-axis", "bark")
    page.keyboard.press("Escape")
    x, y = left + shown.ev("viewer.xOf(3)"), top + shown.ev("viewer.yOf(2000)")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, max(2, top - 250), steps=4)  # far above the highest frequency
    page.mouse.up()
    assert shown.ev("session.state.selection.high_hz") == pytest.approx(RATE / 2, rel=0.01)


def test_minimap_keeps_one_edge_at_the_ends_of_the_sound(shown):
    page = shown.page
    page.locator(".sg-minimap").first.scroll_into_view_if_needed()
    box = page.locator(".sg-minimap").first.bounding_box()
    for start, to, expected in ((2, -60, (0, 6)), (6, box["width"] + 60, (2, 8))):
        shown.ev("session.show(2, 6)")
        page.mouse.move(box["x"] + start / SECONDS * box["width"], box["y"] + 20)
        page.mouse.down()
        page.mouse.move(box["x"] + to, box["y"] + 20, steps=4)
        page.mouse.up()
        assert window(shown) == pytest.approx(expected, abs=0.01)
    shown.ev("session.show(4, 4.01)")  # no shorter than this
    page.locator(".sg-minimap-frame").first.press("ArrowUp")
    assert window(shown) == pytest.approx((4, 4.01), abs=1e-6)


def test_selection_is_drawn_solid_with_a_zoom_box(shown):
    dash = shown.ev(
        """() => { const context = viewer.overlay.getContext('2d');
            viewer.box = { x0: 100, x1: 200, y0: 50, y1: 90 };
            viewer.hooks[0].overlay(context);
            return context.getLineDash(); }"""
    )
    assert dash == []
