"""Confidence of predictions: calibrated probabilities and out-of-distribution detection."""
