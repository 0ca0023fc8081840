"""Measures latencies, and the memory of a server over time."""
