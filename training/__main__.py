"""Fetch and look at ESC-50, train a network on it, measure it.

To begin with: download, prepare, train, then evaluate or report. Each command tells its options with --help.
"""

from __future__ import annotations

import logging
import os

import typer
from rich.logging import RichHandler

from esc.cli.console import describe_os_error
from esc.errors import EscError
from training.cli import data, evaluation, runs
from training.runs.progress import console

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("look")(data.look_command)
app.command("download")(data.download_command)
app.command("prepare")(data.prepare_command)
app.command("train")(runs.train_command)
app.command("crossval")(runs.crossval_command)
app.command("sweep")(runs.sweep_command)
app.command("report")(runs.report_command)
app.command("results")(runs.results_command)
app.command("evaluate")(evaluation.evaluate_command)
app.command("calibrate")(evaluation.calibrate_command)
app.command("explain-test")(evaluation.explain_test_command)
app.command("card")(evaluation.card_command)


def main() -> None:
    """Run the command line; an error that a user can mend, of ours or of the system's, is one line and exit code 1.

    Of the processes that torchrun starts on a machine, one speaks.
    """
    speaks = os.environ.get("LOCAL_RANK", "0") == "0"
    if console().is_terminal:  # through the console, so that lines stand above a running bar
        handler = RichHandler(console=console(), show_time=False, show_level=False, show_path=False)
    else:
        handler = logging.StreamHandler()
    logging.basicConfig(level=logging.INFO if speaks else logging.ERROR, format="%(message)s", handlers=[handler])
    try:
        app()
    except (EscError, OSError) as error:
        if speaks:
            typer.echo(f"error: {describe_os_error(error) if isinstance(error, OSError) else error}", err=True)
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
