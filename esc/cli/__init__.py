"""The commands of `python -m esc`, a module each."""
