"""Reads corpora, splits them, and loads labelled clips with their cached features."""
