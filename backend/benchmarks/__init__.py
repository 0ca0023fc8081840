"""Measures accuracy, speed and reliability, and prints the figures beside the targets."""
