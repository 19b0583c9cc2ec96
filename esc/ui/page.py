"""The page: the player, and below it the tabs."""

from __future__ import annotations

import asyncio
import logging
import os
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from importlib import metadata
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from esc.audio.io import MAX_BYTES
from esc.classification.checkpoint_files.config import read_config
from esc.errors import CheckpointError
from esc.example_sounds import example_sounds
from esc.paths import ASSETS, DEFAULT_CHECKPOINT, ROOT
from esc.ui.api.declaration import declare_endpoints
from esc.ui.api.downloads import Downloads
from esc.ui.api.endpoints import Endpoints
from esc.ui.api.mcp import serve_tools
from esc.ui.i18n.catalogue import ENGLISH, MESSAGES
from esc.ui.i18n.language_switch import visitor_language
from esc.ui.inference.inference import loaded_digest
from esc.ui.server.events import CheckedBlocks
from esc.ui.server.middleware.page_head import CompressedPage, PageHead
from esc.ui.server.middleware.request_gate import RequestGate
from esc.ui.server.middleware.web_security import SecurityHeaders, health_route
from esc.ui.server.public.files import routes
from esc.ui.server.public.gradio_scripts import GradioScripts
from esc.ui.sessions.process_memory import release_freed_memory
from esc.ui.sessions.sound_store import MAX_SESSIONS
from esc.ui.sessions.temp_dir import make_temp_dir
from esc.ui.tabs.about_model import AboutModelTab
from esc.ui.tabs.base import Services
from esc.ui.tabs.batch import BatchTab
from esc.ui.tabs.classify import ClassifyTab
from esc.ui.tabs.compare import CompareTab
from esc.ui.tabs.learn import LearnTab
from esc.ui.tabs.live import LiveTab
from esc.ui.tabs.player import PlayerTab
from esc.ui.tabs.saliency import SaliencyTab
from esc.ui.tabs.similar_sounds import SimilarSoundsTab
from esc.ui.tabs.teach import TeachTab
from esc.ui.tabs.timeline import TimelineTab
from esc.ui.tabs.viewer import FIRST_VIEW, VIEWS, ViewerTab

CLEAN_EVERY_S = 10.0  # takes some 20 ms; busy visitors free 10 MB a second, which would stay in memory until then
MAX_THREADS = 100  # above the sum of the queues' limits, so that runs that wait for a turn delay no view
log = logging.getLogger(__name__)
# for print; in the style sheet all rules are nested, @page must not be
_HEAD = """<meta name="color-scheme" content="light dark">
<style>@page { size: A4 landscape; margin: 10mm; }
@media print {
    footer { display: none !important; } body { background: #fff !important; }
    .gradio-container { overflow: visible !important; }
}</style>"""


class Page(CheckedBlocks):
    """The app, with what its launch needs."""

    texts: gr.I18n
    public: list[BaseRoute]
    delete_old: Callable[[], None]  # of temporary files and sessions


def build_page(checkpoint: Path = DEFAULT_CHECKPOINT, index: Path | None = None) -> Page:
    """Return the whole app, not yet launched; see `launch_options` for the arguments of its `launch`.

    Parameters
    ----------
    checkpoint : path
        Folder of the checkpoint; it is read only when something is classified.
    index : path, optional
        Of the sounds for similarity search, from `python -m esc index`; the example sounds by default.
    """
    folder = make_temp_dir(ENGLISH["page.title"].lower())
    os.environ.setdefault("GRADIO_TEMP_DIR", str(folder / "gradio"))  # its default may be shared with other apps
    services = Services.create(folder, Path(get_upload_folder()), checkpoint)
    store = services.store
    downloads = Downloads(folder / "downloads")
    gr.set_static_paths([downloads.folder])  # served as they are: Gradio copies other files and keeps the copies
    texts = gr.I18n(**{language: _page_texts(texts) for language, texts in MESSAGES.items()})
    with Page(title=ENGLISH["page.title"], analytics_enabled=False) as page:
        tokens = gr.State({}, delete_callback=lambda held: store.close(held.get("token", "")))
        player_tab = PlayerTab(services)
        player = player_tab.component()
        _tabs(services, texts, index)
        gr.HTML(texts("footer"), html_template="<p>${value}</p>", apply_default_css=False, elem_id="footer")
        declare_endpoints(Endpoints(services, downloads))

        def begin(request: gr.Request) -> tuple[dict, dict]:
            """Begin a session in the visitor's language; it ends when the state is deleted."""
            session = store.new_session(visitor_language(request.cookies, request.headers))
            return {"token": session.token}, {"token": session.token}

        page.load(begin, None, [player, tokens], api_visibility="private", show_progress="hidden", queue=False)
    health = health_route(_version(), partial(loaded_digest, checkpoint))
    page.texts, page.public = texts, [health, *routes(folder / "playable", player_tab.texts)]

    def delete_old() -> None:
        services.delete_old()
        downloads.delete_old()
        release_freed_memory()

    page.delete_old = delete_old
    return page


