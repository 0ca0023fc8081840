"""Waveforms to frames, and to the numbers that describe a voice."""
