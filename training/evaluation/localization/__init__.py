"""Localization benchmark: edges of a timeline's segments on soundscapes with known events."""
