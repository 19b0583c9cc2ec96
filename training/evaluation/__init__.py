"""Evaluation, calibration and reports."""
