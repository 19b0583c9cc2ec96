"""The training loop's mechanics."""
