"""Exports of a view: image, numbers, code, notebook."""
