"""The language of a visitor: the one chosen on the page, kept in a cookie, or the browser's."""

from __future__ import annotations

import json
from collections.abc import Mapping

from esc.ui.i18n.catalogue import LANGUAGES, language_of

LANGUAGE_COOKIE = "soundglass_language"

# Gradio and the page's modules read the language from `navigator`, before anything of the page is loaded
HEAD_SCRIPT = f"""<script>
(() => {{
  const chosen = document.cookie.match(/(?:^|; ){LANGUAGE_COOKIE}=(\\w+)/)?.[1];
  if (!{json.dumps(LANGUAGES)}.includes(chosen)) return;
  Object.defineProperty(navigator, 'language', {{ get: () => chosen, configurable: true }});
  Object.defineProperty(navigator, 'languages', {{ get: () => [chosen], configurable: true }});
}})();
</script>"""


def visitor_language(cookies: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the language of a request: of its cookie, else of its Accept-Language header."""
    chosen = cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in LANGUAGES else language_of(headers.get("accept-language", ""))
