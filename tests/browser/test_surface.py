"""3D view in a real Chromium: camera, light, playhead and saved pages."""

import contextlib
import io

import av
import librosa
import numpy as np
import pytest
import soundfile
from PIL import Image
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import expect

from chromium import FLAGS, WAIT_MS, Sheet
from esc.ui.i18n.catalogue import ENGLISH
from esc.ui.server.public.files import plotly_script

pytestmark = pytest.mark.browser
RATE = 22_050
CAMERA = "Object.values(viewer.stage._fullLayout.scene._scene.getCamera().eye).map((v) => v.toFixed(3)).join()"
LANDED = f"Object.values(viewer.camera.eye).map((v) => v.toFixed(3)).join() === {CAMERA} && !window.flying"


@pytest.fixture(scope="module")
def tone_wav(tmp_path_factory):
    times = np.arange(4 * RATE) / RATE
    path = tmp_path_factory.mktemp("surface") / "tone.wav"
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 1000 * times) * (times >= 2), RATE, "PCM_16")
    return path


@pytest.fixture
def surface(open_sheet, tone_wav):
    sheet = open_sheet(reduced_motion="reduce", accept_downloads=True)
    sheet.page.context.set_default_timeout(60_000)  # WebGL without a GPU
    sheet.open_file(tone_wav)
    enter(sheet)
    return sheet


def enter(sheet):
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_surface"], exact=True).click()
    sheet.until("document.querySelector('.sg-viewer[data-view=surface]')?.component?.drawn > 0")
    sheet.ev("() => { window.viewer = document.querySelector('.sg-viewer[data-view=surface]').component; }")


def choose(sheet, selector, value):
    """Choose from the display panel."""
    panel = sheet.page.locator(".sg-viewer[data-view=surface] .sg-panel").first
    if not panel.is_visible():
        sheet.page.click(".sg-viewer[data-view=surface] [data-do=display]")
    panel.locator(selector).select_option(value)


def test_camera_survives_new_data(surface, tone_wav):
    sheet = surface
    first = sheet.ev(CAMERA)
    corner, above = (sheet.page.locator(f"[data-choice={name}]") for name in ("corner", "above"))
    expect(corner).to_have_attribute("aria-pressed", "true")
    above.click()
    expect(above).to_have_attribute("aria-pressed", "true")
    expect(corner).to_have_attribute("aria-pressed", "false")
    sheet.until(f"(before) => {CAMERA} !== before", first)
    above_eye = sheet.ev(CAMERA)
    box = sheet.page.locator(".sg-surface").bounding_box()
    sheet.page.mouse.move(box["x"] + 300, box["y"] + 300)
    sheet.page.mouse.down()
    sheet.page.mouse.move(box["x"] + 380, box["y"] + 240, steps=5)
    sheet.page.mouse.up()
    sheet.until(f"(before) => {CAMERA} !== before", above_eye)
    sheet.until(LANDED)
    turned = sheet.ev(CAMERA)
    assert sheet.ev("viewer.camera.up") == {"x": 0, "y": 0, "z": 1}, "the level axis stays upright"
    expect(above).to_have_attribute("aria-pressed", "false")
    drawings = sheet.ev("viewer.drawn")
    sheet.page.fill("#sg-surface-n_mels", "64")
    sheet.until("(before) => viewer.drawn > before && viewer.data.rows === 64", drawings)
    assert sheet.ev(CAMERA) == turned
    heights = np.array(sheet.ev("viewer.stage.data[0].z.map((row) => Math.max(...row))"))
    assert heights.max() == pytest.approx(sheet.ev("viewer.data.high_db"), abs=0.4)  # the peak stands
    floor = sheet.ev("(([surface, floor]) => [floor.surfacecolor, surface.z, [...new Set(floor.z.flat())]])(viewer.stage.data)")
    assert floor[0] == floor[1], "the shadow is the spectrogram"
    assert len(floor[2]) == 1 and floor[2][0] < sheet.ev("viewer.data.low_db")
    asked = len(sheet.requests)
    choose(sheet, ".sg-colours", "viridis")
    choose(sheet, ".sg-light", "glossy")
    sheet.until("viewer.stage._fullData[0].lighting.specular > 0.5")
    sheet.page.locator(".sg-viewer[data-view=surface] .sg-height").fill("1")
    sheet.until("viewer.stage._fullLayout.scene.aspectratio.z === 1.3")  # and the gap above the floor
    assert len(sheet.requests) == asked  # the browser's own
    sheet.ev("session.show(1.5, 2.5, { frequencyRange: { low_hz: 500, high_hz: 2000 } })")
    sheet.until("viewer.data.start > 1 && viewer.data.centres_hz[0] >= 500 && viewer.data.centres_hz.at(-1) <= 2000")
    sheet.ev("session.show(1.5, 2.5, { frequencyRange: null })")
    sheet.until("viewer.data.centres_hz.at(-1) > 9000")
    sheet.ev("viewer.turn(0, 0, 0.4)")  # from near
    sheet.until("viewer.data.request.columns === 640")
    sheet.ev("viewer.turn(0, 0, 2.5)")
    sheet.until("viewer.data.request.columns === 320")
    turned = sheet.ev(CAMERA)
    sheet.page.click("[data-choice=stft]")
    sheet.until("viewer.data.of === 'stft'")
    assert sheet.ev("viewer.stage._fullData[0].y.at(-1)") > 10_000  # in Hz, up to half the rate
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    enter(sheet)
    assert sheet.ev(CAMERA) == turned


