"""Inference for the page: GPU, timelines and their cache."""
