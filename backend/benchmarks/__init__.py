"""Measurements of what the software promises; each prints its figures beside the promised ones."""
