"""Matplotlib figures of sounds and training runs."""
