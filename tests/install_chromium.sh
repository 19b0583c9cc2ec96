#!/bin/sh
# Make sure that the browser tests find a Chromium: the system's, else Playwright's own, else one installed by apt.
# Usage: sh tests/install_chromium.sh PYTHON (one that has Playwright)
set -eu
python=$1

system_chromium() {
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        # a name alone is not enough: Ubuntu's chromium-browser is a stub where snap is absent
        if "$name" --version 2>/dev/null; then return 0; fi
    done
    return 1
}

playwright_chromium() {
    "$python" - <<'PYTHON' 2>/dev/null
from playwright.sync_api import sync_playwright

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(args=["--no-sandbox"])
    print("Playwright's Chromium", browser.version)
    browser.close()
PYTHON
}

apt_chromium() {
    command -v apt-get >/dev/null || return 1
    as_root=""
    if [ "$(id -u)" != 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as_root="sudo -n"
    fi
    $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium
}

if system_chromium || playwright_chromium; then exit 0; fi
echo "No Chromium on the PATH: trying Playwright's own."
if "$python" -m playwright install chromium && playwright_chromium; then exit 0; fi
echo "Playwright's Chromium could not be fetched or does not start: trying apt."
if apt_chromium && system_chromium; then exit 0; fi
echo "The browser tests need a Chromium. Install chromium or google-chrome and run this again." >&2
exit 1
