"""Predictions to figures: metrics, reports, comparisons, plots."""
