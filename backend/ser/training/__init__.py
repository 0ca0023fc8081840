"""Trains recipes and cross-validates them: from a corpus to a checkpoint."""
