"""`python -m esc classify`, as a program and within the process of the tests."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
import torch

from esc.cli.main import main

ROOT = Path(__file__).resolve().parent.parent


def run_program(*arguments: object) -> subprocess.CompletedProcess:
    """Run the command as a program, which takes seconds to import torch."""
    command = [sys.executable, "-m", "esc", "classify", *map(str, arguments)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=200)
    assert "Traceback" not in ended.stderr
    return ended


def classify(*arguments: object) -> subprocess.CompletedProcess:
    """Run the command `classify` in this process."""
    return run("classify", *arguments)


def run(*arguments: object) -> subprocess.CompletedProcess:
    """Run a command in this process."""
    threads = torch.get_num_threads()
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.StringIO()) as output,
        redirect_stderr(io.StringIO()) as errors,
        pytest.raises(SystemExit) as ended,
    ):
        patch.setattr(sys, "argv", ["esc", *map(str, arguments)])
        main()
    torch.set_num_threads(threads)  # the command computes with one
    return subprocess.CompletedProcess(arguments, ended.value.code or 0, output.getvalue(), errors.getvalue())
