"""Measures the promises to users, each printed as a line of the scorecard."""
