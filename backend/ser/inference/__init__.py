"""Applies a model to recordings: windows, predictions, live sessions, exports."""