def test_stft_surface_ignores_impossible_mel_fields(surface):
    sheet = surface
    refusal = sheet.page.locator("#surface .sg-refusal")
    sheet.page.fill("#sg-surface-fmin", "9000")
    sheet.page.fill("#sg-surface-fmax", "4000")
    expect(refusal).to_be_visible()
    sheet.page.click("[data-choice=stft]")
    sheet.until("viewer.data.of === 'stft'")
    expect(refusal).to_be_hidden()
    sheet.page.click("[data-choice=mel]")
    expect(refusal).to_be_visible()


def test_plotly_internals_for_the_playhead(chromium):
    """The playhead in 3D reads these private fields: an update of Plotly that moves them fails here."""
    page = chromium.new_page()
    try:
        page.set_default_timeout(60_000)  # WebGL without a GPU
        page.set_content("<div id=stage style='width: 300px; height: 200px'></div>")
        page.add_script_tag(path=plotly_script())
        page.evaluate("Plotly.newPlot('stage', [{ type: 'surface', z: [[0, 1], [2, 3]] }])")
        internals = page.evaluate(
            """() => { const { glplot, dataScale } = document.querySelector('#stage')._fullLayout.scene._scene;
                const { model, view, projection } = glplot.cameraParams;
                return { matrices: [model, view, projection].map((matrix) => matrix.length), scale: dataScale.length,
                    hook: 'onrender' in glplot }; }"""
        )
        assert internals == {"matrices": [16, 16, 16], "scale": 3, "hook": True}
    finally:
        page.close()


def position_of_tone(sheet, time):
    """Return the position on screen of 1 kHz in the profile at a time."""
    sheet.ev("(time) => session.seek(time)", time)
    sheet.until("(time) => Math.abs(viewer.playhead.drawn?.time - time) < 0.01", time)
    row = np.abs(np.array(sheet.ev("viewer.data.centres_hz")) - 1000).argmin()
    return sheet.ev("(row) => viewer.playhead.drawn.profile[row]", int(row))


def test_playhead_plane_follows_and_click_seeks(surface):
    sheet = surface
    drawings = sheet.ev("viewer.drawn")
    sheet.ev("session.seek(2.5)")
    sheet.until("Math.abs(viewer.playhead.drawn?.time - 2.5) < 0.01")
    sheet.ev("viewer.plot.scrollIntoView({ block: 'center' })")
    box = sheet.page.locator(".sg-surface").bounding_box()
    ridge, before = (position_of_tone(sheet, time) for time in (2.5, 1.5))
    sheet.ev("session.seek(0.2)")  # out of the way
    sheet.until("Math.abs(viewer.playhead.drawn?.time - 0.2) < 0.01")
    picture = Image.open(io.BytesIO(sheet.page.screenshot())).convert("L")
    light, dark = (picture.getpixel((round(box["x"] + x), round(box["y"] + y))) for x, y in (ridge, before))
    assert light > 150 > 80 > dark  # the plane is where WebGL has drawn its time: the tone is from 2 s on
    sheet.ev("session.togglePlay()")
    sheet.until("viewer.playhead.drawn.time > 2.6")
    sheet.ev("session.audio.pause()")
    assert sheet.ev("viewer.drawn") == drawings  # the surface was not drawn anew
    x, y = box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5
    sheet.page.mouse.move(x - 3, y - 3)
    sheet.page.mouse.move(x, y)
    sheet.until("viewer.hovered !== null")
    pointed = sheet.ev("viewer.hovered")
    assert 0 < pointed < 4
    sheet.ev("session.seek(0)")
    sheet.page.mouse.click(x, y)
    sheet.until("(time) => Math.abs(session.audio.currentTime - time) < 0.1", pointed)
    sheet.ev("session.show(3, 4)")
    sheet.until("viewer.data.start > 2.5 && viewer.playhead.drawn === null")  # it is elsewhere


