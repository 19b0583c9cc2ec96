"""`python -m esc ...`: the command line."""

from esc.cli.main import main

if __name__ == "__main__":  # worker processes import this file anew
    main()
