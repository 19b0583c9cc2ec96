"""First look in a real Chromium: what a visitor sees before and after the first press, at every size of the window."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

import sounds
from chromium import Sheet
from esc.paths import ASSETS
from esc.ui.i18n.catalogue import ENGLISH, RUSSIAN
from esc.ui.server.public.gradio_scripts import first_files, first_styles
from esc.ui.server.public.styles import STYLES
from esc.ui.tabs.viewer import VIEWS
from test_views import CHANGED_PIXELS, KEEP_PIXELS

pytestmark = pytest.mark.browser
TABS = (*VIEWS, "classify", "live", "compare", "files", "learn", "about")
DRAWN = "viewer.data !== null && viewer.current() && !viewer.host.hasAttribute('data-busy')"
LAPTOP = {"viewport": {"width": 1366, "height": 650}}
SIZES = {
    "laptop": LAPTOP,
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "phone on its side": {"viewport": {"width": 844, "height": 390}, "has_touch": True, "is_mobile": True},
    "zoom of 200 %": {"viewport": {"width": 683, "height": 325}, "device_scale_factor": 2},
}
IN_SIGHT = """(() => { const { top, bottom } = viewer.plot.getBoundingClientRect();
    return Math.max(0, Math.min(bottom, innerHeight) - Math.max(top, 0)); })()"""


def test_first_visit_opens_an_example(open_sheet):
    sheet = open_sheet(link="", **LAPTOP)
    sheet.until(DRAWN)
    page, welcome = sheet.page, sheet.page.locator(".sg-welcome")
    assert sheet.ev("session.state.sound.example") == "siren"
    assert sheet.ev("[session.audio.paused, session.audio.currentTime]") == [True, 0]
    assert sheet.pixels()["colours"] > 20
    expect(page.locator(".sg-example")).to_have_value("siren")
    expect(welcome).to_contain_text(ENGLISH["player.welcome"].format(name="siren"))
    assert sheet.ev("viewer.plot.getBoundingClientRect().top") <= 200
    sheet.open_example("crow")  # who tries another needs no invitation
    expect(page.locator(".sg-example")).to_have_value("crow")
    expect(welcome).to_be_hidden()
    page.goto("about:blank")
    page.goto(sheet.url)
    welcome.get_by_role("button").click()
    page.reload()
    expect(page.locator(".sg-facts")).to_contain_text("siren")
    expect(welcome).to_be_hidden()


def test_link_wins_over_the_first_example(open_sheet):
    sheet = open_sheet(link="example=crow&hop_length=1024")
    sheet.until(DRAWN)
    assert sheet.ev("[session.state.sound.example, viewer.data.request.config.hop_length]") == ["crow", 1024]
    expect(sheet.page.locator(".sg-welcome")).to_be_hidden()
    own = open_sheet(link="length=3")
    expect(own.page.locator(".sg-message")).to_contain_text("3")
    assert own.ev("session.state.sound") is None
    settings = open_sheet(link="hop_length=256&colours=jet")
    settings.until(DRAWN)
    assert settings.ev("[session.state.sound.example, viewer.data.request.config.hop_length]") == ["siren", 256]
    expect(settings.page.locator(".sg-message")).to_contain_text("colours")


def test_controls_that_cannot_act_are_not_shown(open_sheet):
    dead = """[...document.querySelectorAll('button:disabled')]
        .filter((one) => one.checkVisibility({ visibilityProperty: true })).length"""
    empty = open_sheet(**LAPTOP)
    assert empty.ev(dead) == 0
    expect(empty.page.locator("#mel .sg-toolbar")).to_be_hidden()
    expect(empty.page.locator("#sg-n_fft")).to_be_hidden()
    with empty.new_picture():
        empty.choose_example("crow")
    assert empty.ev(dead) == 0
    expect(empty.page.locator("#mel .sg-toolbar")).to_be_visible()
    expect(empty.page.locator("#sg-n_fft")).to_be_visible()


def scroll_to(sheet: Sheet, selector: str) -> None:
    sheet.page.locator(selector).scroll_into_view_if_needed()


@pytest.mark.parametrize("size", SIZES)
def test_plot_stays_in_sight_while_parameters_change(open_sheet, size):
    sheet = open_sheet(link="example=crow", **SIZES[size])
    sheet.until(DRAWN)
    height = SIZES[size]["viewport"]["height"]
    for tab in TABS:  # each one press away
        box = sheet.page.get_by_role("tab", name=ENGLISH[f"page.tab_{tab}"], exact=True).bounding_box()
        assert box["y"] + box["height"] < height / 2 and box["x"] >= 0
        assert box["x"] + box["width"] <= SIZES[size]["viewport"]["width"]
    in_sight = sheet.ev(IN_SIGHT)
    assert in_sight > 0.3 * height
    assert sheet.ev("document.documentElement.scrollWidth") <= SIZES[size]["viewport"]["width"]
    last = "#mel [data-field=top_db] input[type=range]"
    scroll_to(sheet, last)
    sheet.page.press(last, "Home")
    sheet.until("viewer.data.high_db - viewer.data.low_db < 80")
    assert sheet.ev(IN_SIGHT) >= in_sight
    expect(sheet.page.locator(last)).to_be_in_viewport()


def test_tabs_lie_in_the_same_place(open_sheet):
    sheet = open_sheet(link="example=crow", viewport={"width": 1440, "height": 900})
    sheet.until(DRAWN)
    player = "(({ left, width }) => [left, width])(document.querySelector('.sg-player').getBoundingClientRect())"
    before = sheet.ev(player)
    for tab in TABS:
        sheet.page.get_by_role("tab", name=ENGLISH[f"page.tab_{tab}"], exact=True).click()
        sheet.page.wait_for_timeout(100)
        assert sheet.ev(player) == before, tab
    for texts, locale in ((ENGLISH, "en-US"), (RUSSIAN, "ru-RU")):
        phone = open_sheet(link="example=crow", locale=locale, **SIZES["phone"])
        rows = {phone.page.get_by_role("tab", name=texts[f"page.tab_{tab}"], exact=True).bounding_box()["y"] for tab in TABS}
        assert len(rows) == 2


HEADER = """[...document.querySelectorAll(`.sg-sources > *, .sg-play, .sg-time, .sg-playback-menu, .sg-about-sound, .sg-welcome,
    .sg-language`)].filter((one) => one.checkVisibility()).map((one) => {
        const { left, right, top, bottom } = one.getBoundingClientRect();
        return [one.className, left, right, top, bottom]; })"""


@pytest.mark.parametrize("locale", ["en-US", "ru-RU"])
@pytest.mark.parametrize("size", ["phone", "phone on its side"])
def test_recording_fits_into_the_header(open_sheet, size, locale):
    sheet = open_sheet(link="example=crow", locale=locale, **SIZES[size])
    sheet.until(DRAWN)

    def look() -> set[str]:
        boxes = sheet.ev(HEADER)
        for at, (name, left, right, top, bottom) in enumerate(boxes):
            assert left >= 0 and right <= SIZES[size]["viewport"]["width"], name
            if name == "sg-language":
                continue  # its target reaches into the gaps around it
            for other, its_left, its_right, its_top, its_bottom in boxes[at + 1 :]:
                apart = its_left >= right or its_right <= left or its_top >= bottom or its_bottom <= top
                assert apart or other == "sg-language", (name, other)
        return {name for name, *_ in boxes}

    assert {"sg-example", "sg-round sg-play"} <= look()
    before = sheet.page.locator(".sg-record").bounding_box()
    sheet.page.locator(".sg-record").tap()
    expect(sheet.page.locator(".sg-sources .sg-hint")).to_contain_text(re.compile(r":0[1-9]"))
    assert {"sg-meter", "sg-hint"} <= look()
    assert sheet.page.locator(".sg-record").bounding_box()["x"] == before["x"]  # a second tap ends it
    sheet.page.locator(".sg-record").tap()
    expect(sheet.page.locator(".sg-example")).to_be_visible()


@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_notes_on_parameters_move_nothing(open_sheet, size):
    sheet = open_sheet(link="example=crow", **SIZES[size])
    sheet.until(DRAWN)
    slider = sheet.page.locator("#mel [data-field=n_fft] input[type=range]")
    slider.focus()
    before = [slider.bounding_box(), sheet.ev("viewer.plot.getBoundingClientRect().toJSON()")]
    notes = sheet.page.locator("#mel .sg-note").count()
    slider.press("Home")
    sheet.until("(notes) => document.querySelectorAll('#mel .sg-note').length > notes", notes)
    assert [slider.bounding_box(), sheet.ev("viewer.plot.getBoundingClientRect().toJSON()")] == before
    expect(sheet.page.locator("#mel .sg-note").first).to_be_in_viewport()


def test_waveform_above_the_spectrogram(open_sheet):
    sheet = open_sheet(link="example=crow", **LAPTOP)
    sheet.until(DRAWN)
    strip = "document.querySelector('#mel .sg-wave-strip')"
    painted = (
        f"(() => {{ const c = {strip}.querySelector('canvas'); return new Uint32Array(c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data.buffer).reduce((sum, pixel) => (Math.imul(sum, 31) + pixel) | 0, 0); })()"
    )
    edges = f"(({{ left, right }}) => [left, right])({strip}.getBoundingClientRect())"
    plot = (
        "(() => { const { left, width } = viewer.area(), x = viewer.plot.getBoundingClientRect().left + left;"
        " return [x, x + width]; })()"
    )
    assert sheet.ev(edges) == pytest.approx(sheet.ev(plot), abs=1)  # one time axis
    sheet.until(f"{painted} !== 0")
    whole = sheet.ev(painted)
    sheet.ev("session.show(1, 2)")
    sheet.until(f"(whole) => ![0, whole].includes({painted})", whole)
    left, right = sheet.ev(edges)
    sheet.page.mouse.click(left + 0.25 * (right - left), sheet.ev(f"{strip}.getBoundingClientRect().top") + 5)
    sheet.until("Math.abs(session.audio.currentTime - 1.25) < 0.02")
    sheet.page.click("#mel [data-do=display]")
    sheet.page.select_option("#mel .sg-second-view", "none")
    expect(sheet.page.locator("#mel .sg-wave-strip")).to_be_hidden()
    phone = open_sheet(link="example=crow", **SIZES["phone"])
    phone.until(DRAWN)
    expect(phone.page.locator("#mel .sg-wave-strip")).to_be_hidden()


@pytest.mark.parametrize("seconds", [0.02, 0.07])
def test_strip_of_a_short_tone_is_its_wave(open_sheet, tmp_path, seconds):
    """More samples than pixels, and columns of less than a period: no column reaches both peaks."""
    sheet = open_sheet(**LAPTOP)
    sheet.open_file(sounds.write(tmp_path / "short.wav", sounds.tone(1_000.0, seconds), 44_100))
    painted = """() => { const canvas = document.querySelector('#mel .sg-wave-strip canvas');
        const row = (share) => { const y = Math.round(share * canvas.height);
            const { data } = canvas.getContext('2d').getImageData(0, y, canvas.width, 1);
            return Array.from({ length: canvas.width }, (_, x) => data[4 * x + 3] > 60); };
        const [above, below] = [row(0.2), row(0.8)];
        return [above, below, above.map((one, x) => one && below[x])].map((all) => all.filter(Boolean).length); }"""
    sheet.until(f"({painted})()[0] > 20")
    above, below, both = sheet.ev(painted)
    assert below == pytest.approx(above, rel=0.3)
    assert both == 0


def test_zoom_of_the_strip_draws_what_is_loaded(open_sheet):
    sheet = open_sheet(link="example=crow", **LAPTOP)
    sheet.until(DRAWN)
    sheet.ev("() => new Promise((done) => setTimeout(done, 500))")
    sheet.ev(
        """() => { const { wave_view: view } = viewer.server; window.asked = [];
            viewer.server = { ...viewer.server, wave_view: (query) => { asked.push(query); return view(query); } }; }"""
    )
    for start, end in ((1, 4), (1.5, 4.5), (0, 2.6)):
        sheet.ev("([start, end]) => session.show(start, end)", [start, end])
        sheet.ev("() => new Promise((done) => setTimeout(done, 400))")
    assert sheet.ev("asked") == []
    moved = "() => { for (const end of [2, 1.8, 1.6]) session.show(1, end); return asked.length; }"
    assert sheet.ev(moved) == 0  # not within the gesture
    sheet.until("asked.length === 1")  # closer up there are more samples
    assert sheet.ev("asked[0].end") == 1.6
    sheet.ev("session.show(2, 2.6)")
    sheet.until("asked.length === 2")  # nothing of it is loaded

    sheet.load("viewer/waveform_drawing", "drawing")
    pooled, asked_for = sheet.ev(
        """async () => {
            const { request } = soundglass['core/rpc.js'];
            const view = async (columns) => {
                const query = { sound: session.state.sound.id, start: 0, end: 5, columns };
                return drawing.decodeWaveform(await request(viewer.server.wave_view, query));
            };
            const pooled = drawing.wavePart(await view(1000), { start: 0, end: 5 }, 500);
            return [pooled, await view(500)].map(({ values }) => [...values]); }"""
    )
    assert pooled[:1000] == asked_for[:1000]  # minima and maxima
    assert pooled[1000:] == pytest.approx(asked_for[1000:], rel=2e-3)

    drawn = sheet.ev(  # of 4 to 6 s the first half is loaded: neither peaks nor RMS are drawn in the other
        """async () => {
            const { request } = soundglass['core/rpc.js'];
            const query = { sound: session.state.sound.id, start: 0, end: 5, columns: 1000 };
            const data = drawing.decodeWaveform(await request(viewer.server.wave_view, query));
            const canvas = new OffscreenCanvas(200, 50);
            const context = canvas.getContext('2d');
            const style = { getPropertyValue: (name) => (name === '--sg-accent' ? '#f00' : '#000') };
            const part = drawing.wavePart(data, { start: 4, end: 6 }, 100);
            drawing.paintWaveform(context, part, { left: 0, top: 0, width: 200, height: 50 }, (time) => 100 * (time - 4), style);
            const red = (left) => context.getImageData(left, 0, 98, 50).data.filter((value, i) => i % 4 === 0 && value).length;
            return [red(0), red(102)];
        }"""
    )
    assert drawn[0] > 98 and drawn[1] == 0


def test_second_view_on_one_time_axis(open_sheet):
    sheet = open_sheet(link="example=crow", **LAPTOP)
    sheet.until(DRAWN)
    page, pane = sheet.page, "document.querySelector('#mel .sg-second').component"
    page.click("#mel [data-do=display]")
    page.select_option("#mel .sg-second-view", "stft")
    page.keyboard.press("Escape")
    sheet.until(f"{pane}.current() && {pane}.data.rows === 1025")
    edges = "((one) => [1, 4].map((time) => one.plot.getBoundingClientRect().left + one.xOf(time)))"
    assert sheet.ev(f"{edges}({pane})") == pytest.approx(sheet.ev(f"{edges}(viewer)"), abs=0.5)
    expect(page.locator("#mel .sg-wave-strip")).to_be_hidden()
    assert sheet.ev("viewer.plot.getBoundingClientRect().bottom") < LAPTOP["viewport"]["height"]
    page.fill("#sg-n_fft", "1024")  # both follow parameters, zoom and selection
    sheet.until(f"viewer.data.request.config.n_fft === 1024 && {pane}.data.rows === 513")
    box = page.locator("#mel .sg-second .sg-plot").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    drawn = sheet.ev(KEEP_PIXELS.replace("viewer", pane))
    page.mouse.wheel(0, -600)
    sheet.until("session.state.visible.end - session.state.visible.start < 4")
    assert sheet.ev(CHANGED_PIXELS.replace("viewer", pane)) > 0.2 * drawn
    assert sheet.ev(f"{edges}({pane})") == pytest.approx(sheet.ev(f"{edges}(viewer)"), abs=0.5)
    expect(page.locator("#mel .sg-readout").last).to_contain_text("Hz")  # of what is pointed at in the second view
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2 + 40, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    sheet.until("session.state.selection?.low_hz > 0")
    sheet.until("location.hash.includes('second=stft')")
    page.fill("#sg-top_db", "-5")
    expect(page.locator("#mel .sg-second .sg-empty")).to_contain_text("top_db")
    page.fill("#sg-top_db", "60")
    sheet.until(f"{pane}.current() && {pane}.data.high_db - {pane}.data.low_db < 61")
    page.get_by_role("tab", name=ENGLISH["page.tab_wave"], exact=True).click()
    sheet.until("document.querySelector('#wave .sg-second')?.component.current()")
    page.get_by_role("tab", name=ENGLISH["page.tab_stft"], exact=True).click()  # on its own tab it has the other one above it
    sheet.until("document.querySelector('#stft .sg-second')?.component.data?.rows === 128")
    sheet.ev("(link) => { location.hash = link; }", "example=crow&view=stft&second=stft")  # which other one is not said
    expect(page.locator("#stft .sg-wave-strip")).to_be_visible()
    expect(page.locator("#stft .sg-second")).to_have_count(0)


def test_pair_of_views_over_a_reload(open_sheet):
    """The tab of the second view has the first one above it, also where the second is the one of a first visit."""
    sheet = open_sheet(link="example=crow&view=stft", **LAPTOP)
    sheet.until("document.querySelector('#stft .sg-viewer')?.component?.current()")
    sheet.page.click("#stft [data-do=display]")
    for second in ("mel", "wave"):
        sheet.page.select_option("#stft .sg-second-view", second)
    sheet.until("new URLSearchParams(location.hash.slice(1)).get('second') === 'wave,stft'")
    sheet.page.reload()
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_wave"], exact=True).click()
    sheet.until("document.querySelector('#wave .sg-second')?.component?.view === 'stft'")


def test_files_of_the_first_view(open_sheet):
    """Script, styles and the texts of one language are fetched, once, compressed, and kept; a tab brings the other modules."""
    sheet = open_sheet()
    entries = (
        "performance.getEntriesByType('resource').map((entry) => entry.name).filter((name) => name.includes('/soundglass/'))"
    )
    fetched = sheet.ev(entries)
    assert sorted(url.rpartition("/")[2] for url in fetched) == ["first.js", "styles.css", "texts-en.json"]
    for url in fetched:
        headers = sheet.ev("(url) => fetch(url).then(({ headers }) => Object.fromEntries(headers))", url)
        assert "immutable" in headers["cache-control"] and headers["content-encoding"] in ("br", "gzip")
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_about"], exact=True).click()
    sheet.until("document.querySelector('.sg-about')?.component")
    assert [url.rpartition("/")[2] for url in sheet.ev(entries) if url not in fetched] == ["others.js"]


def test_gradio_files_are_named_ahead(open_sheet):
    """The head of the page names the files of Gradio that the page comes to need by itself, and no others."""
    sheet = open_sheet()
    page = sheet.page

    def unnamed(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub(r'<link rel="\w+" (disabled )?href="assets/[^>]*>', "", answer.text()))

    fetched = """performance.getEntriesByType('resource').map(({ name }) => name.split('/assets/')[1]).filter(Boolean)"""
    named = {name for name in first_files() if name.endswith(".js")} | {first_styles()[0]}
    assert set(sheet.ev(fetched)) - named == set(re.findall(r'href="\./assets/([^"]+)"', page.content()))  # the template's own
    page.route(lambda url: urlsplit(url).path == "/", unnamed)
    page.reload()
    sheet.until(f"(names) => names.every((name) => {fetched}.includes(name))", first_files())
    assert set(sheet.ev(fetched)) - set(first_files()) == set(re.findall(r'href="\./assets/([^"]+)"', page.content()))


def test_style_sheet_is_understood(sheet):
    """A browser finds in the joined style sheet as many rules as in its parts, and the rules of keyframes outside of them."""
    parts = [(ASSETS / "css" / name).read_text(encoding="utf-8") for name in STYLES]
    found = sheet.ev(
        """(parts) => {
            const count = (rules) => [...rules ?? []].reduce((sum, rule) => sum + 1 + count(rule.cssRules), 0);
            const counts = parts.map((text) => {
                const one = new CSSStyleSheet();
                one.replaceSync(text);
                return count(one.cssRules);
            });
            const [joined] = [...document.styleSheets].filter(({ href }) => href?.endsWith('/styles.css'));
            const names = [...joined.cssRules].map(({ constructor }) => constructor.name);
            return [count(joined.cssRules) - 1, counts.reduce((sum, one) => sum + one), names];
        }""",
        parts,
    )
    assert found[0] == found[1] > 800
    assert found[2] == ["CSSKeyframesRule", "CSSStyleRule"]


def test_parts_that_could_not_be_loaded(open_sheet):
    """Where a script or the texts can't be had, the part says so, and can be tried again."""
    sheet = open_sheet(locale="ru-RU")
    page = sheet.page
    failed = page.locator("p.sg-error[role=alert]", has_text=RUSSIAN["page.part_failed"]).locator("visible=true")
    for files, host in (("others.js*", ".sg-classify"), ("texts-ru.json", ".sg-player")):
        page.route(f"**/{files}", lambda route: route.abort())
        if host == ".sg-player":
            page.reload()
        else:
            page.get_by_role("tab", name=RUSSIAN["page.tab_files"], exact=True).click()
            expect(failed).to_have_count(1)
            page.get_by_role("tab", name=RUSSIAN["page.tab_classify"], exact=True).click()  # of three parts
        expect(failed).to_have_count(1)
        assert sheet.complaints
        sheet.complaints.clear()
        page.unroute(f"**/{files}")
        failed.get_by_role("button", name=RUSSIAN["page.retry"]).click()
        sheet.until("(host) => document.querySelector(host)?.component", host)
        expect(failed).to_have_count(0)
        sheet.until("!document.querySelector('.sg-files') || document.querySelector('.sg-files').component")  # all at once
    sheet.until("document.querySelector('.sg-viewer')?.component")  # what waited for the texts