def test_pointer_reads_the_frequency_of_its_place(surface):
    """The frequency in the label is that of the place on Plotly's axis, in mel."""
    sheet = surface
    sheet.ev(
        """() => { window.read = []; viewer.plot.scrollIntoView({ block: 'center' });
            viewer.stage.on('plotly_hover', ({ points: [{ y, customdata: hz }] }) => { window.read.push([y, hz]); }); }"""
    )
    box = sheet.page.locator(".sg-surface").bounding_box()
    for share_x, share_y in ((0.4, 0.5), (0.5, 0.5), (0.5, 0.6), (0.6, 0.55), (0.45, 0.6)):
        before = len(sheet.ev("read"))
        sheet.page.mouse.move(box["x"] + share_x * box["width"], box["y"] + share_y * box["height"])
        with contextlib.suppress(PlaywrightTimeoutError):
            sheet.page.wait_for_function("(before) => read.length > before", arg=before, timeout=5_000)
    read = np.array(sheet.ev("read"), dtype=float)
    assert len(read) >= 3 and len(np.unique(read[:, 0])) > 1
    centres = np.array(sheet.ev("viewer.data.centres_hz"))
    nearest = centres[np.abs(librosa.hz_to_mel(centres) - read[:, 0, None]).argmin(axis=1)]
    np.testing.assert_allclose(read[:, 1], nearest)
    sheet.until("(label) => viewer.stage.textContent.includes(label)", f"· {read[-1, 1]:.0f} Hz ·")


def test_hidden_surface_redrawn_error_clears(surface):
    sheet, mel = surface, "document.querySelector('.sg-viewer[data-view=mel]')"
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    sheet.ev("session.seek(2.5)")
    sheet.ev(
        f"""() => {{ const colours = {mel}.querySelector('.sg-colours');
            colours.value = 'viridis'; colours.dispatchEvent(new Event('change')); }}"""
    )
    drawn = "JSON.stringify(viewer.stage._fullData[0].colorscale)"
    before, drawings = sheet.ev(drawn), sheet.ev("viewer.drawn")
    sheet.ev("() => { window.before = viewer.data; }")
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_surface"], exact=True).click()
    sheet.until("(before) => viewer.drawn > before", drawings)
    assert sheet.ev(drawn) != before
    sheet.until("Math.abs(viewer.playhead.drawn?.time - 2.5) < 0.01")
    assert sheet.ev("viewer.data === window.before"), "nobody was asked"
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
    sheet.ev("session.seek(1)")
    sheet.page.get_by_role("tab", name=ENGLISH["page.tab_surface"], exact=True).click()
    sheet.until("Math.abs(viewer.playhead.drawn?.time - 1) < 0.01")
    assert sheet.ev("viewer.drawn") == drawings + 1, "the head alone moved"
    sheet.ev("() => { viewer.server = { surface_view: async () => ({ error: 'refused here' }) }; }")
    sheet.choose_example("crow")
    expect(sheet.page.locator(".sg-message")).to_contain_text("refused here")
    expect(sheet.page.locator(".sg-viewer[data-view=surface] .sg-empty")).to_be_visible()
    assert sheet.ev("viewer.data") is None


def test_shortcuts_turn_the_camera_and_labels_lie_below(surface):
    sheet = surface
    sheet.page.focus(".sg-viewer[data-view=surface] .sg-plot")
    before = sheet.ev(CAMERA)
    sheet.page.keyboard.press("d")
    sheet.until(f"(before) => {CAMERA} !== before", before)
    sheet.page.keyboard.press("?")
    sheet.page.get_by_text(ENGLISH["surface.turn_left"]).wait_for()
    sheet.page.keyboard.press("Escape")
    eye = sheet.ev(CAMERA)
    sheet.load("core/labels", "labels")
    sheet.load("core/detections", "detections")
    sheet.ev("session.select({ start: 1, end: 2 })")
    sheet.page.keyboard.press("n")  # names the selection, as in the other views
    sheet.page.keyboard.type("tone")
    sheet.page.keyboard.press("Enter")
    mark = sheet.page.locator("#surface .sg-label-track .sg-mark")
    expect(mark).to_have_text("tone")
    track, box = (one.bounding_box() for one in (sheet.page.locator("#surface .sg-label-track"), mark))
    sheet.page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 10)
    sheet.page.mouse.down()
    sheet.page.mouse.move(track["x"] + 0.75 * track["width"], box["y"] + 10, steps=3)
    sheet.page.mouse.up()
    assert sheet.ev("labels.labels.now.list.map(({ start, end }) => [start, end])") == [[1, pytest.approx(3, abs=0.02)]]
    timeline = {"segments": [["siren", 2, 3.5, 0.9]], "silences": [], "uncertain": [], "totals": [], "overall": None}
    sheet.ev("(timeline) => detections.setTimeline({ ...timeline, stage: 'done' })", timeline)
    sheet.page.click("#surface .sg-lanes .sg-mark")
    sheet.until("session.audio.currentTime >= 2")
    sheet.page.click("#surface .sg-review [data-do=accept]")
    expect(mark).to_have_count(2)
    assert sheet.ev(CAMERA) == eye, "no letter of the name turned it"


