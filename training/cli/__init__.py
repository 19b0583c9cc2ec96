"""Commands of `python -m training`; heavy imports are inside the functions."""
