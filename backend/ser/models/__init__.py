"""Networks: the recipe contract, layers, calibration, checkpoints."""
