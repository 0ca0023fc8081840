"""A model applied to recordings: windows, predictions, live sessions, exports."""
