"""Command line: `python -m esc`, installed as `soundglass`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from esc.cli.console import CheckpointOption
from esc.cli.main import app, main


@app.command("serve")
def serve_command(
    checkpoint: CheckpointOption = None,
    index: Annotated[
        Path | None, typer.Option(envvar="SOUNDGLASS_INDEX", help="Sounds to search for similar ones, written by `index`.")
    ] = None,
    host: Annotated[str | None, typer.Option(envvar="HOST", help="Address to listen on; by default 127.0.0.1.")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, envvar="PORT", help="Port to listen on; by default the first free one from 7860."),
    ] = None,
) -> None:
    """Serve the page, as `python app.py` does with the same options."""
    from esc.ui.serve import serve

    serve(checkpoint, index, host, port)


if __name__ == "__main__":  # worker processes import this module
    main()
