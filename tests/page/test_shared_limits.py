"""Limits of the parameters: the page takes them from the server."""

import re
from pathlib import Path

from esc.config import LIMITS

SCRIPTS = Path(__file__).resolve().parents[2] / "assets" / "js" / "viewer"


def test_limit_of_n_fft_is_no_constant_in_scripts():
    largest = LIMITS["n_fft"][1]
    written = re.compile(rf"\b{str(largest)[:-3]}[_']?{str(largest)[-3:]}\b")
    assert [path.name for path in SCRIPTS.rglob("*.js") if written.search(path.read_text())] == []
