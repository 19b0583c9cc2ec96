"""Entry point of the app: `python app.py` serves it; so does a Space."""

import logging
import os
from pathlib import Path

import esc.ui.inference.zero_gpu  # noqa: F401  first: before all that imports torch
from esc.paths import DEFAULT_CHECKPOINT
from esc.ui.inference.inference import warm_up
from esc.ui.page import build_page, launch_options

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
index = os.environ.get("SOUNDGLASS_INDEX")  # written by: python -m esc index FOLDER -o index.npz
demo = build_page(index=Path(index) if index else None)

if __name__ == "__main__":
    warm_up(DEFAULT_CHECKPOINT)
    demo.launch(
        server_name=os.environ.get("HOST"),
        server_port=int(os.environ["PORT"]) if os.environ.get("PORT") else None,
        **launch_options(demo),
    )
