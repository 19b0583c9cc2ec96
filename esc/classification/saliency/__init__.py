"""Saliency of a class in a clip: maps over the spectrogram and their regions."""
