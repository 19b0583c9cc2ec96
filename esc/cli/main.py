"""Command line: classify sounds, teach own classes, index sounds, export the network.

Standard output is for results; progress and errors go to standard error. Torch is imported by the commands, so that help
and usage errors are immediate.
"""

from __future__ import annotations

import io
import sys

import typer

from esc.cli.classify_command import classify_command
from esc.cli.console import EXIT_USAGE, describe_os_error
from esc.cli.export_command import export_command
from esc.cli.index_command import index_command
from esc.cli.teach_command import teach_command
from esc.errors import EscError

_OPTIONS = {  # of parameters of the library
    "start_s": "--start",
    "end_s": "--end",
    "hop_seconds": "--hop",
    "full_scale": "--full-scale",
    "time_expansion": "--time-expansion",
}

app = typer.Typer(
    help="Spectrograms and classification of sounds.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
app.command("classify")(classify_command)
app.command("teach")(teach_command)
app.command("index")(index_command)
app.command("export")(export_command)


def _by_option(error: EscError) -> EscError:
    """Return an error with a parameter's option in place of its name."""
    option = _OPTIONS.get(str(error.values.get("field")))
    return error if option is None else type(error)(error.key, **error.values | {"field": option})


def main() -> None:
    """Run the command line; an unusable argument, checkpoint or disk exits with 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        app()
    except (EscError, OSError) as error:
        typer.echo(f"error: {describe_os_error(error) if isinstance(error, OSError) else _by_option(error)}", err=True)
        raise SystemExit(EXIT_USAGE) from error