def test_saved_page_works_offline(surface, tmp_path):
    sheet = surface
    sheet.page.click(".sg-viewer[data-view=surface] [data-do=export]")
    with sheet.page.expect_download() as saving:
        sheet.page.click("[data-save=html]")
    page_file = tmp_path / saving.value.suggested_filename
    saving.value.save_as(page_file)
    assert page_file.name == "tone-3d.html"
    with sheet.page.expect_download() as saving:
        sheet.page.click("[data-save=screen_png]")
    saving.value.save_as(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    context = sheet.page.context.browser.new_context(offline=True)
    try:
        alone = context.new_page()
        alone.set_default_timeout(60_000)  # WebGL without a GPU
        wanted = []
        alone.on("request", lambda request: wanted.append(request.url))
        alone.goto(page_file.as_uri())
        alone.wait_for_function("document.querySelector('#surface canvas') && document.querySelector('#surface')._fullData")
        assert alone.title() == "tone.wav"
        heights = alone.evaluate("document.querySelector('#surface')._fullData[0].z.map((row) => Math.max(...row))")
        assert max(heights) == pytest.approx(sheet.ev("viewer.data.high_db"), abs=0.4)
        assert [url for url in wanted if not url.startswith(("file:", "data:", "blob:"))] == []
    finally:
        context.close()


def test_video_of_one_turn(surface, tmp_path):
    sheet = surface
    drawings = sheet.ev("viewer.drawn")
    for name, value in (("hop_length", "4096"), ("n_mels", "16")):  # a coarse surface is drawn fast
        sheet.page.fill(f"#sg-surface-{name}", value)
    sheet.until("(before) => viewer.drawn > before && viewer.data.rows === 16 && viewer.data.columns < 40", drawings)
    sheet.load("surface/turn_video", "video")
    camera = sheet.ev(CAMERA)
    with sheet.page.expect_download() as saving:
        sheet.ev("video.saveTurn(viewer, 'tone.wav', { seconds: 2, framesPerSecond: 24, width: 320, height: 180 })")
    assert saving.value.suggested_filename == "tone-3d.webm"
    saving.value.save_as(tmp_path / "turn.webm")
    with av.open(str(tmp_path / "turn.webm")) as file:
        assert (file.duration, file.streams.video[0].average_rate) == (2_000_000, 24)
        frames = [(frame.time, frame.to_ndarray(format="gray").astype(float)) for frame in file.decode(video=0)]
    assert [time for time, _ in frames] == pytest.approx([i / 24 for i in range(48)], abs=6e-4)
    first, quarter, middle, last = (frames[i][1].reshape(9, 20, 16, 20).mean((1, 3)) for i in (0, 12, 24, 47))
    assert min(np.abs(first - quarter).mean(), np.abs(first - middle).mean()) > 2
    assert np.abs(first - last).mean() < 0.4 * np.abs(first - quarter).mean()  # 7.5 degrees from the next turn's first
    assert sheet.ev(CAMERA) == camera
    sheet.page.click(".sg-viewer[data-view=surface] [data-do=export]")
    sheet.page.click("[data-save=webm]")
    expect(sheet.page.locator("[data-save=webm]")).to_be_hidden()  # the menu would lie over the progress
    sheet.page.get_by_text(ENGLISH["surface.video_cancel"], exact=True).click()
    sheet.until("!document.querySelector('.sg-video, .sg-video-stage')")
    sheet.ev("() => { delete window.VideoEncoder; }")
    sheet.page.click(".sg-viewer[data-view=surface] [data-do=export]")
    sheet.page.click("[data-save=webm]")
    expect(sheet.page.locator(".sg-message")).to_contain_text(ENGLISH["surface.no_encoder"])


def test_print_has_the_surface(surface):
    """Of WebGL only what was drawn in the same task is printed."""
    drawn = """() => {
        window.dispatchEvent(new Event('beforeprint'));
        const { canvas } = viewer.stage._fullLayout.scene._scene.glplot;
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
        copy.drawImage(canvas, 0, 0);
        window.dispatchEvent(new Event('afterprint'));
        return copy.getImageData(0, 0, canvas.width, canvas.height).data.filter((value, i) => i % 4 === 3 && value).length;
    }"""
    assert surface.ev(drawn) > 10_000


def test_video_that_fails_leaves_no_stage(surface):
    sheet = surface
    sheet.load("surface/turn_video", "video")
    for failure in (
        "VideoEncoder.prototype.configure = () => { throw new Error('no'); };",
        "Plotly.newPlot = async () => { throw new Error('no'); };",
    ):
        failed = f"""async () => {{ {failure}
            return video.saveTurn(viewer, 'tone.wav', {{ seconds: 1, framesPerSecond: 5, width: 320, height: 180 }})
                .catch((error) => [error.message, document.querySelectorAll('.sg-video, .sg-video-stage').length]); }}"""
        assert sheet.ev(
            f"(() => {{ const {{ configure }} = VideoEncoder.prototype; const made = ({failed})();"
            " return made.finally(() => { VideoEncoder.prototype.configure = configure; }); })()"
        ) == ["no", 0]


def test_message_without_webgl(chromium, chromium_path, server, tone_wav):
    browser = chromium.browser_type.launch(executable_path=chromium_path, args=[*FLAGS, "--disable-3d-apis"])
    try:
        sheet = Sheet(browser.new_page(locale="en-US"), server.url).start()
        sheet.page.set_default_timeout(WAIT_MS)
        sheet.open_file(tone_wav)
        sheet.page.get_by_role("tab", name=ENGLISH["page.tab_surface"], exact=True).click()
        sheet.page.get_by_text(ENGLISH["surface.no_webgl"]).wait_for()
        sheet.page.get_by_text(ENGLISH["surface.no_webgl_hint"]).wait_for()
        sheet.page.locator(".sg-viewer[data-view=surface] .sg-plot").press("d")
        sheet.page.get_by_role("tab", name=ENGLISH["page.tab_mel"], exact=True).click()
        assert sheet.ev("viewer.data.columns") > 0
        assert not sheet.page.locator(".sg-message").is_visible()
        assert sheet.complaints == []
    finally:
        browser.close()


def test_camera_key_ends_flight(surface):
    sheet = surface
    sheet.page.emulate_media(reduced_motion="no-preference")
    eye = sheet.ev(
        """() => { document.querySelector('.sg-viewer[data-view=surface] [data-choice=above]').click();
            viewer.turn(0.5, 0);
            return viewer.camera.eye; }"""
    )
    sheet.page.wait_for_timeout(1500)
    assert sheet.ev("viewer.camera.eye") == eye
    sheet.load("surface/camera", "camera")
    opened = sheet.ev(
        """async () => {
            viewer.camera = viewer.fitted(camera.CAMERAS.corner);
            const [{ eye: to }, { lookFrom }, eyes] = [viewer.camera, viewer, []];
            viewer.lookFrom = (next) => { eyes.push(next.eye.z); lookFrom.call(viewer, next); };
            camera.openWith(viewer);
            const { canvas } = viewer.playhead;
            const shown = [canvas.hidden];
            while (!(Math.abs(eyes.at(-1) - to.z) < 1e-6)) await new Promise((done) => { setTimeout(done, 50); });
            shown.push(canvas.hidden);
            camera.openWith(viewer);
            document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Shift', bubbles: true }));
            delete viewer.lookFrom;
            await null; // the ended flight shows the plane
            return { first: eyes[0], to: to.z, stopped: viewer.flight.signal.aborted, hidden: [...shown, canvas.hidden] };
        }"""
    )
    assert opened["first"] > opened["to"] + 0.3 and opened["stopped"]
    assert opened["hidden"] == [True, False, False]  # the playhead's plane, which would run ahead of the surface
    sheet.load("core/display_settings", "settings")
    drawings = sheet.ev("viewer.drawn")
    sheet.ev("settings.changeDisplay({ low: null, high: -90 }, false)")  # below the spectrogram's floor
    sheet.until("(before) => viewer.drawn > before", drawings)
    low, high = sheet.ev("['cmin', 'cmax'].map((name) => viewer.stage.data[0][name])")
    assert low < high
    sheet.ev(
        """() => { viewer.server = { surface_view: () => new Promise((done) => setTimeout(() => done({ error: 'late' }), 300)) };
            session.show(1, 2);
            viewer.destroy(); }"""
    )
    sheet.page.wait_for_timeout(800)  # a complaint fails the test
