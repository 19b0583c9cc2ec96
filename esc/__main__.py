"""Command line: `python -m esc`."""

from esc.cli.main import main

if __name__ == "__main__":  # worker processes import this module
    main()
