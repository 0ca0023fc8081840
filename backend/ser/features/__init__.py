"""Computes frames and acoustic measures from waveforms."""
