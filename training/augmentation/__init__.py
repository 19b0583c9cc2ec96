"""Augmentation of spectrograms, and distortions of waveforms."""
