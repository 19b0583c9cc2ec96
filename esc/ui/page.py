"""The page: player on top, a tab a view, and what ties them to the server."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from esc.audio.io import MAX_BYTES
from esc.example_sounds import example_sounds
from esc.paths import ASSETS, DEFAULT_CHECKPOINT
from esc.ui.api import endpoints
from esc.ui.api.mcp import serve_tools
from esc.ui.i18n.catalogue import ENGLISH, MESSAGES, language_of
from esc.ui.inference.timeline_runs import Hearings
from esc.ui.server.handlers import Handlers
from esc.ui.sessions.sound_store import SoundStore
from esc.ui.sessions.temp_dir import make_temp_dir
from esc.ui.sessions.uploaded_files import UploadedFiles
from esc.ui.tabs import classify, player, saliency, viewer
from esc.ui.tabs.about_model import About
from esc.ui.tabs.batch import Files
from esc.ui.tabs.live import Live
from esc.ui.tabs.similar_sounds import Neighbours
from esc.ui.tabs.timeline import Timelines

STYLES = (
    "base.css",
    "viewer_toolbar.css",
    "playback.css",
    "selection.css",
    "saliency.css",
    "about_model.css",
    "similar_sounds.css",
    "parameter_advice.css",
    "feature_overlays.css",
    "live.css",
    "timeline.css",
    "batch.css",
    "surface.css",
    "layout.css",
)  # in the order in which they apply
_CLEAN_EVERY_S, _KEEP_UPLOADS_S = 600, 1800  # an open sound has a link of its own
_HEAD = '<meta name="color-scheme" content="light dark">'


def build_page(checkpoint: Path = DEFAULT_CHECKPOINT, index: Path | None = None) -> gr.Blocks:
    """Return the whole app, not yet launched; see `launch_options` for what `launch` wants to know.

    Parameters
    ----------
    checkpoint : path
        Folder of the checkpoint that the classify tab uses; it is only read when it is first asked.
    index : path, optional
        Of the sounds that the open one is compared with, from `python -m esc index`; the example sounds where left out.
    """
    folder = make_temp_dir(ENGLISH["page.title"].lower())
    playable = folder / "playable"
    store = SoundStore(folder / "samples", playable)
    modules = _modules(folder / "modules")
    gr.set_static_paths([ASSETS, modules, playable, viewer.PLOTLY])
    examples = example_sounds()
    neighbours = Neighbours(store, checkpoint, index)
    hearings = Hearings(store, checkpoint)
    uploads = UploadedFiles(folder / "uploads")
    handlers = Handlers(store, Path(get_upload_folder()), examples, uploads)
    words = gr.I18n(**{language: _page_texts(texts) for language, texts in MESSAGES.items()})
    loader = {"assets": str(modules)}
    with gr.Blocks(title=ENGLISH["page.title"], delete_cache=(_CLEAN_EVERY_S, _KEEP_UPLOADS_S), analytics_enabled=False) as page:
        tokens = gr.State({}, delete_callback=lambda held: store.drop_when_idle(held.get("token", "")))
        gr.Markdown(words("header"), elem_id="header")
        sound = player.component(handlers, examples, loader)
        with gr.Tabs():
            first, *others = viewer.VIEWS
            with gr.Tab(words(f"tab_{first}"), render_children=True):
                viewer.component(first, handlers, loader)
            # second: a phone hides the last ones in a menu
            with gr.Tab(words("tab_classify"), render_children=True), gr.Column(elem_id="what"):
                Timelines(store, hearings).add_to(handlers, loader)
                with gr.Row(elem_id="said"):
                    verdict = classify.component(loader)
                    saliency.add(store, checkpoint, loader)
                similar = neighbours.component(loader)
            with gr.Tab(words("tab_live")):
                Live(checkpoint).component(handlers, loader)
            for view in others:
                with gr.Tab(words(f"tab_{view}")):
                    viewer.component(view, handlers, loader)
            with gr.Tab(words("tab_files"), render_children=True):
                Files(store, hearings, uploads, handlers).add_to(loader)
            with gr.Tab(words("tab_about"), render_children=True):
                About(store, checkpoint).component(handlers, loader)
        gr.Markdown(words("footer"), elem_id="footer")
        classify.wire(verdict, store, checkpoint)
        neighbours.wire(similar)
        endpoints.add(endpoints.Endpoints(store, checkpoint, folder, hearings))

        def begin(request: gr.Request) -> tuple[dict, dict]:
            """Begin a session in the browser's language; the state's deletion ends it."""
            session = store.new_session(language_of(request.headers.get("accept-language", "")))
            return {"token": session.token}, {"token": session.token}

        page.load(begin, None, [sound, tokens], api_visibility="private", show_progress="hidden", queue=False)
    page.i18n = words
    return page


def launch_options(page: gr.Blocks) -> dict:
    """Return what `page.launch` is called with beside host and port."""
    return {
        "theme": _theme(),
        "css_paths": [ASSETS / "css" / name for name in STYLES],
        "head": _HEAD,
        "i18n": page.i18n,
        "max_file_size": MAX_BYTES,
        "strict_cors": True,
        "footer_links": ["api"],
        "mcp_server": serve_tools(),
    }


def _modules(folder: Path) -> Path:
    """Copy the browser's modules to where no earlier version had its own: browsers may keep those, and mix them with ours."""
    shutil.copytree(ASSETS / "js", folder)
    return folder


def _page_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that Gradio itself shows, such as the names of tabs, without the "page." of their keys."""
    return {key.removeprefix("page."): text for key, text in texts.items() if key.startswith("page.")}


def _theme() -> gr.themes.Base:
    fonts = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]  # no font is fetched from elsewhere
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        font=fonts,
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "monospace"],
    ).set(body_text_color_subdued="*neutral_500", body_text_color_subdued_dark="*neutral_400")  # 4.5:1 and more
