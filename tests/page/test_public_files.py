"""Addresses of the public files, none with a path of the server, and the page's head."""

from pathlib import Path

import pytest
from gradio.route_utils import API_PREFIX, BUILD_PATH_LIB
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.testclient import TestClient

from esc.errors import PackageError
from esc.ui.i18n.catalogue import MESSAGES
from esc.ui.server.middleware.page_head import PageHead
from esc.ui.server.public import files as public_files
from esc.ui.server.public import gradio_scripts
from esc.ui.server.public.gradio_scripts import GradioScripts, first_files, first_styles


def test_addresses_hold_the_file_name_alone():
    assert public_files.playable_url(Path("/srv/private/a b#1.wav")) == "gradio_api/soundglass/sounds/a%20b%231.wav"
    assert public_files.example_url(Path("/srv/private/crow.flac")) == "gradio_api/soundglass/examples/crow.flac"


def test_missing_plotly_is_named(monkeypatch):
    assert public_files.plotly_script().is_file()
    monkeypatch.setattr(public_files, "find_spec", lambda name: None)
    with pytest.raises(PackageError, match="plotly"):
        public_files.routes(Path("playable"), dict)


def test_gradio_scripts():
    """They are the installed files, compressed and kept; what else is asked for is Gradio's to answer."""
    client = TestClient(GradioScripts(PlainTextResponse("Gradio", 404)))
    for name in first_files():
        installed = (Path(BUILD_PATH_LIB) / name).read_bytes()
        for encoding in ("br", "gzip", "identity"):
            answer = client.get(f"/assets/{name}", headers={"Accept-Encoding": encoding})
            assert answer.content == installed
            assert answer.headers.get("Content-Encoding", "identity") == encoding
            assert "immutable" in answer.headers["Cache-Control"] and answer.headers["X-Content-Type-Options"] == "nosniff"
    name, text = first_styles()
    assert client.get(f"/assets/{name}").text == text
    assert all((Path(BUILD_PATH_LIB) / name).read_text() in text for name in first_files() if name.endswith(".css"))
    for address in (
        "/assets/nothing.js",
        f"/assets/{'long' * 100}.js",
        "/assets/%2e%2e/gradio.js",
        "/assets/",
        "/static/img/logo.svg",
    ):
        assert client.get(address).status_code == 404


def test_gradio_of_another_build_is_not_named_ahead(monkeypatch, tmp_path):
    """Without the forms that are known the page loads as Gradio has it."""
    assert len(first_files()) > 20
    monkeypatch.setattr(gradio_scripts, "_FOLDER", tmp_path / "assets")
    assert first_files.__wrapped__() == ()
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<script src="./assets/main.js"></script>')
    assert first_files.__wrapped__() == ()
    (tmp_path / "assets" / "main.js").write_text("m.f=[`./part.js`,'./part.css']")
    assert first_files.__wrapped__() == ("main.js",), "names without files are left out"


def test_addresses_pass_the_front_server_of_ssr():
    addresses = (
        public_files.script_url("first"),
        public_files.texts_url("en"),
        public_files.PLOTLY,
        public_files.playable_url(Path("a")),
        public_files.example_url(Path("a")),
        public_files.PREVIEW,
    )
    assert all(f"/{address}".startswith(f"{API_PREFIX}/") for address in addresses)


@pytest.mark.parametrize("language", ("en", "ru"))
def test_preview_of_a_link_is_the_apps_own(language):
    """What messengers show of a link, from Gradio's own page, which names Gradio and a picture of another host."""
    gradio_page = (Path(BUILD_PATH_LIB).parent / "index.html").read_text().split("<script>")[0]
    assert "@Gradio" in gradio_page and "githubusercontent" in gradio_page
    client = TestClient(PageHead(HTMLResponse(gradio_page + "</head>")))
    page = client.get("/", headers={"Accept-Language": language, "Host": "sound.example"}).text
    head = page[page.index("</script>") :]
    assert "gradio" not in head.lower().replace("gradio_api/", "") and "githubusercontent" not in head
    texts = MESSAGES[language]
    address = "http://sound.example/"
    for element in (
        f'<meta name="description" content="{texts["page.description"]}">',
        f'<meta property="og:description" content="{texts["page.description"]}">',
        '<meta property="og:title" content="Soundglass">',
        f'<meta property="og:image" content="{address}{public_files.PREVIEW}">',
    ):
        assert page.count(element) == 1, element
    assert 'name="viewport"' in page
