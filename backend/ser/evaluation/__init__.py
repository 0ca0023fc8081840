"""Turns predictions into metrics, reports, comparisons and plots."""
