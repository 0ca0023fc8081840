"""Defines networks: the recipe contract, layers, calibration and checkpoints."""
