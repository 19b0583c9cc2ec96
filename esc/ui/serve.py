"""The running app: the page of one checkpoint, served until it is interrupted."""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import esc.ui.inference.zero_gpu  # noqa: F401  first: before all that imports torch
from esc.audio.sandbox import start_fork_server
from esc.classification.checkpoint_files.archive import checkpoint_folder
from esc.classification.checkpoint_files.config import read_config
from esc.classification.similarity import SoundIndex
from esc.errors import ParameterError, reason_of
from esc.ui.inference.inference import warm_up
from esc.ui.page import build_page, launch_options
from esc.ui.sessions.process_memory import freeze_startup, share_arenas
from esc.ui.sessions.temp_dir import delete_at_end, delete_on_sigterm


def _check_address(host: str | None, port: int | None) -> None:
    """Raise ParameterError if nothing can listen there; Gradio names other settings than ours."""
    host = host or os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
    try:
        family, *_, address = socket.getaddrinfo(host.strip("[]"), port or 0, type=socket.SOCK_STREAM)[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else reason_of(error)  # without Python's addition
        wanted = host if port is None else f"{host}:{port}"
        raise ParameterError("server.address", address=wanted, reason=reason) from error


def serve(checkpoint: Path | None, index: Path | None, host: str | None, port: int | None) -> None:
    """Serve the page.

    Without the shipped checkpoint the page runs and says so where something is classified.

    Raises
    ------
    CheckpointError, SoundIndexError
        A checkpoint or index that was named can't be used.
    ParameterError
        The page can't be served at that address.
    """
    _check_address(host, port)
    share_arenas()
    chosen = checkpoint_folder(checkpoint)
    if checkpoint is not None:
        read_config(chosen)
        if checkpoint.is_file():
            delete_at_end(chosen)  # by SIGTERM, too
    if index is not None:
        SoundIndex.read(index)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    page = build_page(chosen, index)
    delete_on_sigterm()
    page.launch(server_name=host, server_port=port, prevent_thread_lock=True, **launch_options(page))
    warming = warm_up(chosen)  # not before the page is served
    start_fork_server()
    warming.join()
    freeze_startup()
    page.block_thread()