def _tabs(services: Services, texts: gr.I18n, index: Path | None) -> None:
    with gr.Tabs(selected=FIRST_VIEW, overflow_behavior="wrap"):  # every tab is one press away at every width
        for view in VIEWS:
            with gr.Tab(texts(f"tab_{view}"), id=view, render_children=view == FIRST_VIEW):
                ViewerTab(services, view).component()
        with gr.Tab(texts("tab_classify"), render_children=True), gr.Column(elem_id="classify-tab"):
            TimelineTab(services).component()
            with gr.Row(elem_id="prediction"):
                ClassifyTab(services).component()
                SaliencyTab(services).component()
            if index is not None or _knows_examples(services.checkpoint):
                SimilarSoundsTab(services, index).component()
        with gr.Tab(texts("tab_live")):
            LiveTab(services).component()
        with gr.Tab(texts("tab_compare")):
            CompareTab(services).component()
        with gr.Tab(texts("tab_teach"), render_children=True):
            TeachTab(services).component()
        with gr.Tab(texts("tab_files"), render_children=True):
            BatchTab(services).component()
        with gr.Tab(texts("tab_learn"), render_children=True):
            LearnTab(services).component()
        with gr.Tab(texts("tab_about"), render_children=True):
            about = AboutModelTab(services)
            about.component()
            about.card(texts("card"))


def _knows_examples(checkpoint: Path) -> bool:
    """Return whether example sounds are of a checkpoint's classes, and so comparable."""
    try:
        return bool(set(example_sounds()) & set(read_config(checkpoint).class_names))
    except CheckpointError:  # the page says so where something is classified
        return True


def launch_options(page: Page) -> dict:
    """Return the arguments of `page.launch`, all but host and port."""
    return {
        "theme": _theme(),
        "head": _HEAD,
        "favicon_path": str(ASSETS / "images" / "favicon.svg"),
        "i18n": page.texts,
        "max_file_size": MAX_BYTES,
        "strict_cors": True,
        "app_kwargs": {
            "routes": page.public,
            "middleware": [
                Middleware(CompressedPage),
                Middleware(PageHead),
                Middleware(SecurityHeaders),
                Middleware(RequestGate),
                Middleware(GradioScripts),
            ],
            "lifespan": partial(_cleaning, page.delete_old),
        },
        "footer_links": ["api"],
        "max_threads": MAX_THREADS,
        "state_session_capacity": MAX_SESSIONS,  # of some 0.1 MB each
        "enable_monitoring": False,
        "mcp_server": serve_tools(),
    }


@asynccontextmanager
async def _cleaning(delete_old: Callable[[], None], app: object) -> AsyncIterator[None]:
    """Delete old files and sessions regularly while the app runs."""

    async def work() -> None:
        while True:
            await asyncio.sleep(CLEAN_EVERY_S)
            try:
                await asyncio.to_thread(delete_old)
            except Exception:  # the next turn may succeed
                log.exception("cleaning failed")

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()


def _version() -> str:
    project = ROOT / "pyproject.toml"
    if not project.is_file():
        return metadata.version("soundglass")
    return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"]


def _page_texts(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that Gradio itself shows, without the "page." of their keys."""
    return {key.removeprefix("page."): text for key, text in texts.items() if key.startswith("page.")}


def _theme() -> gr.themes.Base:
    fonts = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]  # no font is fetched from elsewhere
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        font=fonts,
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "monospace"],
    ).set(body_text_color_subdued="*neutral_500", body_text_color_subdued_dark="*neutral_400")  # 4.5:1 and more
