"""Download ESC-50, train a network on it, evaluate it.

First steps: download, prepare, train, then report. Options: COMMAND --help.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

import typer
from rich.logging import RichHandler

from esc.cli.console import EXIT_USAGE, describe_os_error
from esc.cli.option_groups import grouped
from esc.errors import EscError
from training.cli import data, evaluation, runs
from training.runs.progress import console

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
COMMANDS: dict[str, Callable] = {
    "look": data.look_command,
    "download": data.download_command,
    "prepare": data.prepare_command,
    "train": runs.train_command,
    "crossval": runs.crossval_command,
    "sweep": runs.sweep_command,
    "report": runs.report_command,
    "results": runs.results_command,
    "evaluate": evaluation.evaluate_command,
    "robustness": evaluation.robustness_command,
    "localization": evaluation.localization_command,
    "calibrate": evaluation.calibrate_command,
    "explain-test": evaluation.explain_test_command,
    "card": evaluation.card_command,
}
for name, command in COMMANDS.items():
    app.command(name)(grouped(command))


def main() -> None:
    """Run the command line; errors a user can fix are one line.

    The exit code is then 2.

    Of the processes that torchrun starts on a machine, one prints.
    """
    prints = os.environ.get("LOCAL_RANK", "0") == "0"
    handler: logging.Handler
    if console().is_terminal:  # keeps log lines above a running bar
        handler = RichHandler(console=console(), show_time=False, show_level=False, show_path=False)
    else:
        handler = logging.StreamHandler()
    logging.basicConfig(level=logging.INFO if prints else logging.ERROR, format="%(message)s", handlers=[handler])
    try:
        app()
    except (EscError, OSError) as error:
        if prints:
            typer.echo(f"error: {describe_os_error(error) if isinstance(error, OSError) else error}", err=True)
        raise SystemExit(EXIT_USAGE) from error


if __name__ == "__main__":
    main()
