"""Additions to the head of the page, and compression of the page."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape

from gradio.brotli_middleware import BrotliMiddleware
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from esc.ui.i18n.catalogue import LANGUAGES, MESSAGES
from esc.ui.i18n.language_switch import LANGUAGE_COOKIE, visitor_language
from esc.ui.server.public.files import PREVIEW, script_url, styles_url, texts_url
from esc.ui.server.public.gradio_scripts import first_files, first_styles
from esc.ui.server.public.scripts import FIRST

_FAILED = {language: [texts["page.part_failed"], texts["page.retry"]] for language, texts in MESSAGES.items()}

# Mounts a module of a script. A component whose script or mount fails says so, unless another one beside it does, with a button
# that tries all of them again. Browsers keep a failed import, so that a script is tried again at another address; the first
# one, which all others import, with the page.
_MOUNT = f"""
globalThis.mountModule = (() => {{
  const attempts = {{}};
  const failed = [];
  const load = (url) => import(attempts[url] ? `${{url}}?${{attempts[url]}}` : url).catch((error) => {{
    attempts[url] = (attempts[url] ?? 0) + 1;
    throw error;
  }});
  const again = () => {{
    if (!globalThis.soundglass) return location.reload();
    for (const line of document.querySelectorAll('.sg-unmounted')) line.remove();
    for (const parts of failed.splice(0)) globalThis.mountModule(...parts);
  }};
  const offer = (host) => {{
    if ([...document.querySelectorAll('.sg-unmounted')].some((line) => line.checkVisibility())) return;
    const [text, retry] = {json.dumps(_FAILED)}[language];
    const [line, button] = ['p', 'button'].map((tag) => document.createElement(tag));
    Object.assign(line, {{ className: 'sg-error sg-unmounted', role: 'alert', textContent: `${{text}} ` }});
    Object.assign(button, {{ className: 'sg-button', type: 'button', textContent: retry }});
    button.addEventListener('click', again);
    line.append(button);
    host.append(line);
  }};
  return async function mount(url, module, context) {{
    try {{
      const {{ modules }} = await load(url);
      await modules[module].mount(context.element, context);
    }} catch (error) {{
      console.error(module, error);
      failed.push([url, module, context]);
      offer(context.element);
    }}
  }};
}})();"""

# Gradio and the modules read the language from `navigator`, and Gradio's own `head` is inserted too late for that. The script
# and the texts are fetched while Gradio starts; the choice of texts is that of assets/js/lib/i18n.js.
HEAD = f"""<script>
(() => {{
  const chosen = document.cookie.match(/(?:^|; ){LANGUAGE_COOKIE}=(\\w+)/)?.[1];
  if ({json.dumps(LANGUAGES)}.includes(chosen)) {{
    Object.defineProperty(navigator, 'language', {{ get: () => chosen, configurable: true }});
    Object.defineProperty(navigator, 'languages', {{ get: () => [chosen], configurable: true }});
  }}
  const language = navigator.language?.toLowerCase().startsWith('ru') ? 'ru' : 'en';
  const href = {json.dumps({language: texts_url(language) for language in LANGUAGES})}[language];
  document.head.append(Object.assign(document.createElement('link'), {{ rel: 'preload', as: 'fetch', crossOrigin: '', href }}));
{_MOUNT}
}})();
</script>""".encode()
_GRADIO_PREVIEW = re.compile(rb'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')
_THEME = re.compile(rb'"theme_hash":\s*"(\w+)"')


def named_ahead(body: bytes) -> tuple[bytes, bytes]:
    """Return links to the scripts and to the style sheets that a page begins with."""
    files = first_files()
    foreign = not files or files[0].encode() not in body  # with SSR, as on Spaces, Gradio has other scripts
    scripts, styles = _links(() if foreign else files)
    theme = _THEME.search(body)
    return scripts + (b'<link rel="preload" as="style" href="theme.css?v=%b">' % theme[1] if theme else b""), styles


@cache
def _links(files: tuple[str, ...]) -> tuple[bytes, bytes]:
    scripts = [*(f"assets/{name}" for name in files if name.endswith(".js")), script_url(FIRST)]
    styles = [*([f"assets/{first_styles()[0]}"] if files else []), styles_url()]
    links = [f'<link rel="stylesheet" href="{url}">' for url in styles]
    # the joined one has them: Gradio's scripts load none that the page names, and browsers none that is disabled
    links += [f'<link rel="stylesheet" disabled href="assets/{name}">' for name in files if name.endswith(".css")]
    return "".join(f'<link rel="modulepreload" href="{url}">' for url in scripts).encode(), "".join(links).encode()


def preview(request: Request) -> bytes:
    """Return the elements (Open Graph) by which messengers show a link to the page."""
    texts, address = MESSAGES[visitor_language(request.cookies, request.headers)], str(request.base_url)
    about = {"title": texts["page.title"], "description": texts["page.description"]}
    named = {"description": about["description"], "twitter:card": "summary_large_image"}
    graph = about | {"type": "website", "url": address, "image": f"{address}{PREVIEW}"}
    elements = [f'<meta name="{name}" content="{escape(text)}">' for name, text in named.items()]
    elements += [f'<meta property="og:{name}" content="{escape(text)}">' for name, text in graph.items()]
    return "".join(elements).encode()


def is_page(scope: Scope) -> bool:
    """Return whether a request is for the page itself."""
    return scope["type"] == "http" and scope["path"] == "/"


class PageHead:
    """ASGI middleware that adds to the head of the page.

    Parameters
    ----------
    app : ASGIApp
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if not is_page(scope):
            await self._app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def sending(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            scripts, styles = named_ahead(body)
            body = _GRADIO_PREVIEW.sub(b"", body)
            body = body.replace(b"<head>", b"<head>" + scripts + HEAD, 1)
            body = body.replace(b"</head>", preview(Request(scope)) + styles + b"</head>", 1)
            headers = MutableHeaders(scope=start)
            if "content-length" in headers:
                headers["content-length"] = str(len(body))
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, sending)


class CompressedPage(BrotliMiddleware):
    """ASGI middleware that compresses the page itself, which holds the configuration of all its components."""

    def _is_compressible_file_type(self, scope: Scope) -> bool:
        return is_page(scope)
