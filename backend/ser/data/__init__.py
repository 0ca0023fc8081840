"""Corpora, splits, and labelled clips with their cached features."""
