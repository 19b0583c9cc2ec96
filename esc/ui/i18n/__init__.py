"""Texts of the page in English and Russian."""
