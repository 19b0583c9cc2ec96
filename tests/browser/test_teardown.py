"""Teardown of the page's components: no listener or observer is left behind."""

from __future__ import annotations

import re

import pytest

from chromium import Sheet
from esc.ui.i18n.catalogue import ENGLISH
from esc.ui.server.public.scripts import FIRST, OTHERS, origins

pytestmark = pytest.mark.browser

# counts what listens to objects that outlive a component: window, document, the player and the shared events
COUNT = """
    window.listening = 0;
    const lasting = (target) => !(target instanceof Node) || target instanceof Audio || target === document;
    const add = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (name, listener, options) {
        const { signal } = options ?? {};
        if (signal && !signal.aborted && lasting(this)) {
            window.listening += 1;
            add.call(signal, 'abort', () => { window.listening -= 1; }, { once: true });
        }
        if (!signal && (this instanceof Audio || this.constructor === EventTarget)) {
            (window.endless ??= []).push(`${name} ${new Error().stack.split('\\n')[2]}`);
        }
        return add.call(this, name, listener, options);
    };
    window.observing = 0;
    for (const Observer of [ResizeObserver, IntersectionObserver]) {
        const { observe, disconnect } = Observer.prototype;
        Observer.prototype.observe = function (...args) { window.observing += 1; return observe.apply(this, args); };
        Observer.prototype.disconnect = function () { window.observing -= 1; return disconnect.call(this); };
    }
"""
HOSTS = {
    "player": ".sg-player", "classify": ".sg-classify", "timeline": ".sg-timeline", "saliency": ".sg-saliency",
    "similar sounds": ".sg-similar", "batch": ".sg-files", "live": ".sg-live", "compare": ".sg-compare", "about": ".sg-about",
    "learn": ".sg-learn",
}  # fmt: skip


def open_all(sheet: Sheet) -> None:
    """Open each tab that has a component, which mounts it, and the first one again."""
    for tab in ("classify", "live", "compare", "files", "learn", "about", "mel"):
        sheet.page.get_by_role("tab", name=ENGLISH[f"page.tab_{tab}"], exact=True).click()
    for host in HOSTS.values():
        sheet.until("(host) => document.querySelector(host)?.component", host)


@pytest.mark.parametrize("name", HOSTS)
def test_destroy_ends_listeners(open_sheet, name):
    sheet = open_sheet(prepare=COUNT)
    open_all(sheet)
    before = sheet.ev("window.listening + window.observing")
    left = sheet.ev(
        """(selector) => {
            const host = document.querySelector(selector);
            const { component } = host;
            component.destroy();
            const listening = window.listening + window.observing;
            return { aborted: component.signal.aborted, children: host.children.length, listening };
        }""",
        HOSTS[name],
    )
    assert left["aborted"] and left["children"] == 0
    assert left["listening"] < before
    if name == "player":
        return
    sheet.open_example("crow")  # the others go on, and nothing touches the destroyed one
    assert sheet.ev("(selector) => document.querySelector(selector).children.length", HOSTS[name]) == 0


def test_microphone_that_opens_too_late_is_closed(open_sheet):
    slow = """const media = navigator.mediaDevices;
        const ask = media.getUserMedia.bind(media);
        media.getUserMedia = async (wanted) => {
            await new Promise((done) => { window.allow = done; });
            return window.stream = await ask(wanted);
        };"""
    sheet = open_sheet(prepare=slow)
    sheet.page.click(".sg-record")
    sheet.until("Boolean(window.allow)")
    sheet.ev("document.querySelector('.sg-player').component.destroy()")
    sheet.ev("allow()")
    sheet.until("window.stream?.getTracks().every(({ readyState }) => readyState === 'ended')")


def test_networks_leave_no_listeners(open_sheet):
    """Tables that get other columns with another network have no more listeners than before."""
    sheet = open_sheet(prepare=COUNT)
    open_all(sheet)
    sheet.load("core/network", "networks")
    listening = "window.listening + window.observing"
    before = sheet.ev(listening)
    for choice in ("both", "app", "both"):
        sheet.ev("(choice) => networks.setNetwork({ classes: ['dog'] }, choice)", choice)
    assert sheet.ev(listening) == before
    columns = (
        "[...document.querySelectorAll(':is(.sg-segments, .sg-files) thead')].map((head) => head.querySelectorAll('th').length)"
    )
    assert sheet.ev(columns) == [7, 6]
    assert sheet.ev("document.querySelectorAll('.sg-files .sg-order option').length") == 10
    sheet.ev("networks.setNetwork(null, 'app')")
    assert sheet.ev(columns) == [6, 5]


def test_components_listen_by_signal(open_sheet):
    """Only the models of core and player listen to the player or to the shared events without end."""
    sheet = open_sheet(prepare=COUNT)
    open_all(sheet)
    endless = sheet.ev("window.endless ?? []")
    allowed = (
        "core/",
        "player/playback.js",
        "player/bandpass_filter.js",
        "player/clip_player.js",
        "viewer/parameters.js",
        "viewer/permalink.js",
        "viewer/harmonic_cursor.js",
    )
    places = [re.search(rf"/({FIRST}|{OTHERS})\.js:(\d+)", line) for line in endless]
    modules = [origins(place[1])[int(place[2]) - 1][0] for place in places if place]
    assert modules and [module for module in modules if not module.startswith(allowed)] == []
