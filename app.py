"""Entry point of the app: `python app.py` serves it; so does a Space."""

import sys

from esc.__main__ import main

if __name__ == "__main__":  # worker processes import this module
    sys.argv.insert(1, "serve")
    main()
